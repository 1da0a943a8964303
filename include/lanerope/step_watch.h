// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lanerope/result.h"

namespace lanerope {

// What a step is about to do for a group.
enum class StepPoint {
  start,    // give it cells
  rows,     // put its rows into the batch
  compute,  // run the batch that they are in
  take,     // draw tokens from what came out
  select,   // choose its answer
};
class StepWatch {
 public:
  virtual ~StepWatch() = default;
  virtual void at(StepPoint point, GroupId group) = 0;
};

}  // namespace lanerope
