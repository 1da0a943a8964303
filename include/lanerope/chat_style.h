// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lanerope/names.h"

namespace lanerope {

// How a model writes calls of tools, as its chat template shows it.
enum class ToolStyle {
  none,          // the template has no calls, or writes them in a way that lanerope does not read
  hermes,        // <tool_call>{"name": N, "arguments": {...}}</tool_call>: Hermes, Qwen 2.5 and 3, Granite 4
  qwen_xml,      // <tool_call><function=N><parameter=K>V</parameter></function></tool_call>: Qwen3-Coder, 3.5
  llama,         // {"name": N, "parameters": {...}} and nothing else: Llama 3
  mistral_list,  // [TOOL_CALLS][{"name": N, "arguments": {...}, "id": I}]: Mistral 7B v0.3, Nemo
  mistral,   // [TOOL_CALLS]N[ARGS]{...}, with [CALL_ID]I before it or without: Mistral Small 3.2, Ministral
  deepseek,  // between marks of its own, N and a fenced block of JSON: DeepSeek R1, V3
  deepseek_v31,  // the same with N and bare JSON
  harmony,       // <|channel|>commentary to=functions.N <|message|>{...}<|call|>: gpt-oss
};
template <>
std::span<const Named<ToolStyle>> names();

// What stands around what a model thinks; empty: its template marks no thinking.
struct ThinkingMarks {
  std::string begin = {};
  std::string end = {};
  std::string message = {};  // what a message begins with behind the thinking; mostly nothing
  std::string answer = {};   // what stands before what the model says; mostly nothing
};

// What a model's chat template says of its answers.
struct ChatStyle {
  ToolStyle tools = ToolStyle::none;
  ThinkingMarks thinking = {};
};

// Where a prompt leaves the model's thinking.
enum class Thinking {
  none,    // the answer begins: the template marks no thinking, or has closed it
  may,     // the answer may begin with the mark of its thinking
  opened,  // the prompt ends with that mark
};

}  // namespace lanerope
