// SPDX-License-Identifier: Apache-2.0
// The arithmetic of one tile of queries, included once per instruction set; see Highway's
// foreach_target.h. Queries lie side by side in vectors and keys are broadcast, so that nothing is ever
// summed across a vector and one query's numbers never meet another's.
#if defined(LANEROPE_ATTENTION_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_ATTENTION_TILE_INL
#undef LANEROPE_ATTENTION_TILE_INL
#else
#define LANEROPE_ATTENTION_TILE_INL
#endif

#include <cstring>
#include <limits>
#include <vector>

#include <hwy/aligned_allocator.h>
#include <hwy/cache_control.h>
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "kernels/lane_attention.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<float, 16> df;
using F = hn::Vec<decltype(df)>;
using QueryRange = AttentionSchedule::QueryRange;
constexpr int vector_size = static_cast<int>(hn::MaxLanes(df));
constexpr double log2_of_e = 1.4426950408889634;

// Online soft-max of a tile: [width] greatest score and sum of weights, [width, head_dim] weighted sum of
// values.
struct State {
  float* top;
  float* sum;
  float* value;
};

struct Scratch {
  hwy::AlignedFreeUniquePtr<float[]> memory;
  int head_dim = 0;
  float* queries = nullptr;  // [width, head_dim]
  float* rotated = nullptr;  // [width, head_dim]
  float* cells = nullptr;    // [head_dim, block_cells]
  float* scores = nullptr;   // [width, block_cells]
  float* change = nullptr;   // [width]
  State part{};
  State total{};
};

inline const Scratch& thread_scratch(const AttentionShape& shape) {
  thread_local Scratch scratch;
  if (scratch.head_dim == shape.head_dim) return scratch;
  constexpr int width = AttentionSchedule::max_tile_width;
  constexpr int cells = AttentionSchedule::block_cells;
  const int dim = shape.head_dim;
  scratch.head_dim = dim;
  scratch.memory = hwy::AllocateAligned<float>(4 * dim * width + cells * (dim + width) + 5 * width);
  float* next = scratch.memory.get();
  const auto take = [&](int n) { return next += n, next - n; };
  scratch.queries = take(dim * width);
  scratch.rotated = take(dim * width);
  scratch.cells = take(dim * cells);
  scratch.scores = take(cells * width);
  scratch.change = take(width);
  scratch.part = {take(width), take(width), take(dim * width)};
  scratch.total = {take(width), take(width), take(dim * width)};
  return scratch;
}

// 2^x for x <= 0, within two units in the last place; exactly 1 for 0, and 0 below the normal numbers.
HWY_INLINE F power_of_two(F x) {
  const hn::RebindToSigned<decltype(df)> di;
  const auto normal = hn::Gt(x, hn::Set(df, -126.0F));
  const F safe = hn::Max(x, hn::Set(df, -126.0F));
  const auto whole = hn::NearestInt(safe);
  const F f = hn::Sub(safe, hn::ConvertTo(df, whole));
  F p = hn::Set(df, 1.5403530393381609e-4F);
  p = hn::MulAdd(p, f, hn::Set(df, 1.3333558146428443e-3F));
  p = hn::MulAdd(p, f, hn::Set(df, 9.6181291076284772e-3F));
  p = hn::MulAdd(p, f, hn::Set(df, 5.5504108664821580e-2F));
  p = hn::MulAdd(p, f, hn::Set(df, 2.4022650695910071e-1F));
  p = hn::MulAdd(p, f, hn::Set(df, 6.9314718055994531e-1F));
  p = hn::MulAdd(p, f, hn::Set(df, 1.0F));
  const F scale = hn::BitCast(df, hn::ShiftLeft<23>(hn::Add(whole, hn::Set(di, 127))));
  return hn::IfThenElseZero(normal, hn::Mul(p, scale));
}

