// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "engine/group.h"
#include "engine/prefill_pace.h"
#include "model/batch_builder.h"

namespace lanerope::engine {

// The rows of one step and whose they are.
struct StepBatch {
  struct Slice {
    Group* group = nullptr;
    std::vector<core::GroupRow> rows = {};
    model::BatchSlice at = {};
  };
  model::Batch batch;
  std::vector<Slice> slices;
  int32_t lane_rows =
      0;  // of lanes that write; the others are of prompts, and of lanes that are filled again

  bool empty() const { return batch.empty(); }
};

// One token of every live lane of every running group, then of the prompts that are being read, in the order
// of the groups, as many as the pace allows. Throws GroupError where a group cannot give its rows; nothing
// has changed then.
struct Assembly {
  model::BatchBuilder batch;
  std::function<void(const Group&)> before = {};  // called before each group's rows; may throw for it
};
StepBatch assemble(std::vector<std::unique_ptr<Group>>& groups, const PrefillPace& pace, Assembly assembly);

// The rows of one slice of a step as a step of their own.
StepBatch assemble_again(const StepBatch::Slice& slice, model::BatchBuilder batch);

// What went wrong in which group. Thrown within the engine only.
struct GroupError {
  Group* group = nullptr;
  std::exception_ptr cause = {};
};

}  // namespace lanerope::engine
