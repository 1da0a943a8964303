// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/attention_plan.h"
#include "core/plan_tensors.h"
#include "lanerope/token.h"

namespace lanerope::model {

// What a run says about attention beside computing it.
enum class AttentionDetail {
  none,
  mass,     // how much goes to each segment
  weights,  // how much goes to each cell of each segment in view
};

// The tokens that are fed in one step, of all groups together; made by a BatchBuilder. A row is one token.
struct Batch {
  std::vector<TokenId> tokens = {};             // [n_rows]
  std::vector<int32_t> positions = {};          // [n_rows] token index i, by which theta rotates
  std::vector<int32_t> cells = {};              // [n_rows] where the row's key and value go
  std::vector<core::AttentionPlan> plans = {};  // [attention classes of the model]
  std::vector<int32_t> outputs = {};            // rows whose logits are wanted, ascending
  // [n_adapters][n_rows]; an empty inner vector: the adapter is off for every row
  std::vector<std::vector<float>> adapter_scales = {};
  // [n_rows] which rows exchange their hidden states: those of one number, which are the lanes of one group
  // at one step; -1: with nobody. Empty where no row does.
  std::vector<int32_t> bridges = {};
  AttentionDetail detail = AttentionDetail::none;
  std::vector<core::PlanTensors> tensors = {};  // of the plans, where the batch is rounded up (round_batch.h)

  int32_t n_rows() const { return static_cast<int32_t>(tokens.size()); }
  bool empty() const { return tokens.empty(); }
};

}  // namespace lanerope::model
