// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "arch/model_config.h"
#include "core/attention_plan.h"
#include "model/batch.h"

namespace lanerope::model {

// One token of a group as it goes into a batch.
struct BatchRow {
  core::GroupRow row = {};
  TokenId token = 0;
  int32_t position = 0;  // token index
  int32_t cell = 0;      // where its key and value go
  bool output = false;   // its logits are wanted
};

// Where rows that were added together lie in the batch.
struct BatchSlice {
  int32_t first_row = 0;
  int32_t first_block = 0;            // of each plan
  std::vector<int32_t> outputs = {};  // [rows] index into the batch's outputs, or -1
};

// Puts together the batch of one step. Every way of running the model goes through it: groups, scores,
// probes, beams.
class BatchBuilder {
 public:
  // The classes must outlive the builder.
  BatchBuilder(std::span<const arch::AttentionClass> classes, size_t n_adapters);

  // Rows of one group, all of its prompt or all of its lanes. `scales`: one an adapter, for all of them.
  // Where its lanes exchange through bridges, all rows of a step must come together.
  BatchSlice add(const core::GroupView& group, std::span<const BatchRow> rows, std::span<const float> scales);
  // Rows whose attention the caller laid out itself, for models of one attention class. The block's first_row
  // and n_rows are set here.
  BatchSlice add(core::AttentionBlock block, std::span<const BatchRow> rows, std::span<const float> scales);

  void record(AttentionDetail detail) { batch_.detail = detail; }
  int32_t n_rows() const { return batch_.n_rows(); }

  // Switches off adapters that no row uses, and sees that there is an output. The builder is spent.
  Batch finish() &&;

 private:
  BatchSlice append(std::span<const BatchRow> rows, std::span<const float> scales);
  void bridge(std::span<const BatchRow> rows, int32_t first_row);

  std::span<const arch::AttentionClass> classes_;
  Batch batch_;
  int32_t n_bridges_ = 0;  // numbers of Batch::bridges that are taken
};

}  // namespace lanerope::model