// The rotation of a tile's queries by each query's phi; table is [width, 2, n_rot / 2].
inline void rotate(const AttentionShape& shape, const float* from, const float* table, int width, float* to) {
  const int pairs = shape.n_rot / 2;
  for (int t = 0; t < pairs; ++t) {
    const int a = shape.pairs == core::RopePairs::adjacent ? 2 * t : t;
    const int b = shape.pairs == core::RopePairs::adjacent ? 2 * t + 1 : t + pairs;
    const float* cosine = table + 2 * t * width;
    for (int i = 0; i < width; i += vector_size) {
      const F c = hn::LoadU(df, cosine + i);
      const F s = hn::LoadU(df, cosine + width + i);
      const F x = hn::Load(df, from + a * width + i);
      const F y = hn::Load(df, from + b * width + i);
      hn::Store(hn::NegMulAdd(y, s, hn::Mul(x, c)), df, to + a * width + i);
      hn::Store(hn::MulAdd(x, s, hn::Mul(y, c)), df, to + b * width + i);
    }
  }
  std::memcpy(to + shape.n_rot * width, from + shape.n_rot * width,
              static_cast<size_t>(shape.head_dim - shape.n_rot) * width * sizeof(float));
}

struct CellBlock {
  int64_t first;  // in the pool
  int n_cells;
  int head;
  int head_dim;
};

// Cells of one KV head to f32, [head_dim, n_cells].
inline void convert_cells(const CellView& view, const CellBlock& block, float* out) {
  const int dim = block.head_dim;
  for (int j = 0; j < block.n_cells; ++j, out += dim) {
    const std::byte* cell = view.data + (block.first + j) * view.cell_bytes;
    if (view.type == GGML_TYPE_F16) {
      const hn::Rebind<hwy::float16_t, decltype(df)> dh;
      const hn::CappedTag<hwy::float16_t, 4> dh4;
      const hn::Rebind<float, decltype(dh4)> d4;
      const auto* from = reinterpret_cast<const hwy::float16_t*>(cell) + block.head * dim;
      int i = 0;
      for (; i + vector_size <= dim; i += vector_size)
        hn::StoreU(hn::PromoteTo(df, hn::LoadU(dh, from + i)), df, out + i);
      for (; i < dim; i += 4) hn::StoreU(hn::PromoteTo(d4, hn::LoadU(dh4, from + i)), d4, out + i);
    } else {
      constexpr int block_bytes = 34;  // of 32 values: an f16 scale, then the bytes
      const std::byte* from = cell + block.head * dim / 32 * block_bytes;
      const hn::Rebind<int8_t, decltype(df)> d8;
      const hn::RebindToSigned<decltype(df)> di;
      for (int i = 0; i < dim; i += 32, from += block_bytes) {
        hwy::float16_t scale;
        std::memcpy(&scale, from, sizeof(scale));
        const F d = hn::Set(df, hwy::F32FromF16(scale));
        const auto* q = reinterpret_cast<const int8_t*>(from + 2);
        for (int k = 0; k < 32; k += vector_size) {
          hn::Store(hn::Mul(d, hn::ConvertTo(df, hn::PromoteTo(di, hn::LoadU(d8, q + k)))), df, out + i + k);
        }
      }
    }
  }
}

// One head's parts of the cells that are read next. They are fetched little by little while the arithmetic on
// those before them runs: a part is too short for the hardware's prefetchers to see it coming, and all at
// once would be more than the caches take requests for.
struct CellsAhead {
  const std::byte* parts[AttentionSchedule::block_cells];
  int n_cells = 0;
  size_t part_bytes = 0;

  // The share of them that belongs to [from, to) of `total` steps of the arithmetic.
  HWY_INLINE void fetch(int from, int to, int total) const {
    for (int j = n_cells * from / total; j < n_cells * to / total; ++j) {
      for (size_t line = 0; line < part_bytes; line += 64) hwy::Prefetch(parts[j] + line);
    }
  }
};

// A pass of the arithmetic over a block of cells.
struct Pass {
  int n_cells;
  int width;
  int head_dim;
  const CellsAhead& ahead;
};

