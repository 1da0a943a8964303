// SPDX-License-Identifier: Apache-2.0
#include "train/attention/row_kernel.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/attention/row_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/highway.h>

#include "train/attention/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::train::HWY_NAMESPACE {

// How many of the vector at i lie within width; LoadN and StoreN take the rest of the row.
HWY_INLINE size_t count(int64_t width, int64_t i) {
  return static_cast<size_t>(std::min<int64_t>(vector_size, width - i));
}

void rms_norm_rows(const RmsNormRows& r, RowRange rows) {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const float* x = r.x + row * r.width;
    float* out = r.out + row * r.width;
    F squares = hn::Zero(df);
    for (int64_t i = 0; i < r.width; i += vector_size) {
      const F value = hn::LoadN(df, x + i, count(r.width, i));
      squares = hn::MulAdd(value, value, squares);
    }
    const float mean = hn::ReduceSum(df, squares) / static_cast<float>(r.width);
    const float inverse = 1.0F / std::sqrt(mean + r.epsilon);
    r.inverse[row] = inverse;
    for (int64_t i = 0; i < r.width; i += vector_size) {
      const size_t n = count(r.width, i);
      const F value = hn::Mul(hn::LoadN(df, x + i, n), hn::Set(df, inverse));
      hn::StoreN(hn::Mul(value, hn::LoadN(df, r.weight + i, n)), df, out + i, n);
    }
  }
}

void rms_norm_rows_back(const RmsNormRows& r, RowRange rows) {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const float* x = r.x + row * r.width;
    const float* d_out = r.d_out + row * r.width;
    float* d_x = r.d_x + row * r.width;
    const F inverse = hn::Set(df, r.inverse[row]);
    F products = hn::Zero(df);
    for (int64_t i = 0; i < r.width; i += vector_size) {
      const size_t n = count(r.width, i);
      const F unit = hn::Mul(hn::LoadN(df, x + i, n), inverse);
      const F change = hn::Mul(hn::LoadN(df, d_out + i, n), unit);
      products = hn::MulAdd(change, hn::LoadN(df, r.weight + i, n), products);
      hn::StoreN(hn::Add(hn::LoadN(df, r.d_weight + i, n), change), df, r.d_weight + i, n);
    }
    const F mean = hn::Set(df, hn::ReduceSum(df, products) / static_cast<float>(r.width));
    for (int64_t i = 0; i < r.width; i += vector_size) {
      const size_t n = count(r.width, i);
      const F unit = hn::Mul(hn::LoadN(df, x + i, n), inverse);
      const F change = hn::Mul(hn::LoadN(df, d_out + i, n), hn::LoadN(df, r.weight + i, n));
      hn::StoreN(hn::Mul(inverse, hn::NegMulAdd(unit, mean, change)), df, d_x + i, n);
    }
  }
}

// 1 / (1 + e^-x)
HWY_INLINE F sigmoid(F x) {
  const F one = hn::Set(df, 1.0F);
  const F e = power_of_two(hn::Mul(hn::Neg(hn::Abs(x)), hn::Set(df, log2_e)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(df)), e, one), hn::Add(one, e));
}

void swiglu_rows(const SwigluRows& r, RowRange rows) {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const float* gate = r.gate_up + row * 2 * r.width;
    const float* up = gate + r.width;
    float* out = r.out + row * r.width;
    for (int64_t i = 0; i < r.width; i += vector_size) {
      const size_t n = count(r.width, i);
      const F g = hn::LoadN(df, gate + i, n);
      hn::StoreN(hn::Mul(hn::Mul(g, sigmoid(g)), hn::LoadN(df, up + i, n)), df, out + i, n);
    }
  }
}

void swiglu_rows_back(const SwigluRows& r, RowRange rows) {
  const F one = hn::Set(df, 1.0F);
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const float* gate = r.gate_up + row * 2 * r.width;
    const float* up = gate + r.width;
    const float* d_out = r.d_out + row * r.width;
    float* d_gate = r.d_gate_up + row * 2 * r.width;
    float* d_up = d_gate + r.width;
    for (int64_t i = 0; i < r.width; i += vector_size) {
      const size_t n = count(r.width, i);
      const F g = hn::LoadN(df, gate + i, n);
      const F d = hn::LoadN(df, d_out + i, n);
      const F s = sigmoid(g);
      const F slope = hn::Mul(s, hn::MulAdd(g, hn::Sub(one, s), one));
      hn::StoreN(hn::Mul(hn::Mul(d, hn::LoadN(df, up + i, n)), slope), df, d_gate + i, n);
      hn::StoreN(hn::Mul(d, hn::Mul(g, s)), df, d_up + i, n);
    }
  }
}

