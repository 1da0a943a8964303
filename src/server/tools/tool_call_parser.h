// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/tools/call_styles.h"

namespace lanerope::server {

// Takes the calls of tools out of what a lane says, in the style of its model. Takes the text in pieces; what
// could be the beginning of a call is held back until it is one or not. What is broken stays text.
class ToolCallParser {
 public:
  struct Parts {
    std::string content = {};
    std::vector<ToolCall> calls = {};  // whole ones
  };

  // ToolStyle::none: everything is content.
  ToolCallParser(ToolStyle style, ToolTable tools);

  Parts push(std::string_view text);
  Parts finish();  // what was held back

 private:
  void advance(Parts& parts, bool over);
  size_t next_mark(size_t from) const;

  CallReader reader_ = nullptr;
  std::span<const std::string_view> marks_ = {};
  bool at_beginning_only_ = false;  // marks count where nothing was said before
  ToolTable tools_;
  std::string held_ = {};
  bool said_ = false;
  bool called_ = false;
};

}  // namespace lanerope::server
