// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/resolve.h"
#include "lanerope/tool_calls.h"
#include "text/detokenizer.h"

namespace lanerope::engine {

// Finds "<<expression=" in a text that comes in pieces, where a piece ends with the sign: what was written
// behind it already cannot be taken back.
class NoteWatch {
 public:
  std::optional<std::string> push(std::string_view text);  // the expression

 private:
  std::string tail_;  // from the last "<<" on, or what may become one
};

// Watches what one lane writes for calls of tools: those of its model's own form, behind its thinking, and
// notes.
class ToolWatch {
 public:
  // What the lane inherits may think, or have begun a call, and makes none.
  ToolWatch(const ResolvedRequest& request, const std::string& inherited);

  struct Found {
    std::vector<ToolCall> calls = {};
    std::optional<std::string> note = {};  // its expression
  };
  Found push(TokenId token);  // of its text
  Found finish();             // it has come to its end
  void restart();             // what it writes next begins an answer

 private:
  Found read(std::string text);
  std::string behind_thinking(std::string text);

  const ResolvedRequest& request_;
  text::Detokenizer detokenizer_;
  std::optional<ToolCallParser> parser_ = {};
  NoteWatch notes_ = {};
  bool thinking_;
  std::string thought_ = {};
};

}  // namespace lanerope::engine
