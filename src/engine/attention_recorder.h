// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "core/attention_plan.h"
#include "lanerope/measure.h"
#include "lanerope/result.h"
#include "model/model_runner.h"

namespace lanerope::engine {

// Gathers the attention of one group's lanes over its steps.
class AttentionRecorder {
 public:
  AttentionRecorder(int32_t n_layer, int32_t n_head) : n_layer_(n_layer), n_head_(n_head) {}

  // The blocks [first_block, first_block + n) of the plan that hold `rows`, in their order.
  struct Step {
    const core::AttentionPlan& plan;
    int32_t first_block = 0;
    std::span<const core::GroupRow> rows;
  };
  void add(const Step& step, std::span<const model::AttentionMass> shares);

  AttentionRecord record() const;

 private:
  struct Row {
    AttentionRecord::Row row;
    std::vector<float> shares;  // [1 + lanes so far, n_head, n_layer]
    int32_t n_lanes = 0;
  };
  int32_t n_layer_;
  int32_t n_head_;
  std::vector<Row> rows_;
};

}  // namespace lanerope::engine
