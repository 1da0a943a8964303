// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <vector>

#include "engine/policy_table.h"

namespace lanerope::engine {

// Retires the lane that has become least sure of itself, where its confidence over its last tokens is below a
// share of the other lanes' (DeepConf's group confidence, Fu et al. 2025, compared with lanes that write at
// the same time in place of ones that were sampled before).
class Prune final : public Policy {
 public:
  Prune(const PolicySettings& settings, const ResolvedRequest& request);
  bool reads_tokens() const override { return true; }
  void after_step(const GroupStatus& group, LaneActions& actions) override;

 private:
  // The last confidences of one lane.
  struct Window {
    std::deque<double> last = {};
    double sum = 0;
  };
  void add(const GroupStatus& group);
  double mean_of(int32_t lane) const { return windows_[lane].sum / static_cast<double>(window_); }
  std::vector<int32_t> comparable(const GroupStatus& group) const;

  size_t window_;
  double ratio_;
  int32_t keep_;
  std::vector<Window> windows_ = {};  // [lanes]
};

}  // namespace lanerope::engine
