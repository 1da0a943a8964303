// SPDX-License-Identifier: Apache-2.0
#include "kernels/bridge_attention.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace lanerope::kernels {

namespace {

// Sums of every eighth product, added up in pairs: the same order on every machine.
float dot(const float* a, const float* b, int32_t n) {
  constexpr int32_t width = 8;
  float sums[width] = {};
  int32_t i = 0;
  for (; i + width <= n; i += width) {
    for (int32_t j = 0; j < width; ++j) sums[j] += a[i + j] * b[i + j];
  }
  for (int32_t j = 0; i < n; ++i, ++j) sums[j] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

// One head of one row, whose first component is at `at` in a row. `weights`: room for those of all that it
// hears.
struct Place {
  int64_t row = 0;
  int64_t at = 0;
};
void attend(const BridgeAttentionParameters& of, const BridgeAttentionJob& job, const Place& place,
            std::span<float> weights, float* out) {
  const std::span<const int32_t> heard = of.sets->heard_by(place.row);
  const float* q = job.q.data + place.row * job.q.stride + place.at;
  const float scale = 1.0F / std::sqrt(static_cast<float>(of.head_dim));
  float top = -std::numeric_limits<float>::infinity();
  for (size_t n = 0; n < heard.size(); ++n) {
    weights[n] = scale * dot(q, job.k.data + heard[n] * job.k.stride + place.at, of.head_dim);
    top = std::max(top, weights[n]);
  }
  float sum = 0;
  for (size_t n = 0; n < heard.size(); ++n) {
    weights[n] = std::exp(weights[n] - top);
    sum += weights[n];
  }
  std::fill_n(out, of.head_dim, 0.0F);
  for (size_t n = 0; n < heard.size(); ++n) {
    const float* v = job.v.data + heard[n] * job.v.stride + place.at;
    const float share = weights[n] / sum;
    for (int32_t d = 0; d < of.head_dim; ++d) out[d] += share * v[d];
  }
}

}  // namespace

void BridgeSets::prepare(std::span<const int32_t> numbers) {
  numbers_.assign(numbers.begin(), numbers.end());
  const int32_t n_numbers = numbers.empty() ? 0 : *std::ranges::max_element(numbers) + 1;
  first_.assign(static_cast<size_t>(n_numbers) + 1, 0);
  for (const int32_t number : numbers) {
    if (number >= 0) ++first_[number + 1];
  }
  largest_ = 0;
  for (int32_t n = 0; n < n_numbers; ++n) {
    largest_ = std::max(largest_, static_cast<size_t>(first_[n + 1]));
    first_[n + 1] += first_[n];
  }
  rows_.resize(first_.back());
  std::vector<int32_t> next = first_;
  for (size_t row = 0; row < numbers.size(); ++row) {
    if (numbers[row] >= 0) rows_[next[numbers[row]]++] = static_cast<int32_t>(row);
  }
}

std::span<const int32_t> BridgeSets::heard_by(int64_t row) const {
  const int32_t number = numbers_[row];
  if (number < 0) return {};
  return std::span(rows_).subspan(first_[number], first_[number + 1] - first_[number]);
}

void bridge_attention(const BridgeAttentionParameters& parameters, const BridgeAttentionJob& job) {
  const int64_t width = int64_t{parameters.n_head} * parameters.head_dim;
  parameters.pool->run(parameters.sets->n_rows(), [&](const Tickets& tickets) {
    std::vector<float> weights(parameters.sets->largest());
    for (int64_t row; (row = tickets.take()) >= 0;) {
      float* out = job.out + row * width;
      if (parameters.sets->heard_by(row).empty()) {
        std::fill_n(out, width, 0.0F);
        continue;
      }
      for (int64_t at = 0; at < width; at += parameters.head_dim)
        attend(parameters, job, {.row = row, .at = at}, weights, out + at);
    }
  });
}

ggml_tensor* bridge_attention(ggml_context* context, const BridgeAttentionParameters* parameters,
                              const BridgeInputs& inputs) {
  const auto run = [](ggml_tensor* out, int, int, void* data) {
    const auto& of = *static_cast<const BridgeAttentionParameters*>(data);
    assert(of.sets->n_rows() == out->ne[1]);
    bridge_attention(of, {.q = rows_of(out->src[0]),
                          .k = rows_of(out->src[1]),
                          .v = rows_of(out->src[2]),
                          .out = static_cast<float*>(out->data)});
  };
  assert(inputs.q->type == GGML_TYPE_F32 && inputs.q->nb[0] == sizeof(float));
  ggml_tensor* arguments[] = {inputs.q, inputs.k, inputs.v};
  ggml_tensor* out = ggml_custom_4d(context, GGML_TYPE_F32, inputs.q->ne[0], inputs.q->ne[1], 1, 1, arguments,
                                    3, run, 1, const_cast<BridgeAttentionParameters*>(parameters));
  ggml_set_name(out, "bridge");
  return out;
}

}  // namespace lanerope::kernels
