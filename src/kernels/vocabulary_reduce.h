// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lanerope::kernels {

// A token that may be sampled.
struct Candidate {
  int32_t token = 0;
  float logit = 0;

  bool operator==(const Candidate&) const = default;
};

// What sampling asks of one row of logits, without ever sorting the vocabulary: one pass finds the greatest
// logit of every run of 64, and only runs that reach a threshold are looked at again. Logits must not be NaN;
// -inf is a token that must not be sampled. Candidates come greatest first, equal ones by token. Spans are
// valid until the next call. Keeps its buffers, so that nothing is allocated from the second row on. For one
// thread.
class VocabularyReduce {
 public:
  // Looks at a row, which must outlive the questions about it.
  void read(std::span<const float> logits);

  Candidate greatest() const { return greatest_; }
  // log(sum(exp(logit / temperature))); temperature > 0. Another pass.
  double log_sum_exp(float temperature) const;
  // Of the soft-max, in nats; `normaliser` is log_sum_exp(1). Another pass.
  double entropy(double normaliser) const;
  // Of all logits. Another pass.
  double sum() const;
  // The `k` greatest, or all if there are fewer.
  std::span<const Candidate> top(int32_t k);
  // All with at least this logit.
  std::span<const Candidate> above(float logit);
  // The fewest that together have at least probability p at this temperature.
  std::span<const Candidate> nucleus(float p, float temperature);

 private:
  static constexpr int run = 64;
  void collect(float threshold);

  std::span<const float> logits_;
  Candidate greatest_;
  std::vector<float> run_greatest_;  // [ceil(n_vocabulary / run)]
  std::vector<float> sorted_runs_;
  std::vector<Candidate> candidates_;
};

}  // namespace lanerope::kernels
