// SPDX-License-Identifier: Apache-2.0
#include "text/chat_template.h"

#include <algorithm>

#include "core/enum_table.h"
#include "lanerope/errors.h"
#include "text/utf8.h"

namespace lanerope::text {

namespace {

enum class Role { system, user, assistant };

constexpr auto roles = core::enum_table<Role, 3>({
    {Role::system, "system"},
    {Role::user, "user"},
    {Role::assistant, "assistant"},
});

struct Turn {
  Role role;
  std::string content;
};

std::string_view trimmed(std::string_view text, std::string_view what) {
  const size_t begin = text.find_first_not_of(what);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(what) - begin + 1);
}

constexpr std::string_view white_space = " \t\n\v\f\r";
constexpr std::string_view think_end = "</think>";

// Qwen3, after the last user message: the block is written anew, empty where there was none and it ends the
// text.
std::string with_reasoning(std::string_view content, bool is_last) {
  const size_t first_end = content.find(think_end);
  std::string_view reasoning;
  std::string_view answer = content;
  if (first_end != std::string_view::npos) {
    reasoning = content.substr(0, first_end);
    const size_t begin = reasoning.rfind("<think>");
    if (begin != std::string_view::npos) reasoning.remove_prefix(begin + std::string_view("<think>").size());
    reasoning = trimmed(reasoning, "\n");
    answer = content.substr(content.rfind(think_end) + think_end.size());
    answer.remove_prefix(std::min(answer.find_first_not_of('\n'), answer.size()));
  }
  if (reasoning.empty() && !is_last) return std::string(answer);
  if (is_last) answer.remove_prefix(std::min(answer.find_first_not_of('\n'), answer.size()));
  return "<think>\n" + std::string(reasoning) + "\n</think>\n\n" + std::string(answer);
}

std::string without_reasoning(const ChatFormat& format, std::string_view content) {
  const size_t end = content.rfind(think_end);
  if (end == std::string_view::npos) return std::string(content);
  content.remove_prefix(end + think_end.size());
  if (format.kind == ChatTemplate::chatml) {
    content.remove_prefix(std::min(content.find_first_not_of('\n'), content.size()));
  }
  return std::string(content);
}

std::vector<Turn> read_turns(const ChatFormat& format, std::span<const ChatMessage> messages) {
  if (messages.empty()) throw InvalidRequest("the conversation is empty; give it a user message");
  std::vector<Turn> turns;
  size_t last_user = messages.size() - 1;
  for (const ChatMessage& message : messages) {
    const auto role = roles.parse(message.role);
    if (!role) {
      throw InvalidRequest("a message has the role " + quoted(message.role) + "; roles are " +
                           roles.allowed());
    }
    if (*role == Role::user) last_user = turns.size();
    turns.push_back({.role = *role, .content = std::string(message.content)});
  }
  for (size_t i = 0; i < turns.size(); ++i) {
    if (turns[i].role != Role::assistant || !format.drops_reasoning) continue;
    turns[i].content = format.keeps_last_reasoning && i > last_user
                           ? with_reasoning(turns[i].content, i + 1 == turns.size())
                           : without_reasoning(format, turns[i].content);
  }
  return turns;
}

// The system message of formats that have one place for it; the rest stays in `turns`.
std::string take_system(const ChatFormat& format, std::vector<Turn>& turns) {
  std::string system;
  if (turns.front().role == Role::system) {
    system = std::move(turns.front().content);
    turns.erase(turns.begin());
  }
  if (std::ranges::find(turns, Role::system, &Turn::role) != turns.end()) {
    throw InvalidRequest("the chat template " + std::string(name(format.kind)) +
                         " takes one system message, at the beginning; move or join them");
  }
  return system;
}

std::string chatml(const ChatFormat& format, const std::vector<Turn>& turns, RenderOptions options) {
  std::string text;
  const auto turn = [&](std::string_view role, std::string_view content) {
    text.append("<|im_start|>").append(role).append("\n").append(content).append("<|im_end|>\n");
  };
  if (!format.default_system.empty() && turns.front().role != Role::system)
    turn("system", format.default_system);
  for (const Turn& one : turns) turn(roles.name(one.role), one.content);
  if (!options.add_generation_prompt) return text;
  text += "<|im_start|>assistant\n";
  if (!options.think && format.can_skip_think) {
    text += "<think>\n\n</think>\n\n";
  } else if (format.opens_think) {
    text += "<think>\n";
  }
  return text;
}

std::string llama3(const std::vector<Turn>& turns, RenderOptions options) {
  std::string text;
  const auto header = [&](std::string_view role) {
    text.append("<|start_header_id|>").append(role).append("<|end_header_id|>\n\n");
  };
  for (const Turn& turn : turns) {
    header(roles.name(turn.role));
    text.append(trimmed(turn.content, white_space)).append("<|eot_id|>");
  }
  if (options.add_generation_prompt) header("assistant");
  return text;
}

std::string deepseek(const ChatFormat& format, std::vector<Turn> turns, RenderOptions options) {
  std::string text = take_system(format, turns);
  for (const Turn& turn : turns) {
    if (turn.role == Role::user) {
      text += "<｜User｜>" + turn.content;
    } else {
      text += "<｜Assistant｜>" + turn.content + "<｜end▁of▁sentence｜>";
    }
  }
  if (options.add_generation_prompt)
    text += format.opens_think ? "<｜Assistant｜><think>\n" : "<｜Assistant｜>";
  return text;
}

// v1 and v3 put the system message into a user message: v1 into the first, v3 into the last. In v1 "[INST]"
// is not a token but text, with a space before it; the tokenizer adds the first one.
std::string mistral(const ChatFormat& format, std::vector<Turn> turns) {
  const ChatTemplate kind = format.kind;
  const bool is_v1 = kind == ChatTemplate::mistral_v1;
  const bool is_v7 = kind == ChatTemplate::mistral_v7 || kind == ChatTemplate::mistral_v7_tekken;
  const bool is_tekken = kind == ChatTemplate::mistral_v3_tekken || kind == ChatTemplate::mistral_v7_tekken;
  const std::string space = is_tekken ? "" : " ";

  if (!is_v7) {
    const std::string system = take_system(format, turns);
    const auto first = std::ranges::find(turns, Role::user, &Turn::role);
    const auto last = std::ranges::find(turns.rbegin(), turns.rend(), Role::user, &Turn::role);
    if (first == turns.end()) {
      throw InvalidRequest("the chat template " + std::string(name(kind)) + " needs a user message; add one");
    }
    Turn& host = is_v1 ? *first : *last;
    if (!system.empty()) host.content = system + "\n\n" + host.content;
  }

  std::string text;
  for (const Turn& turn : turns) {
    switch (turn.role) {
      case Role::system:
        text += "[SYSTEM_PROMPT]" + space + turn.content + "[/SYSTEM_PROMPT]";
        break;
      case Role::user:
        if (is_v1 && !text.empty()) text += ' ';
        text += "[INST]" + space + turn.content + (is_v1 ? " [/INST]" : "[/INST]");
        break;
      case Role::assistant:
        text += space;
        text += kind == ChatTemplate::mistral_v3 ? trimmed(turn.content, white_space) : turn.content;
        text += "</s>";
        break;
    }
  }
  return text;
}

}  // namespace

std::string render(const ChatFormat& format, std::span<const ChatMessage> messages, RenderOptions options) {
  if (!options.think && format.opens_think && !format.can_skip_think) {
    throw InvalidRequest("the chat template " + std::string(name(format.kind)) +
                         " of this model always begins with reasoning; leave it on");
  }
  const std::vector<Turn> turns = read_turns(format, messages);
  switch (format.kind) {
    case ChatTemplate::chatml:
      return chatml(format, turns, options);
    case ChatTemplate::llama3:
      return llama3(turns, options);
    case ChatTemplate::deepseek_r1_distill:
      return deepseek(format, turns, options);
    case ChatTemplate::mistral_v1:
    case ChatTemplate::mistral_v3:
    case ChatTemplate::mistral_v3_tekken:
    case ChatTemplate::mistral_v7:
    case ChatTemplate::mistral_v7_tekken:
      return mistral(format, turns);
  }
  return {};
}

}  // namespace lanerope::text
