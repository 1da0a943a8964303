// SPDX-License-Identifier: Apache-2.0
// Products of small f32 matrices that lie in cache, included once per instruction set; see Highway's
// foreach_target.h.
#if defined(LANEROPE_SMALL_PRODUCT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_SMALL_PRODUCT_INL
#undef LANEROPE_SMALL_PRODUCT_INL
#else
#define LANEROPE_SMALL_PRODUCT_INL
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <utility>

#include "train/attention/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::train::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// As many sums as the registers hold beside two vectors of b and one broadcast of a.
constexpr int block_rows = HWY_TARGET <= HWY_AVX3 || HWY_TARGET_IS_NEON ? 12 : 6;

// c[i, j] = sum over l of a[i * a_row + l * a_step] * b[l, j], or added to c.
struct SmallProduct {
  const float* a;
  int64_t a_row;
  int64_t a_step;
  const float* b;  // [k rows, b_row floats apart]
  int64_t b_row;
  float* c;  // [m rows, c_row floats apart]
  int64_t c_row;
  int m;
  int n;  // a multiple of 16
  int k;
  bool add;
};

template <int rows, int vectors>
HWY_NOINLINE void product_block(const SmallProduct& p, int i, int j) {
  const float* HWY_RESTRICT a = p.a + i * p.a_row;
  const float* HWY_RESTRICT b = p.b + j;
  const int64_t a_row = p.a_row;
  const int64_t a_step = p.a_step;
  const int64_t b_row = p.b_row;
  F sum[rows][vectors];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[r][v] = hn::Zero(df);
  }
  for (int l = 0; l < p.k; ++l, a += a_step, b += b_row) {
    F x[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) x[v] = hn::LoadU(df, b + v * vector_size);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const F y = hn::Set(df, a[r * a_row]);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sum[r][v] = hn::MulAdd(x[v], y, sum[r][v]);
    }
  }
  float* HWY_RESTRICT c = p.c + i * p.c_row + j;
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      float* at = c + r * p.c_row + v * vector_size;
      hn::StoreU(p.add ? hn::Add(hn::LoadU(df, at), sum[r][v]) : sum[r][v], df, at);
    }
  }
}

using ProductBlock = void (*)(const SmallProduct&, int, int);

template <int vectors, int... rows>
constexpr ProductBlock product_block_of(int n_rows, std::integer_sequence<int, rows...>) {
  constexpr ProductBlock blocks[] = {product_block<rows + 1, vectors>...};
  return blocks[n_rows - 1];
}

template <int vectors>
void product_columns(const SmallProduct& p, int j) {
  int i = 0;
  for (; i + block_rows <= p.m; i += block_rows) product_block<block_rows, vectors>(p, i, j);
  if (i < p.m) product_block_of<vectors>(p.m - i, std::make_integer_sequence<int, block_rows>{})(p, i, j);
}

inline void product(const SmallProduct& p) {
  int j = 0;
  for (; j + 2 * vector_size <= p.n; j += 2 * vector_size) product_columns<2>(p, j);
  for (; j < p.n; j += vector_size) product_columns<1>(p, j);
}

}  // namespace lanerope::train::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
