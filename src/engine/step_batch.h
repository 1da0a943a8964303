// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "engine/group.h"
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

  bool empty() const { return batch.empty(); }
};

// One token of every live lane of every running group, then a chunk of the prompts that are being read, in
// the order of the groups, as far as `batch_rows` goes.
StepBatch assemble(std::vector<std::unique_ptr<Group>>& groups, int32_t batch_rows,
                   model::BatchBuilder batch);

}  // namespace lanerope::engine
