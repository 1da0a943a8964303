// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ggml.h>

#include "kernels/logit_row.h"
#include "model/device.h"

namespace lanerope::model {

// The logits of a graph and, where the device that has them can do it, the first half of sampling, which it
// does there: what top-k, top-p, min-p and log-probabilities look at.
struct LogitNodes {
  ggml_tensor* logits = nullptr;  // [n_vocab, n_outputs]
  ggml_tensor* top = nullptr;     // [n_top, n_outputs] i32 tokens in any order, or null
  // [2 n_top + 2, n_outputs]: logits of `top`, their probabilities, sum(p * logit), sum(logit).
  ggml_tensor* facts = nullptr;
};

// With the first n_tokens logits of each row summed up, if `device` has every operation for it.
LogitNodes summed_up(ggml_context* context, ggml_tensor* logits, int32_t n_tokens, ggml_backend_dev_t device);

// Brings to the host what is asked of a step's logits. One thread.
class DeviceLogits {
 public:
  // After a graph has run: n_outputs of its rows are wanted, n_tokens of each. Brings their summaries,
  // or all of them where the device made none.
  void read(const LogitNodes& nodes, int32_t n_outputs, int32_t n_tokens);
  // Valid until the next read.
  kernels::LogitRow row(int32_t output);
  // That were brought from devices, so far.
  int64_t n_bytes() const { return n_bytes_; }

 private:
  void read_summaries();
  void bring(int32_t first, int32_t count);
  std::span<const float> brought(int32_t output);

  LogitNodes nodes_ = {};
  int32_t n_tokens_ = 0;
  std::vector<kernels::Candidate> top_ = {};           // [n_top, n_outputs]
  std::vector<kernels::LogitSummary> summaries_ = {};  // [n_outputs]
  std::vector<int32_t> tokens_ = {};                   // as LogitNodes::top
  std::vector<float> facts_ = {};                      // as LogitNodes::facts
  std::vector<float> copy_ = {};                       // [n_vocab, n_outputs]
  std::vector<bool> is_here_ = {};                     // [n_outputs], in copy_
  int64_t n_bytes_ = 0;
};

}  // namespace lanerope::model