void rotate_rows(const RotateRows& r, RowRange rows) {
  const int64_t half = r.head_dim / 2;
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (int64_t head = 0; head < r.n_head; ++head) {
      const float* x = r.x + row * r.x_stride + head * r.head_dim;
      float* out = r.out + (row * r.n_head + head) * r.head_dim;
      for (int64_t i = 0; i < half; i += vector_size) {
        const size_t n = count(half, i);
        const F c = hn::LoadN(df, r.cos + row * half + i, n);
        const F s = hn::LoadN(df, r.sin + row * half + i, n);
        const F a = hn::LoadN(df, x + i, n);
        const F b = hn::LoadN(df, x + half + i, n);
        hn::StoreN(hn::NegMulAdd(b, s, hn::Mul(a, c)), df, out + i, n);
        hn::StoreN(hn::MulAdd(a, s, hn::Mul(b, c)), df, out + half + i, n);
      }
    }
  }
}

void rotate_rows_back(const RotateRows& r, RowRange rows) {
  const int64_t half = r.head_dim / 2;
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (int64_t i = 0; i < half; i += vector_size) {
      const size_t n = count(half, i);
      const F c = hn::LoadN(df, r.cos + row * half + i, n);
      const F s = hn::LoadN(df, r.sin + row * half + i, n);
      F d_angle = hn::Zero(df);
      for (int64_t head = 0; head < r.n_head; ++head) {
        const int64_t at = (row * r.n_head + head) * r.head_dim;
        const F a = hn::LoadN(df, r.d_out + at + i, n);
        const F b = hn::LoadN(df, r.d_out + at + half + i, n);
        const F d_a = hn::MulAdd(b, s, hn::Mul(a, c));
        const F d_b = hn::NegMulAdd(a, s, hn::Mul(b, c));
        hn::StoreN(d_a, df, r.d_x + at + i, n);
        hn::StoreN(d_b, df, r.d_x + at + half + i, n);
        if (r.d_angle == nullptr) continue;
        // The cross product of a pair and its gradient, which no rotation changes.
        const float* x = r.x + row * r.x_stride + head * r.head_dim;
        d_angle = hn::MulAdd(d_b, hn::LoadN(df, x + i, n), d_angle);
        d_angle = hn::NegMulAdd(d_a, hn::LoadN(df, x + half + i, n), d_angle);
      }
      if (r.d_angle != nullptr) hn::StoreN(d_angle, df, r.d_angle + row * half + i, n);
    }
  }
}

}  // namespace lanerope::train::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::train {

HWY_EXPORT(rms_norm_rows);
HWY_EXPORT(rms_norm_rows_back);
HWY_EXPORT(swiglu_rows);
HWY_EXPORT(swiglu_rows_back);
HWY_EXPORT(rotate_rows);
HWY_EXPORT(rotate_rows_back);

void rms_norm_forward(const RmsNormRows& r, RowRange rows) {
  HWY_DYNAMIC_DISPATCH(rms_norm_rows)(r, rows);
}
void rms_norm_backward(const RmsNormRows& r, RowRange rows) {
  HWY_DYNAMIC_DISPATCH(rms_norm_rows_back)(r, rows);
}
void swiglu_forward(const SwigluRows& r, RowRange rows) {
  HWY_DYNAMIC_DISPATCH(swiglu_rows)(r, rows);
}
void swiglu_backward(const SwigluRows& r, RowRange rows) {
  HWY_DYNAMIC_DISPATCH(swiglu_rows_back)(r, rows);
}
void rotate_forward(const RotateRows& r, RowRange rows) {
  HWY_DYNAMIC_DISPATCH(rotate_rows)(r, rows);
}
void rotate_backward(const RotateRows& r, RowRange rows) {
  HWY_DYNAMIC_DISPATCH(rotate_rows_back)(r, rows);
}

}  // namespace lanerope::train
#endif
