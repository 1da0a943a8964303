// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/chat_style.h"
#include "lanerope/prompt.h"

namespace lanerope {

// Tools that may be called: the JSON schemas of their arguments, as text, by name.
using ToolTable = std::map<std::string, std::string, std::less<>>;

// Takes the calls of tools out of what a model says, in the style of its chat template. Takes the text in
// pieces; what could be the beginning of a call is held back until it is one or not. What is broken stays
// text.
class ToolCallParser {
 public:
  struct Parts {
    std::string content = {};
    std::vector<ToolCall> calls = {};  // whole ones
  };

  // ToolStyle::none: everything is content.
  ToolCallParser(ToolStyle style, const ToolTable& tools);
  ~ToolCallParser();
  ToolCallParser(ToolCallParser&&) noexcept;
  ToolCallParser& operator=(ToolCallParser&&) noexcept;

  Parts push(std::string_view text);
  Parts finish();  // what was held back

  struct Impl;  // src/text/tool_calls/parser.cpp

 private:
  std::unique_ptr<Impl> impl_;
};

// Where the first call in the text ends, npos without one: behind its closing mark.
size_t end_of_first_call(ToolStyle style, const ToolTable& tools, std::string_view text);

}  // namespace lanerope
