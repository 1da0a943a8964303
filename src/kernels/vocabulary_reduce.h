// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/logit_row.h"

namespace lanerope::kernels {

// What sampling asks of one row of logits, without ever sorting the vocabulary: one pass finds the greatest
// logit of every run of 64, and only runs that reach a threshold are looked at again. Logits must not be NaN;
// -inf is a token that must not be sampled. Candidates come greatest first, equal ones by token. Spans are
// valid until the next call. A row on a device is brought only for a question that its summary does not
// answer for certain. Keeps its buffers, so that nothing is allocated from the second row on. For one thread.
class VocabularyReduce {
 public:
  // Looks at a row, which must outlive the questions about it.
  void read(const LogitRow& row);

  int32_t n_tokens() const { return n_tokens_; }
  std::span<const float> all();  // [n_tokens]
  float logit(int32_t token);
  Candidate greatest() const { return greatest_; }
  // log(sum(exp(logit / temperature))); temperature > 0. Another pass.
  double log_sum_exp(float temperature);
  // Of the soft-max, in nats; `normaliser` is log_sum_exp(1). Another pass.
  double entropy(double normaliser);
  // Of all logits. Another pass.
  double sum();
  // The `k` greatest, or all if there are fewer.
  std::span<const Candidate> top(int32_t k);
  // All with at least this logit.
  std::span<const Candidate> above(float logit);
  // The fewest that together have at least probability p at this temperature.
  std::span<const Candidate> nucleus(float p, float temperature);

 private:
  static constexpr int run = 64;
  void look_at(std::span<const float> logits);
  void bring() { look_at(row_.all()); }
  void collect(float threshold);

  LogitRow row_;
  bool is_here_ = true;  // else only the row's summary
  int32_t n_tokens_ = 0;
  std::span<const float> logits_;
  Candidate greatest_;
  std::vector<float> run_greatest_;  // [ceil(n_vocabulary / run)]
  std::vector<float> sorted_runs_;
  std::vector<Candidate> candidates_;
};

}  // namespace lanerope::kernels