// Scores of `cells` keys and `vectors` vectors of queries from `i` on.
template <int vectors, int cells>
HWY_INLINE void score_cells(const float* HWY_RESTRICT queries, const float* HWY_RESTRICT keys,
                            const Pass& pass, float* HWY_RESTRICT scores) {
  F sum[cells][vectors];
  for (int j = 0; j < cells; ++j) {
    for (int v = 0; v < vectors; ++v) sum[j][v] = hn::Zero(df);
  }
  for (int d = 0; d < pass.head_dim; ++d) {
    F q[vectors];
    for (int v = 0; v < vectors; ++v) q[v] = hn::Load(df, queries + d * pass.width + v * vector_size);
    for (int j = 0; j < cells; ++j) {
      const F k = hn::Set(df, keys[j * pass.head_dim + d]);
      for (int v = 0; v < vectors; ++v) sum[j][v] = hn::MulAdd(k, q[v], sum[j][v]);
    }
  }
  for (int j = 0; j < cells; ++j) {
    for (int v = 0; v < vectors; ++v) hn::Store(sum[j][v], df, scores + j * pass.width + v * vector_size);
  }
}

// Of the cells from `j` on, `cells` at once, and of the rest half as many.
template <int vectors, int cells>
void score_from(int j, const float* queries, const float* keys, const Pass& pass, float* scores) {
  for (; j + cells <= pass.n_cells; j += cells) {
    pass.ahead.fetch(j, j + cells, pass.n_cells);
    score_cells<vectors, cells>(queries, keys + j * pass.head_dim, pass, scores + j * pass.width);
  }
  if constexpr (cells > 1) score_from<vectors, cells / 2>(j, queries, keys, pass, scores);
}

// As many cells at once as there are registers for.
template <int vectors>
void score_vectors(const float* queries, const float* keys, const Pass& pass, float* scores) {
  score_from<vectors, HWY_TARGET == HWY_AVX3_DL || HWY_TARGET_IS_NEON ? 8 : 4>(0, queries, keys, pass,
                                                                               scores);
}

// value = value * change + weights x values, for `dims` components; without change there was no value before.
template <int vectors, int dims>
HWY_INLINE void add_dims(const float* HWY_RESTRICT weights, const float* HWY_RESTRICT values,
                         const Pass& pass, const float* change, float* HWY_RESTRICT value) {
  F sum[dims][vectors];
  for (int v = 0; v < vectors; ++v) {
    if (change == nullptr) {
      for (int d = 0; d < dims; ++d) sum[d][v] = hn::Zero(df);
      continue;
    }
    const F c = hn::Load(df, change + v * vector_size);
    for (int d = 0; d < dims; ++d)
      sum[d][v] = hn::Mul(hn::Load(df, value + d * pass.width + v * vector_size), c);
  }
  for (int j = 0; j < pass.n_cells; ++j) {
    F w[vectors];
    for (int v = 0; v < vectors; ++v) w[v] = hn::Load(df, weights + j * pass.width + v * vector_size);
    for (int d = 0; d < dims; ++d) {
      const F x = hn::Set(df, values[j * pass.head_dim + d]);
      for (int v = 0; v < vectors; ++v) sum[d][v] = hn::MulAdd(x, w[v], sum[d][v]);
    }
  }
  for (int d = 0; d < dims; ++d) {
    for (int v = 0; v < vectors; ++v) hn::Store(sum[d][v], df, value + d * pass.width + v * vector_size);
  }
}

template <int vectors>
void add_vectors(const float* weights, const float* values, const Pass& pass, const float* change,
                 float* value) {
  constexpr int dims = HWY_TARGET == HWY_AVX3_DL || HWY_TARGET_IS_NEON ? 8 : 4;
  for (int d = 0; d < pass.head_dim; d += dims) {
    pass.ahead.fetch(d, d + dims, pass.head_dim);
    add_dims<vectors, dims>(weights, values + d, pass, change, value + d * pass.width);
  }
}

// scores [width, n_cells] = keys x queries, for some of the queries.
inline void score(const float* queries, const float* keys, const Pass& pass, QueryRange of, float* scores) {
  const int n = of.end - of.begin;
  if (vector_size == 16 && n == 48) return score_vectors<3>(queries, keys, pass, scores);
  if (vector_size == 16 && n == 16)
    return score_vectors<1>(queries + of.begin, keys, pass, scores + of.begin);
  for (int i = of.begin; i < of.end; i += 2 * vector_size)
    score_vectors<2>(queries + i, keys, pass, scores + i);
}

