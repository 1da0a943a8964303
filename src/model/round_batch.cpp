// SPDX-License-Identifier: Apache-2.0
#include "model/round_batch.h"

#include "core/rounded_sizes.h"

namespace lanerope::model {

Batch rounded(const Batch& batch, const Rounding& how) {
  const int32_t n_rows = core::rounded_rows(batch.n_rows());
  Batch result{.tokens = batch.tokens,
               .positions = batch.positions,
               .cells = batch.cells,
               .outputs = batch.outputs,
               .adapter_scales = batch.adapter_scales,
               .bridges = batch.bridges,
               .detail = batch.detail};
  for (const core::AttentionPlan& plan : batch.plans) {
    result.tensors.push_back(core::plan_tensors(
        plan, {.positions = batch.positions, .n_rows = n_rows, .spare_cell = how.first_spare_cell}));
  }
  // What is recorded follows the plans themselves.
  if (how.keeps_plans || batch.detail != AttentionDetail::none) result.plans = batch.plans;

  // All rows in their order stay that.
  const bool all_rows = batch.outputs.size() == batch.tokens.size();
  const int32_t n_outputs = core::rounded_rows(static_cast<int32_t>(batch.outputs.size()));
  while (std::ssize(result.outputs) < n_outputs)
    result.outputs.push_back(all_rows ? static_cast<int32_t>(result.outputs.size()) : 0);
  result.tokens.resize(n_rows, batch.tokens.front());
  result.positions.resize(n_rows, batch.positions.front());
  for (int32_t spare = how.first_spare_cell; std::ssize(result.cells) < n_rows; ++spare)
    result.cells.push_back(spare);
  for (std::vector<float>& scales : result.adapter_scales) {
    if (!scales.empty()) scales.resize(n_rows, 0.0F);
  }
  if (!result.bridges.empty()) result.bridges.resize(n_rows, -1);
  return result;
}

}  // namespace lanerope::model
