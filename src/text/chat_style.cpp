// SPDX-License-Identifier: Apache-2.0
#include "text/chat_style.h"

#include <array>

#include "text/white_space.h"

namespace lanerope::text {

namespace {

struct MarkedThinking {
  std::string_view shown_by;  // what the template holds
  std::string_view begin;
  std::string_view end;
  std::string_view message = {};
  std::string_view answer = {};
};

// The first that fits counts: a template of gpt-oss speaks of more than it writes.
constexpr std::array thinkers = {
    MarkedThinking{"<|channel|>analysis", "<|channel|>analysis<|message|>", "<|end|>", "<|start|>assistant",
                   "<|channel|>final<|message|>"},
    MarkedThinking{"<|channel>thought", "<|channel>thought\n", "<channel|>"},
    MarkedThinking{"[THINK]", "[THINK]", "[/THINK]"},
    MarkedThinking{"<seed:think>", "<seed:think>", "</seed:think>"},
    MarkedThinking{"<|START_THINKING|>", "<|START_THINKING|>", "<|END_THINKING|>"},
    MarkedThinking{"<|inner_prefix|>", "<|inner_prefix|>", "<|inner_suffix|>"},
    MarkedThinking{"</think>", "<think>", "</think>"},
    MarkedThinking{"<think>", "<think>", "</think>"},
};

ToolStyle tool_style(std::string_view jinja) {
  const auto has = [jinja](std::string_view text) { return jinja.find(text) != std::string_view::npos; };
  if (has("<|channel|>commentary") && has("functions.")) return ToolStyle::harmony;
  if (has("[TOOL_CALLS]")) return has("[ARGS]") ? ToolStyle::mistral : ToolStyle::mistral_list;
  if (has("<｜tool▁calls▁begin｜>")) return has("```") ? ToolStyle::deepseek : ToolStyle::deepseek_v31;
  if (has("<tool_call>") && has("<function=")) return ToolStyle::qwen_xml;
  if (has("<tool_call>") && has("arguments") && !has("<arg_key>")) return ToolStyle::hermes;
  if (has("ipython") && has("{\"name\": \"") && has("parameters")) return ToolStyle::llama;
  return ToolStyle::none;
}

}  // namespace

ChatStyle chat_style(std::string_view jinja) {
  ChatStyle style{.tools = tool_style(jinja)};
  for (const MarkedThinking& thinker : thinkers) {
    if (jinja.find(thinker.shown_by) == std::string_view::npos) continue;
    style.thinking = {.begin = std::string(thinker.begin),
                      .end = std::string(thinker.end),
                      .message = std::string(thinker.message),
                      .answer = std::string(thinker.answer)};
    break;
  }
  return style;
}

Thinking thinking_behind(std::string_view prompt, const ThinkingMarks& marks) {
  if (marks.begin.empty()) return Thinking::none;
  const std::string_view text = stripped(prompt, {.left = false});
  if (text.ends_with(stripped(marks.begin))) return Thinking::opened;
  return text.ends_with(marks.end) ? Thinking::none : Thinking::may;
}

}  // namespace lanerope::text
