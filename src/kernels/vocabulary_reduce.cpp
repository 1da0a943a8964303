// SPDX-License-Identifier: Apache-2.0
#include "kernels/vocabulary_reduce.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/vocabulary_reduce.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The greatest of each run of `run` values; the last run may be shorter.
void run_maxima(const float* values, size_t n, size_t run, float* maxima) {
  const hn::CappedTag<float, 16> df;
  const size_t vector_size = hn::Lanes(df);
  for (size_t at = 0; at < n; at += run) {
    const size_t end = std::min(at + run, n);
    float top = -std::numeric_limits<float>::infinity();
    size_t i = at;
    if (end - at >= vector_size) {
      auto greatest = hn::LoadU(df, values + at);
      for (i += vector_size; i + vector_size <= end; i += vector_size)
        greatest = hn::Max(greatest, hn::LoadU(df, values + i));
      // Not by ReduceMax, which is at least the lowest finite number in Highway's plain code.
      HWY_ALIGN float of_lane[16];
      hn::Store(greatest, df, of_lane);
      top = *std::max_element(of_lane, of_lane + vector_size);
    }
    for (; i < end; ++i) top = std::max(top, values[i]);
    maxima[at / run] = top;
  }
}

// sum(exp((value - top) * factor)).
double sum_exp(const float* values, size_t n, float top, float factor) {
  const hn::CappedTag<float, 16> df;
  const size_t vector_size = hn::Lanes(df);
  const auto f = hn::Set(df, factor);
  const auto base = hn::Set(df, top);
  double total = 0;
  size_t i = 0;
  while (i + vector_size <= n) {
    // Short sums in float, their sum in double.
    auto sum = hn::Zero(df);
    for (const size_t end = std::min(n, i + 1024); i + vector_size <= end; i += vector_size) {
      sum = hn::Add(sum, hn::Exp(df, hn::Mul(hn::Sub(hn::LoadU(df, values + i), base), f)));
    }
    total += hn::ReduceSum(df, sum);
  }
  for (; i < n; ++i) total += std::exp((values[i] - top) * factor);
  return total;
}

// sum(exp(value - top) * (value - top)). Below `lowest` nothing is left of the exponential, and -inf would
// make NaN of it.
double sum_exp_times(const float* values, size_t n, float top) {
  constexpr float lowest = -90;
  const hn::CappedTag<float, 16> df;
  const size_t vector_size = hn::Lanes(df);
  const auto base = hn::Set(df, top);
  const auto least = hn::Set(df, lowest);
  double total = 0;
  size_t i = 0;
  while (i + vector_size <= n) {
    auto sum = hn::Zero(df);
    for (const size_t end = std::min(n, i + 1024); i + vector_size <= end; i += vector_size) {
      const auto below = hn::Max(hn::Sub(hn::LoadU(df, values + i), base), least);
      sum = hn::MulAdd(hn::Exp(df, below), below, sum);
    }
    total += hn::ReduceSum(df, sum);
  }
  for (; i < n; ++i) {
    const float below = std::max(values[i] - top, lowest);
    total += std::exp(below) * below;
  }
  return total;
}