// value [width, head_dim] = value * change + weights [width, n_cells] x values [head_dim, n_cells], for some
// of the queries.
inline void add_values(const float* weights, const float* values, const Pass& pass, QueryRange of,
                       const float* change, float* value) {
  const auto at = [&](int i) { return change != nullptr ? change + i : nullptr; };
  const int n = of.end - of.begin;
  const int from = of.begin;
  if (vector_size == 16 && n == 48) return add_vectors<3>(weights, values, pass, change, value);
  if (vector_size == 16 && n == 16)
    return add_vectors<1>(weights + from, values, pass, at(from), value + from);
  for (int i = from; i < of.end; i += 2 * vector_size)
    add_vectors<2>(weights + i, values, pass, at(i), value + i);
}

// scores [width, n_cells] = cap * tanh(scores), for some of the queries.
struct Scores {
  int n_cells;
  int width;
};
inline void cap_scores(QueryRange of, float cap, Scores size, float* scores) {
  const F most = hn::Set(df, cap);
  for (int j = 0; j < size.n_cells; ++j) {
    for (int i = of.begin; i < of.end; i += vector_size) {
      float* at = scores + j * size.width + i;
      hn::Store(hn::Mul(most, hn::Tanh(df, hn::Load(df, at))), df, at);
    }
  }
}

// Offset scores into weights relative to the greatest score so far, and tells by what earlier weights change.
inline void soft_max(const AttentionSchedule::TileSegment& segment, core::CellRange cells, int width,
                     float* scores, const State& state, float* change) {
  const hn::RebindToSigned<decltype(df)> di;
  const F none = hn::Set(df, -std::numeric_limits<float>::infinity());
  const bool masked = cells.begin < segment.by_all.begin || cells.end > segment.by_all.end;
  const int n = cells.size();
  for (int i = segment.queries.begin; i < segment.queries.end; i += vector_size) {
    if (masked) {
      const auto begin = hn::LoadU(di, segment.begin.data() + i);
      const auto end = hn::LoadU(di, segment.end.data() + i);
      for (int j = 0; j < n; ++j) {
        const auto cell = hn::Set(di, cells.begin + j);
        const auto seen = hn::RebindMask(df, hn::AndNot(hn::Lt(cell, begin), hn::Lt(cell, end)));
        float* at = scores + j * width + i;
        hn::Store(hn::IfThenElse(seen, hn::Load(df, at), none), df, at);
      }
    }
    const F before = hn::Load(df, state.top + i);
    F top = before;
    for (int j = 0; j < n; ++j) top = hn::Max(top, hn::Load(df, scores + j * width + i));
    // A query that has seen nothing keeps -inf, which must not be subtracted from itself.
    const F base = hn::IfThenElse(hn::Eq(top, none), hn::Zero(df), top);
    F sum = hn::Zero(df);
    for (int j = 0; j < n; ++j) {
      float* at = scores + j * width + i;
      const F weight = power_of_two(hn::Sub(hn::Load(df, at), base));
      sum = hn::Add(sum, weight);
      hn::Store(weight, df, at);
    }
    const F factor = power_of_two(hn::Sub(before, base));
    hn::Store(hn::MulAdd(hn::Load(df, state.sum + i), factor, sum), df, state.sum + i);
    hn::Store(factor, df, change + i);
    hn::Store(top, df, state.top + i);
  }
}

// total = total merged with part, for some of the queries.
inline void merge(const State& total, const State& part, QueryRange of, int head_dim, int width) {
  const F none = hn::Set(df, -std::numeric_limits<float>::infinity());
  for (int i = of.begin; i < of.end; i += vector_size) {
    const F a = hn::Load(df, total.top + i);
    const F b = hn::LoadU(df, part.top + i);
    const F top = hn::Max(a, b);
    const F base = hn::IfThenElse(hn::Eq(top, none), hn::Zero(df), top);
    const F keep = power_of_two(hn::Sub(a, base));
    const F take = power_of_two(hn::Sub(b, base));
    hn::Store(top, df, total.top + i);
    const F added = hn::Mul(take, hn::LoadU(df, part.sum + i));
    hn::Store(hn::MulAdd(keep, hn::Load(df, total.sum + i), added), df, total.sum + i);
    for (int d = 0; d < head_dim; ++d) {
      float* at = total.value + d * width + i;
      const F more = hn::Mul(take, hn::LoadU(df, part.value + d * width + i));
      hn::Store(hn::MulAdd(keep, hn::Load(df, at), more), df, at);
    }
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
