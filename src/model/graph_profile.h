// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lanerope/measure.h"
#include "model/device.h"

namespace lanerope::model {

// Runs graphs operation by operation and keeps the time of each kind. Operations of our own go by the name of
// their tensor, ggml's by that of the operation.
class GraphProfile {
 public:
  GraphProfile();

  // The graph's memory must be allocated on the back end. Whether it went well.
  bool compute(ggml_backend_t cpu, ggml_cgraph* graph);

  // Everything since it was last asked, the longest first.
  std::vector<OperationTime> take();

 private:
  ContextHandle context_;
  ggml_cgraph* one_;  // of the one operation that is being timed
  std::map<std::string, OperationTime> times_ = {};
};

}  // namespace lanerope::model
