// SPDX-License-Identifier: Apache-2.0
#include "model/device_logits.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <ggml-backend.h>

namespace lanerope::model {

namespace {

constexpr int32_t n_top = 64;  // the default top-k and twenty log-probabilities are among them
// A step of lanes has fewer; scoring a prompt wants its rows themselves, and has no memory for more copies.
constexpr int64_t most_outputs = 256;

}  // namespace

LogitNodes summed_up(ggml_context* context, ggml_tensor* logits, int32_t n_tokens,
                     ggml_backend_dev_t device) {
  const int64_t n_outputs = logits->ne[1];
  const LogitNodes plain{.logits = logits};
  if (n_tokens <= n_top || n_outputs == 0 || n_outputs > most_outputs) return plain;
  ggml_tensor* rows = logits;  // [n_tokens, n_outputs]
  if (n_tokens < logits->ne[0]) {
    rows = ggml_cont(context, ggml_view_2d(context, logits, n_tokens, n_outputs, logits->nb[1], 0));
  }
  ggml_tensor* top = ggml_top_k(context, rows, n_top);        // [n_top, n_outputs]
  ggml_tensor* probabilities = ggml_soft_max(context, rows);  // [n_tokens, n_outputs]
  const auto at_top = [&](ggml_tensor* x) {                   // [n_top, n_outputs]
    ggml_tensor* by_row = ggml_reshape_3d(context, x, 1, n_tokens, n_outputs);
    return ggml_reshape_2d(context, ggml_get_rows(context, by_row, top), n_top, n_outputs);
  };
  const std::array parts = {at_top(rows), at_top(probabilities),
                            ggml_sum_rows(context, ggml_mul(context, probabilities, rows)),
                            ggml_sum_rows(context, rows)};
  ggml_tensor* facts = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) facts = ggml_concat(context, facts, parts[i], 0);

  std::vector<ggml_tensor*> to_ask = {facts};
  for (size_t i = 0; i < to_ask.size(); ++i) {
    if (to_ask[i] == logits) continue;
    if (!ggml_backend_dev_supports_op(device, to_ask[i])) return plain;
    for (ggml_tensor* source : to_ask[i]->src) {
      if (source != nullptr && std::ranges::find(to_ask, source) == to_ask.end()) to_ask.push_back(source);
    }
  }
  return {.logits = logits, .top = top, .facts = facts};
}

void DeviceLogits::read(const LogitNodes& nodes, int32_t n_outputs, int32_t n_tokens) {
  nodes_ = nodes;
  n_tokens_ = n_tokens;
  is_here_.assign(n_outputs, false);
  summaries_.clear();
  if (nodes_.top != nullptr) {
    summaries_.resize(n_outputs);
    read_summaries();
  } else if (!ggml_backend_buffer_is_host(nodes_.logits->buffer)) {
    bring(0, n_outputs);
  }
}

void DeviceLogits::read_summaries() {
  const size_t n_outputs = summaries_.size();
  constexpr size_t n_facts = 2 * n_top + 2;
  tokens_.resize(n_outputs * n_top);
  facts_.resize(n_outputs * n_facts);
  top_.resize(n_outputs * n_top);
  ggml_backend_tensor_get(nodes_.top, tokens_.data(), 0, tokens_.size() * sizeof(int32_t));
  ggml_backend_tensor_get(nodes_.facts, facts_.data(), 0, facts_.size() * sizeof(float));
  n_bytes_ += static_cast<int64_t>(tokens_.size() * sizeof(int32_t) + facts_.size() * sizeof(float));
  for (size_t output = 0; output < n_outputs; ++output) {
    const std::span facts = std::span(facts_).subspan(output * n_facts, n_facts);
    const std::span top = std::span(top_).subspan(output * n_top, n_top);
    const auto greatest = std::ranges::max_element(facts.first(n_top)) - facts.begin();
    // log p = logit - log_sum_exp, best where p is greatest.
    const double log_sum_exp = facts[greatest] - std::log(static_cast<double>(facts[n_top + greatest]));
    for (size_t i = 0; i < n_top; ++i) top[i] = {.token = tokens_[output * n_top + i], .logit = facts[i]};
    std::ranges::sort(top, kernels::comes_before);
    summaries_[output] = {.n_tokens = n_tokens_,
                          .top = top,
                          .log_sum_exp = log_sum_exp,
                          .entropy = std::max(0.0, log_sum_exp - facts[2 * n_top]),
                          .sum = facts[2 * n_top + 1]};
  }
}

void DeviceLogits::bring(int32_t first, int32_t count) {
  const size_t row = nodes_.logits->ne[0];
  copy_.resize(is_here_.size() * row);
  ggml_backend_tensor_get(nodes_.logits, copy_.data() + first * row, first * row * sizeof(float),
                          count * row * sizeof(float));
  n_bytes_ += static_cast<int64_t>(count * row * sizeof(float));
  std::fill_n(is_here_.begin() + first, count, true);
}

std::span<const float> DeviceLogits::brought(int32_t output) {
  if (!is_here_[output]) bring(output, 1);
  return std::span(copy_).subspan(output * nodes_.logits->ne[0], n_tokens_);
}

kernels::LogitRow DeviceLogits::row(int32_t output) {
  const ggml_tensor* logits = nodes_.logits;
  if (!summaries_.empty()) return {summaries_[output], [this, output] { return brought(output); }};
  if (!ggml_backend_buffer_is_host(logits->buffer)) return brought(output);
  const auto* all = static_cast<const float*>(logits->data);
  return std::span(all + output * logits->ne[0], n_tokens_);
}

}  // namespace lanerope::model
