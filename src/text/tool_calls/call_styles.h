// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/chat_style.h"
#include "lanerope/prompt.h"

namespace lanerope::text {

using Json = nlohmann::ordered_json;

// The tools of a request: their parameters' schemas by name.
using SchemaTable = std::map<std::string, Json, std::less<>>;

// What a reader makes of a text that begins with one of its marks.
struct CallReading {
  enum class State {
    more,   // it may become a call with more text
    wrong,  // it never will
    done,
  };
  State state = State::wrong;
  size_t used = 0;                   // bytes, of `done`
  std::vector<ToolCall> calls = {};  // may be none: a mark that only stands around calls
};

// A text that may go on; `over` says that it does not.
struct CallText {
  std::string_view text;
  bool over = false;
};

using CallReader = CallReading (*)(const CallText& from, const SchemaTable& tools);

// How calls of one style are found in a text: a file each.
CallReading read_hermes_call(const CallText& from, const SchemaTable& tools);
CallReading read_qwen_xml_call(const CallText& from, const SchemaTable& tools);
CallReading read_llama_call(const CallText& from, const SchemaTable& tools);
CallReading read_mistral_call(const CallText& from, const SchemaTable& tools);   // both of Mistral's
CallReading read_deepseek_call(const CallText& from, const SchemaTable& tools);  // both of DeepSeek's
CallReading read_harmony_part(const CallText& from, const SchemaTable& tools);

// Compact, bytes that are not UTF-8 as U+FFFD.
std::string to_text(const Json& json);

// The end of the JSON object or array that `text` begins with, npos where it goes on behind the text.
size_t json_end(std::string_view text);

// What follows the white space at the beginning.
std::string_view behind_space(std::string_view text);

// The text behind `mark` if it begins with it; else, by `state`, whether it still may.
struct Behind {
  CallReading::State state = CallReading::State::wrong;
  std::string_view rest = {};
};
Behind behind(std::string_view mark, std::string_view text);

// A call of an object {NAME_KEY, ARGUMENTS_KEY}; nothing where it is none, or JSON beyond all bounds.
std::vector<ToolCall> calls_of_json(std::string_view json);

}  // namespace lanerope::text
