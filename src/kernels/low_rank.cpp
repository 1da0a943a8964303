// SPDX-License-Identifier: Apache-2.0
#include "kernels/low_rank.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/low_rank.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/tile_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<float, 16> df;
using F = hn::Vec<decltype(df)>;
constexpr int vector_size = static_cast<int>(hn::MaxLanes(df));

template <typename Element>
HWY_INLINE F load(const Element* p) {
  const hn::Rebind<Element, decltype(df)> de;
  if constexpr (std::is_same_v<Element, float>) {
    return hn::LoadU(de, p);
  } else {
    return hn::PromoteTo(df, hn::LoadU(de, p));
  }
}

// Sums of even and of odd inputs, which are added in the end: one chain of additions would wait for itself.
template <typename Element, int columns>
void down_rows(const Element* weights, const float* values, float* HWY_RESTRICT out, int64_t out_stride) {
  constexpr int ahead = 32;  // inputs: the hardware's prefetchers lose their way at the end of a page
  F sum[2][columns];
  for (int c = 0; c < columns; ++c) sum[0][c] = sum[1][c] = hn::Zero(df);
  for (int i = 0; i < LowRank::chunk; i += 2) {
    for (int s = 0; s < 2; ++s) {
      hwy::Prefetch(weights + (i + s + ahead) * LowRank::rank_step);
      const F w = load(weights + (i + s) * LowRank::rank_step);
      for (int c = 0; c < columns; ++c) {
        sum[s][c] = hn::MulAdd(w, hn::Set(df, values[c * LowRank::chunk + i + s]), sum[s][c]);
      }
    }
  }
  for (int c = 0; c < columns; ++c) hn::StoreU(hn::Add(sum[0][c], sum[1][c]), df, out + c * out_stride);
}

template <typename Element>
void down_term(const Corrections& corrections, const LowRank::Term& term, const DownJob& job) {
  constexpr int64_t group = int64_t{LowRank::chunk} * LowRank::rank_step;
  const auto* weights =
      reinterpret_cast<const Element*>(term.down.get()) + job.index * (term.rank * LowRank::chunk);
  float* out = corrections.partial(job.first, job.columns, job.index) + term.first;
  const int64_t stride = corrections.of->ranks();
  for (int64_t g = 0; g < term.rank / LowRank::rank_step; ++g) {
    for (int row = 0; row < LowRank::rank_step; row += vector_size) {
      const Element* w = weights + g * group + row;
      float* to = out + g * LowRank::rank_step + row;
      switch (job.columns) {
        case 1:
          down_rows<Element, 1>(w, job.values, to, stride);
          break;
        case 2:
          down_rows<Element, 2>(w, job.values, to, stride);
          break;
        case 3:
          down_rows<Element, 3>(w, job.values, to, stride);
          break;
        case 4:
          down_rows<Element, 4>(w, job.values, to, stride);
          break;
        case 5:
          down_rows<Element, 5>(w, job.values, to, stride);
          break;
        case 6:
          down_rows<Element, 6>(w, job.values, to, stride);
          break;
        case 7:
          down_rows<Element, 7>(w, job.values, to, stride);
          break;
        default:
          down_rows<Element, 8>(w, job.values, to, stride);
          break;
      }
    }
  }
}

void down(const Corrections& corrections, const DownJob& job) {
  for (const LowRank::Term& term : corrections.of->terms()) {
    if (!corrections.on(term, job.first, job.columns)) continue;
    if (term.down_type == GGML_TYPE_F16) {
      down_term<hwy::float16_t>(corrections, term, job);
    } else if (term.down_type == GGML_TYPE_BF16) {
      down_term<hwy::bfloat16_t>(corrections, term, job);
    } else {
      down_term<float>(corrections, term, job);
    }
  }
}

// low = scale * the sum of the chunks, for one panel of one term; its columns lie side by side afterwards.
void finish_panel(const Corrections& corrections, const LowRank::Term& term, int64_t first, int columns) {
  const LowRank& of = *corrections.of;
  float* low = corrections.low(term) + first * term.rank;
  HWY_ALIGN float sums[LowRank::rank_step];
  for (int c = 0; c < columns; ++c) {
    const F scale = hn::Set(df, term.scale * corrections.scales.at(first + c, term.adapter));
    for (int64_t r = 0; r < term.rank; r += LowRank::rank_step) {
      for (int part = 0; part < LowRank::rank_step; part += vector_size) {
        F sum = hn::Zero(df);
        for (int64_t k = 0; k < of.chunks(); ++k) {
          const float* from = corrections.partial(first, columns, k) + c * of.ranks() + term.first + r + part;
          sum = hn::Add(sum, hn::LoadU(df, from));
        }
        hn::Store(hn::Mul(sum, scale), df, sums + part);
      }
      for (int i = 0; i < LowRank::rank_step; ++i) low[(r + i) * columns + c] = sums[i];
    }
  }
}

