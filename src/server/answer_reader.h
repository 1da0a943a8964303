// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lanerope/resolve.h"
#include "lanerope/tool_calls.h"
#include "server/api_request.h"
#include "server/reasoning_splitter.h"

namespace lanerope::server {

// Divides what a lane writes in a chat into what it thinks, what it says, and the tools that it calls, in the
// style of its model. Text of other endpoints is content as it is.
class AnswerReader {
 public:
  struct Parts {
    std::string reasoning = {};
    std::string content = {};
    std::vector<ToolCall> calls = {};  // whole ones, each with a number

    bool empty() const { return reasoning.empty() && content.empty() && calls.empty(); }
  };

  AnswerReader(const ApiRequest& api, const ResolvedRequest& request);

  // The next text of the lane; `over`: and its last.
  Parts push(const std::string& text, bool over);
  bool thinking() const { return splitter_.thinking(); }

 private:
  void add(Parts& parts, ToolCallParser::Parts said);

  ReasoningSplitter splitter_;
  ToolCallParser parser_;
  bool
      own_tools_;  // the calls were made by the lane and have been answered: they are no part of what it says
  ToolStyle style_;
  bool parallel_;
  size_t n_calls_ = 0;
};

}  // namespace lanerope::server
