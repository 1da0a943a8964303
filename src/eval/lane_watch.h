// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "eval/eval_record.h"
#include "lanerope/result.h"

namespace lanerope::eval {

// Watches a lane write: the answers that it has settled on (extract_settled_answer), and when.
class LaneWatch {
 public:
  void add(const Event& event);  // of one token of the lane
  const std::vector<SettledAnswer>& settled() const { return settled_; }

 private:
  std::string text_;
  std::vector<SettledAnswer> settled_;
};

}  // namespace lanerope::eval
