// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "train/attention/dense_mask.h"
#include "train/attention/lane_attention.h"

namespace lanerope::train {

namespace {

void check(const AttentionLayout& layout) {
  const auto n_tokens = static_cast<int64_t>(layout.lane.size());
  TORCH_CHECK(layout.step.size() == layout.lane.size(),
              "Give every token of the batch one lane and one step.");
  std::vector<GroupSpan> groups = layout.groups;
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  int64_t end = 0;
  for (const GroupSpan& group : groups) {
    TORCH_CHECK(group.first >= end && group.n_prompt >= 0 && group.n_prompt <= group.n_tokens,
                "Groups of a batch must not overlap, and their prompts must be a part of them.");
    end = group.first + group.n_tokens;
    TORCH_CHECK(end <= n_tokens, "A group ends at row ", end, " of a batch of ", n_tokens, " rows.");
    TORCH_CHECK(std::is_sorted(layout.step.begin() + group.first + group.n_prompt, layout.step.begin() + end),
                "Tokens of lanes must be in the order of their steps.");
  }
}

}  // namespace

AttentionBatch::AttentionBatch(AttentionLayout layout)
    : layout_(std::make_shared<const AttentionLayout>(std::move(layout))),
      dense_(std::make_shared<DenseMask>()) {
  check(*layout_);
}

int64_t AttentionBatch::n_visible() const {
  int64_t n = 0;
  for (const GroupSpan& group : layout_->groups) {
    for (int64_t query = 0; query < group.n_tokens; ++query) {
      for (int64_t key = 0; key < group.n_tokens; ++key) n += sees(*layout_, group, query, key) ? 1 : 0;
    }
  }
  return n;
}

}  // namespace lanerope::train
