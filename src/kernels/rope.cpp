// SPDX-License-Identifier: Apache-2.0
#include "kernels/rope.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "kernels/rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rope.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/highway.h>

#include "kernels/mean_square-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<float, 16> df;
using F = hn::Vec<decltype(df)>;
constexpr int64_t vector_size = hn::MaxLanes(df);

// N(x) of one head; the norm's factor is 1 / root mean square.
void normed(const float* x, const float* weight, float factor, int64_t n, float* out) {
  const F by = hn::Set(df, factor);
  int64_t i = 0;
  for (; i + vector_size <= n; i += vector_size)
    hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(df, x + i), by), hn::LoadU(df, weight + i)), df, out + i);
  for (; i < n; ++i) out[i] = x[i] * factor * weight[i];
}

// Pairs (t, t + n_pairs); x may be out. Products and sums are fused as in ggml as it is compiled for this
// machine.
void rotate_halves(const float* x, const float* table, int64_t n_pairs, float* out) {
  const auto rotate = [&](int64_t t, size_t n) {
    const F c = hn::LoadN(df, table + t, n);
    const F s = hn::LoadN(df, table + n_pairs + t, n);
    const F a = hn::LoadN(df, x + t, n);
    const F b = hn::LoadN(df, x + n_pairs + t, n);
    hn::StoreN(hn::MulSub(a, c, hn::Mul(b, s)), df, out + t, n);
    hn::StoreN(hn::MulAdd(a, s, hn::Mul(b, c)), df, out + n_pairs + t, n);
  };
  int64_t t = 0;
  for (; t + vector_size <= n_pairs; t += vector_size) rotate(t, vector_size);
  if (t < n_pairs) rotate(t, n_pairs - t);
}

// Pairs (2t, 2t + 1); x may be out.
void rotate_adjacent(const float* x, const float* table, int64_t n_pairs, float* out) {
  int64_t t = 0;
  for (; t + vector_size <= n_pairs; t += vector_size) {
    const F c = hn::LoadU(df, table + t);
    const F s = hn::LoadU(df, table + n_pairs + t);
    F a;
    F b;
    hn::LoadInterleaved2(df, x + 2 * t, a, b);
    hn::StoreInterleaved2(hn::MulSub(a, c, hn::Mul(b, s)), hn::MulAdd(a, s, hn::Mul(b, c)), df, out + 2 * t);
  }
  for (; t < n_pairs; ++t) {
    const float c = table[t];
    const float s = table[n_pairs + t];
    const float a = x[2 * t];
    const float b = x[2 * t + 1];
    out[2 * t] = std::fma(a, c, -(b * s));
    out[2 * t + 1] = std::fma(a, s, b * c);
  }
}

void rope_rows(const RopeOperation& operation, const RopeJob& job, RowRange of) {
  const RopeTable* table = operation.table;
  const int64_t n_pairs = table != nullptr ? table->n_pairs() : 0;
  for (int64_t row = of.begin; row < of.end; ++row) {
    const float* x = job.x + row * job.row_stride;
    float* out = job.out + row * job.n_head * job.head_dim;
    for (int64_t head = 0; head < job.n_head; ++head, x += job.head_dim, out += job.head_dim) {
      const float* from = x;
      if (operation.norm_weight != nullptr) {
        const float factor = 1.0F / std::sqrt(mean_square(x, job.head_dim) + operation.norm_epsilon);
        normed(x, operation.norm_weight, factor, job.head_dim, out);
        from = out;
      } else if (2 * n_pairs < job.head_dim) {
        std::memcpy(out + 2 * n_pairs, x + 2 * n_pairs, (job.head_dim - 2 * n_pairs) * sizeof(float));
      }
      if (table == nullptr) continue;
      if (table->pairs() == core::RopePairs::halves) {
        rotate_halves(from, table->of_row(row), n_pairs, out);
      } else {
        rotate_adjacent(from, table->of_row(row), n_pairs, out);
      }
    }
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(rope_rows);

void RopeTable::prepare(std::span<const int32_t> positions) {
  n_rows_ = static_cast<int64_t>(positions.size());
  const size_t n = n_pairs();
  values_.resize(2 * n * positions.size());
  const float step = std::pow(angles_.base, -1.0F / static_cast<float>(n_pairs()));
  for (size_t row = 0; row < positions.size(); ++row) {
    float* cosines = values_.data() + 2 * n * row;
    // Lanes of a group are mostly at one index.
    if (row > 0 && positions[row] == positions[row - 1]) {
      std::copy_n(cosines - 2 * n, 2 * n, cosines);
      continue;
    }
    auto angle = static_cast<float>(positions[row]);
    for (size_t t = 0; t < n; ++t) {
      const float of_pair = angles_.divisors.empty() ? angle : angle / angles_.divisors[t];
      cosines[t] = std::cos(of_pair) * angles_.magnitude;
      cosines[n + t] = std::sin(of_pair) * angles_.magnitude;
      angle *= step;
    }
  }
}

void rope(const RopeOperation& operation, const RopeJob& job) {
  assert(operation.table == nullptr || 2 * operation.table->n_pairs() <= job.head_dim);
  assert(operation.table == nullptr || operation.table->n_rows() >= job.n_rows);
  const auto rows = HWY_DYNAMIC_POINTER(rope_rows);
  for_rows(operation.pool, job.n_rows, job.head_dim * job.n_head,
           [&](RowRange of) { rows(operation, job, of); });
}

ggml_tensor* rope(ggml_context* context, const RopeOperation* operation, ggml_tensor* x) {
  assert(x->type == GGML_TYPE_F32 && x->nb[0] == sizeof(float) && x->nb[1] == x->ne[0] * sizeof(float));
  const auto run = [](ggml_tensor* out, int, int, void* data) {
    const ggml_tensor* from = out->src[0];
    rope(*static_cast<const RopeOperation*>(data),
         {.x = static_cast<const float*>(from->data),
          .row_stride = static_cast<int64_t>(from->nb[2] / sizeof(float)),
          .head_dim = from->ne[0],
          .n_head = from->ne[1],
          .n_rows = from->ne[2],
          .out = static_cast<float*>(out->data)});
  };
  ggml_tensor* out = ggml_custom_4d(context, GGML_TYPE_F32, x->ne[0], x->ne[1], x->ne[2], 1, &x, 1, run, 1,
                                    const_cast<RopeOperation*>(operation));
  ggml_set_name(out, "rope");
  return out;
}

}  // namespace lanerope::kernels
#endif
