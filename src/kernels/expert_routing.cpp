// SPDX-License-Identifier: Apache-2.0
#include "kernels/expert_routing.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace lanerope::kernels {

namespace {

// The experts of one row, the best one first. A score that is no number is the last choice.
void choose(const float* scores, int32_t n_expert, std::span<int32_t> chosen) {
  const auto value = [scores](int32_t e) {
    return std::isnan(scores[e]) ? -std::numeric_limits<float>::infinity() : scores[e];
  };
  for (size_t i = 0; i < chosen.size(); ++i) {
    const auto before = chosen.first(i);
    int32_t best = -1;
    for (int32_t e = 0; e < n_expert; ++e) {
      if (best >= 0 && value(e) <= value(best)) continue;
      if (std::ranges::find(before, e) == before.end()) best = e;
    }
    chosen[i] = best;
  }
}

void soft_max(const float* scores, std::span<const int32_t> chosen, float* shares) {
  float sum = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    shares[i] = std::exp(scores[chosen[i]] - scores[chosen[0]]);
    sum += shares[i];
  }
  for (size_t i = 0; i < chosen.size(); ++i) shares[i] /= sum;
}

}  // namespace

ExpertRouting::ExpertRouting(int32_t n_expert, int32_t n_used)
    : n_expert_(n_expert), n_used_(n_used), next_(n_expert) {
  assert(n_used > 0 && n_used <= n_expert);
}

void ExpertRouting::route(const RouterScores& scores) {
  const size_t n_columns = static_cast<size_t>(scores.n_rows) * n_used_;
  chosen_.resize(n_columns);
  shares_.resize(n_columns);
  rows_.resize(n_columns);
  columns_.resize(n_columns);
  std::ranges::fill(next_, 0);
  for (int64_t row = 0; row < scores.n_rows; ++row) {
    const float* of_row = scores.data + row * scores.row_stride;
    const std::span<int32_t> chosen(chosen_.data() + row * n_used_, n_used_);
    choose(of_row, n_expert_, chosen);
    soft_max(of_row, chosen, shares_.data() + row * n_used_);
    for (const int32_t expert : chosen) ++next_[expert];
  }

  groups_.clear();
  int32_t first = 0;
  for (int32_t e = 0; e < n_expert_; ++e) {
    const int32_t n = next_[e];
    if (n > 0) groups_.push_back({.expert = e, .first = first, .n = n});
    next_[e] = first;
    first += n;
  }
  for (size_t i = 0; i < n_columns; ++i) {
    columns_[i] = next_[chosen_[i]]++;
    rows_[columns_[i]] = static_cast<int32_t>(i / n_used_);
  }
}

}  // namespace lanerope::kernels
