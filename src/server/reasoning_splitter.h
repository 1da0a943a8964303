// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "lanerope/chat_style.h"

namespace lanerope::server {

// Divides what a lane writes into what it thinks, between the marks of its model, and what it says. Takes the
// text in pieces; a piece that could be the beginning of a mark is held back until it is known to be one or
// not.
class ReasoningSplitter {
 public:
  struct Parts {
    std::string reasoning = {};
    std::string content = {};
  };

  enum class Mode {
    opened,  // the prompt ends inside of the thinking
    maybe,   // the text may begin with one
    off,     // everything is content
  };
  explicit ReasoningSplitter(Mode mode, ThinkingMarks marks = {.begin = "<think>", .end = "</think>"});

  Parts push(std::string_view text);
  Parts finish();  // what was held back
  bool thinking() const { return state_ == State::thinking; }

 private:
  enum class State { start, thinking, saying };
  void advance(Parts& parts, bool at_end);

  ThinkingMarks marks_;
  State state_;
  bool trim_ = false;  // white space at the beginning of a part is dropped
  std::string held_;
};

}  // namespace lanerope::server