double sum(const float* values, size_t n) {
  const hn::CappedTag<float, 16> df;
  const size_t vector_size = hn::Lanes(df);
  double total = 0;
  size_t i = 0;
  while (i + vector_size <= n) {
    auto part = hn::Zero(df);
    for (const size_t end = std::min(n, i + 1024); i + vector_size <= end; i += vector_size)
      part = hn::Add(part, hn::LoadU(df, values + i));
    total += hn::ReduceSum(df, part);
  }
  for (; i < n; ++i) total += values[i];
  return total;
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(run_maxima);
HWY_EXPORT(sum_exp);
HWY_EXPORT(sum_exp_times);
HWY_EXPORT(sum);

namespace {

// All others are at most as great as the last one of a summary, which does not say how many equal it.
bool is_certain(const Candidate& candidate, const LogitSummary& summary) {
  return candidate.logit > summary.top.back().logit || std::ssize(summary.top) == summary.n_tokens;
}

}  // namespace

void VocabularyReduce::read(const LogitRow& row) {
  row_ = row;
  const LogitSummary* summary = row_.summary();
  if (summary == nullptr || !is_certain(summary->top.front(), *summary)) return bring();
  is_here_ = false;
  n_tokens_ = summary->n_tokens;
  greatest_ = summary->top.front();
}

void VocabularyReduce::look_at(std::span<const float> logits) {
  assert(!logits.empty());
  is_here_ = true;
  logits_ = logits;
  n_tokens_ = static_cast<int32_t>(logits.size());
  run_greatest_.resize((logits.size() + run - 1) / run);
  HWY_DYNAMIC_DISPATCH(run_maxima)(logits.data(), logits.size(), run, run_greatest_.data());
  const auto best = std::ranges::max_element(run_greatest_);
  const size_t first = (best - run_greatest_.begin()) * run;
  const auto within = logits.subspan(first, std::min<size_t>(run, logits.size() - first));
  const auto token = std::ranges::max_element(within) - within.begin() + static_cast<int64_t>(first);
  greatest_ = {static_cast<int32_t>(token), *best};
}

std::span<const float> VocabularyReduce::all() {
  if (!is_here_) bring();
  return logits_;
}

float VocabularyReduce::logit(int32_t token) {
  if (is_here_) return logits_[token];
  const std::span<const Candidate> top = row_.summary()->top;
  const auto found = std::ranges::find(top, token, &Candidate::token);
  return found != top.end() ? found->logit : all()[token];
}

double VocabularyReduce::log_sum_exp(float temperature) {
  assert(temperature > 0);
  if (!is_here_ && temperature == 1) return row_.summary()->log_sum_exp;
  if (!is_here_) bring();
  if (std::isinf(greatest_.logit)) return greatest_.logit;
  const double sum =
      HWY_DYNAMIC_DISPATCH(sum_exp)(logits_.data(), logits_.size(), greatest_.logit, 1.0F / temperature);
  return static_cast<double>(greatest_.logit) / temperature + std::log(sum);
}

double VocabularyReduce::entropy(double normaliser) {
  if (!is_here_) return row_.summary()->entropy;
  if (std::isinf(greatest_.logit)) return 0;
  const double to_top = normaliser - greatest_.logit;
  const double sum = HWY_DYNAMIC_DISPATCH(sum_exp_times)(logits_.data(), logits_.size(), greatest_.logit);
  return std::max(0.0, to_top - sum * std::exp(-to_top));
}

double VocabularyReduce::sum() {
  if (!is_here_) return row_.summary()->sum;
  return HWY_DYNAMIC_DISPATCH(sum)(logits_.data(), logits_.size());
}

void VocabularyReduce::collect(float threshold) {
  candidates_.clear();
  for (size_t r = 0; r < run_greatest_.size(); ++r) {
    if (run_greatest_[r] < threshold) continue;
    for (size_t i = r * run; i < std::min(logits_.size(), (r + 1) * run); ++i) {
      if (logits_[i] >= threshold) candidates_.push_back({static_cast<int32_t>(i), logits_[i]});
    }
  }
}

std::span<const Candidate> VocabularyReduce::top(int32_t k) {
  const auto wanted = static_cast<size_t>(std::clamp(k, 0, n_tokens_));
  if (wanted == 0) return {};
  if (!is_here_) {
    const LogitSummary& summary = *row_.summary();
    if (wanted <= summary.top.size() && is_certain(summary.top[wanted - 1], summary))
      return summary.top.first(wanted);
    bring();
  }
  // At least `wanted` logits reach the wanted-th greatest of the runs' greatest.
  float threshold = -std::numeric_limits<float>::infinity();
  if (wanted < run_greatest_.size()) {
    sorted_runs_ = run_greatest_;
    const auto nth = sorted_runs_.begin() + static_cast<int64_t>(wanted) - 1;
    std::ranges::nth_element(sorted_runs_, nth, std::greater<>());
    threshold = *nth;
  }
  collect(threshold);
  std::ranges::partial_sort(candidates_, candidates_.begin() + static_cast<int64_t>(wanted), comes_before);
  return std::span(candidates_).first(wanted);
}

std::span<const Candidate> VocabularyReduce::above(float logit) {
  if (!is_here_) {
    const std::span<const Candidate> top = row_.summary()->top;
    if (logit > top.back().logit) {
      const auto below = std::ranges::find_if(top, [&](const Candidate& c) { return c.logit < logit; });
      return top.first(below - top.begin());
    }
    bring();
  }
  collect(logit);
  std::ranges::sort(candidates_, comes_before);
  return candidates_;
}

std::span<const Candidate> VocabularyReduce::nucleus(float p, float temperature) {
  const double total = log_sum_exp(temperature);
  // Of a summary all but the last one may be certain.
  const auto first = is_here_ ? run : static_cast<int32_t>(row_.summary()->top.size()) - 1;
  for (int32_t k = std::max(1, first);; k *= 8) {
    const std::span<const Candidate> most = top(k);
    double sum = 0;
    for (size_t i = 0; i < most.size(); ++i) {
      sum += std::exp(static_cast<double>(most[i].logit) / temperature - total);
      if (sum >= p) return most.first(i + 1);
    }
    if (std::ssize(most) == n_tokens_) return most;
  }
}

}  // namespace lanerope::kernels
#endif
