// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "engine/group.h"
#include "model/batch.h"

namespace lanerope::engine {

// The rows of one step and whose they are.
struct StepBatch {
  struct Slice {
    Group* group = nullptr;
    std::vector<core::GroupRow> rows;  // in the batch from first_row on
    int32_t first_row = 0;
    int32_t first_block = 0;       // of the plan
    std::vector<int32_t> outputs;  // [rows] index into the batch's outputs, or -1
  };
  model::Batch batch;
  std::vector<Slice> slices;

  bool empty() const { return batch.tokens.empty(); }
};

// One token of every live lane of every running group, then a chunk of the prompts that are being read, in
// the order of the groups, as far as `batch_rows` goes.
StepBatch assemble(std::vector<std::unique_ptr<Group>>& groups, const EngineOptions& options,
                   size_t n_adapters);

// Appends the adapter scales of one row.
void append_scales(model::Batch& batch, const std::vector<float>& scales);
// Switches off adapters that no row uses, and sees that there is an output.
void finish_batch(model::Batch& batch);

}  // namespace lanerope::engine