// to += from, [n].
void add_to(float* HWY_RESTRICT to, const float* HWY_RESTRICT from, int n) {
  for (int i = 0; i < n; i += vector_size) {
    hn::Store(hn::Add(hn::Load(df, to + i), hn::Load(df, from + i)), df, to + i);
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(down);
HWY_EXPORT(finish_panel);
HWY_EXPORT(add_to);

namespace {

constexpr int panel_columns = ActivationLayout::float_panel;

bool stays(ggml_type type) {
  return type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16;
}

std::vector<float> as_floats(const LowRank::Half& half, int64_t width, int64_t rows) {
  std::vector<float> values(width * rows);
  const size_t row_bytes = ggml_row_size(half.type, width);
  for (int64_t row = 0; row < rows; ++row) {
    ggml_get_type_traits(half.type)->to_float(static_cast<const std::byte*>(half.data) + row * row_bytes,
                                              values.data() + row * width, width);
  }
  return values;
}

template <typename Element>
void pack_down(const Element* a, int64_t n_in, int64_t rank, LowRank::Term& term) {
  auto* to = reinterpret_cast<Element*>(term.down.get());
  for (int64_t r = 0; r < rank; ++r) {
    for (int64_t i = 0; i < n_in; ++i) {
      const int64_t group =
          (i / LowRank::chunk * (term.rank / LowRank::rank_step) + r / LowRank::rank_step) * LowRank::chunk;
      to[(group + i % LowRank::chunk) * LowRank::rank_step + r % LowRank::rank_step] = a[r * n_in + i];
    }
  }
}

}  // namespace

bool LowRank::supports(ggml_type type) {
  return stays(type) || (ggml_is_quantized(type) && ggml_get_type_traits(type)->to_float != nullptr);
}

LowRank::LowRank(const PackedMatrix& matrix, std::span<const Pair> pairs)
    : chunks_((matrix.n_in() + chunk - 1) / chunk) {
  const int64_t n_in = matrix.n_in();
  for (const Pair& pair : pairs) {
    assert(supports(pair.a.type) && supports(pair.b.type));
    const int64_t rank = (pair.rank + rank_step - 1) / rank_step * rank_step;
    const ggml_type down_type = stays(pair.a.type) ? pair.a.type : GGML_TYPE_F32;
    const size_t down_bytes = chunks_ * chunk * rank * ggml_type_size(down_type);
    const int64_t n_out = matrix.parts()[pair.part].n_out;
    std::vector<float> b;
    Half up = pair.b;
    if (!stays(up.type)) {
      b = as_floats(up, pair.rank, n_out);
      up = {GGML_TYPE_F32, b.data()};
    }
    Term& term = terms_.emplace_back(Term{pair.adapter, pair.part, pair.scale, rank, ranks_, down_type,
                                          hwy::AllocateAligned<std::byte>(down_bytes),
                                          PackedMatrix::pack(up.type, pair.rank, n_out, up.data)});
    std::memset(term.down.get(), 0, down_bytes);
    if (down_type != GGML_TYPE_F32) {
      pack_down(static_cast<const uint16_t*>(pair.a.data), n_in, pair.rank, term);
    } else if (pair.a.type == GGML_TYPE_F32) {
      pack_down(static_cast<const float*>(pair.a.data), n_in, pair.rank, term);
    } else {
      pack_down(as_floats(pair.a, n_in, pair.rank).data(), n_in, pair.rank, term);
    }
    ranks_ += rank;
    n_adapters_ = std::max(n_adapters_, pair.adapter + 1);
    bytes_ += down_bytes + term.up.bytes();
  }
}

bool Corrections::on(const LowRank::Term& term, int64_t first, int n) const {
  for (int c = 0; c < n; ++c) {
    if (scales.at(first + c, term.adapter) != 0) return true;
  }
  return false;
}

void add_down(const Corrections& corrections, const DownJob& job) {
  HWY_DYNAMIC_DISPATCH(down)(corrections, job);
}

void finish_down(const Corrections& corrections) {
  for (int64_t first = 0; first < corrections.n_columns; first += panel_columns) {
    const auto columns = static_cast<int>(std::min<int64_t>(panel_columns, corrections.n_columns - first));
    for (const LowRank::Term& term : corrections.of->terms()) {
      if (corrections.on(term, first, columns))
        HWY_DYNAMIC_DISPATCH(finish_panel)(corrections, term, first, columns);
    }
  }
}

void fetch_up(const Corrections& corrections, const UpJob& job) {
  for (const LowRank::Term& term : corrections.of->terms()) {
    if (term.part != job.part || !corrections.on(term, job.first, job.columns)) continue;
    const PackedMatrix::Part& part = term.up.parts().front();
    const std::byte* tile = term.up.tile(part, job.tile);
    for (size_t at = 0; at < std::min<size_t>(part.tile_bytes, 4096); at += 64) hwy::Prefetch(tile + at);
  }
}

// The correction of a column is added where its adapter is on, so that its sign of zero is its own too.
void add_up(const Corrections& corrections, const UpJob& job) {
  alignas(64) float correction[panel_columns * tile_rows];
  for (const LowRank::Term& term : corrections.of->terms()) {
    if (term.part != job.part) continue;
    const PackedMatrix::Part& part = term.up.parts().front();
    const ActivationLayout layout(ActivationForm::f32, term.rank);
    const TileKernel kernel = tile_kernel(part.type);
    for (int c = 0; c < job.columns; c += panel_columns) {
      const int64_t first = job.first + c;
      const int columns = std::min(panel_columns, job.columns - c);
      if (!corrections.on(term, first, columns)) continue;
      kernel({.type = part.type,
              .tile = term.up.tile(part, job.tile),
              .layout = &layout,
              .columns = reinterpret_cast<const std::byte*>(corrections.low(term) + first * term.rank),
              .n_columns = columns,
              .out = correction});
      for (int i = 0; i < columns; ++i) {
        if (corrections.scales.at(first + i, term.adapter) == 0) continue;
        HWY_DYNAMIC_DISPATCH(add_to)(job.out + (c + i) * tile_rows, correction + i * tile_rows, tile_rows);
      }
    }
  }
}

}  // namespace lanerope::kernels
#endif
