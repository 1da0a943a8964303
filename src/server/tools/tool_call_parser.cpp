// SPDX-License-Identifier: Apache-2.0
#include "server/tools/tool_call_parser.h"

#include <algorithm>
#include <utility>

namespace lanerope::server {

namespace {

constexpr std::string_view hermes_marks[] = {"<tool_call>"};
constexpr std::string_view llama_marks[] = {"{", ";", "<|python_tag|>"};
constexpr std::string_view mistral_marks[] = {"[TOOL_CALLS]"};
constexpr std::string_view deepseek_marks[] = {"<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>",
                                               "<｜tool▁calls▁end｜>"};
constexpr std::string_view harmony_marks[] = {"<|start|>", "<|channel|>", " to=functions.",
                                              "<|end|>",   "<|call|>",    "<|return|>"};

struct StyleRow {
  ToolStyle style;
  CallReader reader;
  std::span<const std::string_view> marks;
};
constexpr StyleRow styles[] = {
    {ToolStyle::hermes, read_hermes_call, hermes_marks},
    {ToolStyle::qwen_xml, read_qwen_xml_call, hermes_marks},
    {ToolStyle::llama, read_llama_call, llama_marks},
    {ToolStyle::mistral_list, read_mistral_call, mistral_marks},
    {ToolStyle::mistral, read_mistral_call, mistral_marks},
    {ToolStyle::deepseek, read_deepseek_call, deepseek_marks},
    {ToolStyle::deepseek_v31, read_deepseek_call, deepseek_marks},
    {ToolStyle::harmony, read_harmony_part, harmony_marks},
};

bool is_space(std::string_view text) {
  return behind_space(text).empty();
}

}  // namespace

ToolCallParser::ToolCallParser(ToolStyle style, ToolTable tools)
    : at_beginning_only_(style == ToolStyle::llama), tools_(std::move(tools)) {
  for (const StyleRow& row : styles) {
    if (row.style != style) continue;
    reader_ = row.reader;
    marks_ = row.marks;
  }
}

ToolCallParser::Parts ToolCallParser::push(std::string_view text) {
  Parts parts;
  if (reader_ == nullptr) {
    parts.content = text;
    return parts;
  }
  held_ += text;
  advance(parts, /*over=*/false);
  return parts;
}

ToolCallParser::Parts ToolCallParser::finish() {
  Parts parts;
  if (reader_ != nullptr) advance(parts, /*over=*/true);
  return parts;
}

// Where the first mark, or what may become one, begins.
size_t ToolCallParser::next_mark(size_t from) const {
  const std::string_view text = std::string_view(held_).substr(from);
  size_t first = text.size();
  for (const std::string_view mark : marks_) {
    first = std::min(first, text.find(mark));
    for (size_t length = std::min(mark.size() - 1, text.size()); length > 0; --length) {
      if (!text.ends_with(mark.substr(0, length))) continue;
      first = std::min(first, text.size() - length);
      break;
    }
  }
  return from + first;
}

void ToolCallParser::advance(Parts& parts, bool over) {
  const auto say = [&](size_t length) {
    // White space around calls is no content.
    const std::string_view text = std::string_view(held_).substr(0, length);
    const bool between = called_ && is_space(text);
    if (!between) {
      parts.content += text;
      said_ = said_ || !is_space(text);
    }
    held_.erase(0, length);
  };
  size_t from = 0;
  while (!held_.empty()) {
    if (at_beginning_only_ && (said_ || !is_space(std::string_view(held_).substr(0, next_mark(from))))) {
      say(held_.size());
      return;
    }
    const size_t mark = next_mark(from);
    // White space before what may be a call waits for what it turns out to be.
    const size_t end_of_text = held_.find_last_not_of(" \t\r\n", mark == 0 ? std::string::npos : mark - 1);
    const bool all_space = mark == 0 || end_of_text == std::string::npos || end_of_text >= mark;
    const size_t sayable = all_space ? 0 : end_of_text + 1;
    if (mark == held_.size()) {
      say(over ? held_.size() : sayable);
      return;
    }
    const CallReading reading = reader_({.text = std::string_view(held_).substr(mark), .over = over}, tools_);
    if (reading.state == CallReading::State::done) {
      const bool calls = !reading.calls.empty();
      say(sayable);
      held_.erase(0, mark - sayable);
      held_.erase(0, reading.used);
      called_ = called_ || calls;
      for (const ToolCall& call : reading.calls) parts.calls.push_back(call);
      from = 0;
      continue;
    }
    if (reading.state == CallReading::State::more && !over) {
      say(sayable);
      return;
    }
    from = mark + 1;  // no call: this mark is text
    if (from >= held_.size()) {
      if (over) say(held_.size());
      return;
    }
  }
}

}  // namespace lanerope::server
