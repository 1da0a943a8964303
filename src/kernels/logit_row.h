// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace lanerope::kernels {

// A token that may be sampled.
struct Candidate {
  int32_t token = 0;
  float logit = 0;

  bool operator==(const Candidate&) const = default;
};

// The order of candidates: greatest first, equal ones by token.
inline bool comes_before(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

// What a device has said of a row of logits that lies there.
struct LogitSummary {
  int32_t n_tokens = 0;
  std::span<const Candidate> top = {};  // the greatest, in their order
  double log_sum_exp = 0;               // log(sum(exp(logit)))
  double entropy = 0;                   // of the soft-max, in nats
  double sum = 0;                       // of all logits
};

// The logits of one row: in this memory, or on a device that has summed them up. A view; what it looks at
// must outlive it.
class LogitRow {
 public:
  using Bring = std::function<std::span<const float>()>;

  LogitRow() = default;
  LogitRow(std::span<const float> logits) : logits_(logits) {}
  LogitRow(const std::vector<float>& logits) : logits_(logits) {}
  // `bring` copies the row from the device, [summary.n_tokens].
  LogitRow(const LogitSummary& summary, Bring bring) : summary_(summary), bring_(std::move(bring)) {}

  // Null where the logits are in this memory.
  const LogitSummary* summary() const { return bring_ ? &summary_ : nullptr; }
  std::span<const float> all() const { return bring_ ? bring_() : logits_; }  // [n_tokens]

 private:
  std::span<const float> logits_ = {};  // [n_tokens]
  LogitSummary summary_ = {};
  Bring bring_ = {};
};

}  // namespace lanerope::kernels
