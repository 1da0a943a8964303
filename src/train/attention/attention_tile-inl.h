// SPDX-License-Identifier: Apache-2.0
// What the forward and the backward pass of one unit share, included once per instruction set; see Highway's
// foreach_target.h.
#if defined(LANEROPE_TRAIN_ATTENTION_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_TRAIN_ATTENTION_TILE_INL
#undef LANEROPE_TRAIN_ATTENTION_TILE_INL
#else
#define LANEROPE_TRAIN_ATTENTION_TILE_INL
#endif

#include <hwy/aligned_allocator.h>
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/visibility.h"
#include "train/attention/attention_kernel.h"
#include "train/attention/small_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::train::HWY_NAMESPACE {

constexpr int tile_rows = 32;
constexpr int block_keys = 96;

using Floats = hwy::AlignedFreeUniquePtr<float[]>;

// Keys [first, first + n) of the group, all of its prompt or all of its lanes.
struct KeyBlock {
  int first;
  int n;
  bool prompt;
};

// Up to tile_rows rows, all of the prompt or all of the lanes. A row is one query head of one token; the
// heads that share the unit's kv head come token by token.
struct TileRows {
  int first;  // row of the unit
  int n;
  int seen_by_all;  // keys [0, seen_by_all) are seen by every row
  int end;          // keys [end, n_tokens) by none
  int n_prompt;

  KeyBlock block_at(int key) const {
    const bool prompt = key < n_prompt;
    return {key, std::max(0, std::min(block_keys, (prompt ? std::min(n_prompt, end) : end) - key)), prompt};
  }
  KeyBlock first_block() const { return block_at(0); }
  KeyBlock next_block(const KeyBlock& block) const { return block_at(block.first + block.n); }
};

// A row sees a key of its own lane up to step `own`, of a lane before it up to `before`, of one after it up
// to `after`.
struct RowLimits {
  int32_t lane[tile_rows];
  int32_t own[tile_rows];
  int32_t before[tile_rows];
  int32_t after[tile_rows];
  int32_t first[tile_rows];  // the first token index in the window
};

struct UnitScratch {
  const AttentionUnit* unit = nullptr;
  AttentionSizes sizes = {};
  int heads = 0;     // query heads of the kv head
  int dim = 0;       // head_dim
  int wide = 0;      // head_dim rounded up to 16
  int n_tokens = 0;  // of the group
  int n_keys_held = 0;
  int dim_held = 0;

  Floats k, v, d_k, d_v;                          // [n_tokens, wide]
  Floats q_prompt, q_lane;                        // [dim, tile_rows] times scale and log2 e
  Floats d_out, d_q_prompt, d_q_lane, out;        // [dim, tile_rows]
  Floats q_prompt_rows, q_lane_rows, d_out_rows;  // [tile_rows, wide]
  Floats scores, d_scores;                        // [block_keys, tile_rows]
  std::vector<int32_t> key_lane, key_step;        // [n_tokens] prompt: lane -1, the index
  std::vector<int32_t> key_index;                 // [n_tokens] the token index
  std::vector<int32_t> step_begin, step_end;      // [n_tokens] the first token of its step, and past the last
  RowLimits limits = {};

  void prepare(const AttentionUnit& for_unit, const AttentionSizes& for_sizes);
  void load_keys(const AttentionInputs& in);
  void copy_keys(const float* from, float* to) const;
  void load_queries(const TileRows& tile, const AttentionInputs& in);
  void load_limits(const TileRows& tile);
  void load_out_gradients(const TileRows& tile, const AttentionGradients& grad, float* log_sum, float* delta);
  void store_queries(const TileRows& tile, const float* from, const float* factor, float* to) const;
  void clear_key_gradients() {
    std::fill_n(d_k.get(), n_tokens * wide, 0.0F);
    std::fill_n(d_v.get(), n_tokens * wide, 0.0F);
  }
  void store_key_gradients(const AttentionGradients& grad) const;

  TileRows first_tile() const { return tile_at(0); }
  TileRows next_tile(const TileRows& tile) const { return tile_at(tile.first + tile.n); }
  TileRows tile_at(int row) const;
  // Whether a token of a lane sees no other lane, and whether one of [first, last] does not.
  bool alone(int token) const { return !unit->joint || (!unit->alone.empty() && unit->alone[token] != 0); }
  bool some_alone(int first, int last) const {
    for (int token = first; token <= last; ++token) {
      if (alone(token)) return true;
    }
    return false;
  }
  // In (n_tokens, n_head) of the batch.
  int64_t row_index(const TileRows& tile, int r) const {
    const int row = tile.first + std::min(r, tile.n - 1);
    return (unit->first + row / heads) * sizes.n_head + unit->head_kv * heads + row % heads;
  }

  // scores [block.n, tile_rows] = keys times queries, capped, in powers of two; minus infinity where the mask
  // or the window hides.
  void scores_of(const TileRows& tile, const KeyBlock& block) {
    by_query(k.get(), block, block.prompt ? q_prompt.get() : q_lane.get(), scores.get());
    if (sizes.cap > 0) cap_scores(block);
    for (int t = std::max(tile.seen_by_all - block.first, 0); t < block.n; ++t) mask(block.first + t, t);
    for (int t = 0; t < block.n && sizes.window > 0; ++t) leave_window(block.first + t, t);
  }
  void cap_scores(const KeyBlock& block);
  // By what the cap shrinks a change of the score that came out as `score`, in powers of two.
  F slope_of_cap(F score) const {
    const F tangent = hn::Mul(hn::Max(score, hn::Set(df, -sizes.cap * log2_e)),  // hidden: minus infinity
                              hn::Set(df, 1 / (sizes.cap * log2_e)));
    return hn::NegMulAdd(tangent, tangent, hn::Set(df, 1.0F));
  }
  void mask(int key, int t);
  void leave_window(int key, int t);
  void hide(hn::Mask<decltype(df)> hidden, int t, int r) {
    float* at = scores.get() + t * tile_rows + r;
    const F none = hn::Set(df, -std::numeric_limits<float>::infinity());
    hn::StoreU(hn::IfThenElse(hidden, none, hn::LoadU(df, at)), df, at);
  }

  // to [block.n, tile_rows] = keys [block.n, dim] times queries [dim, tile_rows]
  void by_query(const float* keys, const KeyBlock& block, const float* queries, float* to) const {
    product({.a = keys + block.first * wide,
             .a_row = wide,
             .a_step = 1,
             .b = queries,
             .b_row = tile_rows,
             .c = to,
             .c_row = tile_rows,
             .m = block.n,
             .n = tile_rows,
             .k = dim,
             .add = false});
  }
  // to [dim, tile_rows] += transposed keys [block.n, dim] times weights [block.n, tile_rows]
  void add_by_key(const float* keys, const KeyBlock& block, const float* weights, float* to) const {
    product({.a = keys + block.first * wide,
             .a_row = 1,
             .a_step = wide,
             .b = weights,
             .b_row = tile_rows,
             .c = to,
             .c_row = tile_rows,
             .m = dim,
             .n = tile_rows,
             .k = block.n,
             .add = true});
  }
  // to [the block's keys, wide] += weights [block.n, tile_rows] times rows [tile_rows, wide]
  void add_by_row(const float* weights, const KeyBlock& block, const float* rows, float* to) const {
    product({.a = weights,
             .a_row = tile_rows,
             .a_step = 1,
             .b = rows,
             .b_row = wide,
             .c = to + block.first * wide,
             .c_row = wide,
             .m = block.n,
             .n = wide,
             .k = tile_rows,
             .add = true});
  }
};

inline void UnitScratch::prepare(const AttentionUnit& for_unit, const AttentionSizes& for_sizes) {
  unit = &for_unit;
  sizes = for_sizes;
  heads = sizes.n_head / sizes.n_head_kv;
  dim = sizes.head_dim;
  wide = (dim + 15) / 16 * 16;
  n_tokens = static_cast<int>(unit->lane.size());
  if (n_tokens > n_keys_held || dim != dim_held) {
    n_keys_held = std::max(n_tokens, n_keys_held) + 64;
    dim_held = dim;
    for (Floats* keys : {&k, &v, &d_k, &d_v}) *keys = hwy::AllocateAligned<float>(n_keys_held * wide);
    for (Floats* tile : {&q_prompt, &q_lane, &d_out, &d_q_prompt, &d_q_lane, &out, &q_prompt_rows,
                         &q_lane_rows, &d_out_rows}) {
      *tile = hwy::AllocateAligned<float>(wide * tile_rows);
      std::fill_n(tile->get(), wide * tile_rows, 0.0F);
    }
    for (Floats* block : {&scores, &d_scores}) *block = hwy::AllocateAligned<float>(block_keys * tile_rows);
  }
  const int n_prompt = unit->n_prompt;
  key_lane.assign(unit->lane.begin(), unit->lane.end());
  key_step.assign(unit->step.begin(), unit->step.end());
  for (int t = 0; t < n_prompt; ++t) {
    key_lane[t] = -1;
    key_step[t] = t;
  }
  key_index.resize(n_tokens);
  for (int t = 0; t < n_tokens; ++t) key_index[t] = key_step[t] + (t < n_prompt ? 0 : n_prompt);
  step_begin.resize(n_tokens);
  step_end.resize(n_tokens);
  for (int begin = n_prompt; begin < n_tokens;) {
    int end = begin;
    while (end < n_tokens && key_step[end] == key_step[begin]) ++end;
    std::fill(step_begin.begin() + begin, step_begin.begin() + end, begin);
    std::fill(step_end.begin() + begin, step_end.begin() + end, end);
    begin = end;
  }
}

inline TileRows UnitScratch::tile_at(int row) const {
  const int n_prompt = unit->n_prompt;
  const bool prompt = row < n_prompt * heads;
  const int n = std::min(tile_rows, (prompt ? n_prompt : n_tokens) * heads - row);
  TileRows tile{.first = row, .n = n, .seen_by_all = 0, .end = 0, .n_prompt = n_prompt};
  if (n <= 0) return tile;
  const int first = row / heads;
  const int last = (row + n - 1) / heads;
  tile.end = prompt ? last + 1 : step_end[last];
  if (prompt) {
    tile.seen_by_all = first + 1;
  } else if (some_alone(first, last)) {
    tile.seen_by_all = n_prompt;
  } else {
    const bool own_step = core::last_seen_step(unit->visibility, 0, /*earlier_lane=*/false) == 0;
    tile.seen_by_all = own_step ? step_end[first] : step_begin[first];
  }
  return tile;
}

inline void UnitScratch::copy_keys(const float* from, float* to) const {
  for (int t = 0; t < n_tokens; ++t, to += wide) {
    std::memcpy(to, from + ((unit->first + t) * sizes.n_head_kv + unit->head_kv) * dim, dim * sizeof(float));
    std::fill_n(to + dim, wide - dim, 0.0F);
  }
}

inline void UnitScratch::load_keys(const AttentionInputs& in) {
  copy_keys(in.k, k.get());
  copy_keys(in.v, v.get());
}

inline void UnitScratch::store_key_gradients(const AttentionGradients& grad) const {
  for (int t = 0; t < n_tokens; ++t) {
    const int64_t at = ((unit->first + t) * sizes.n_head_kv + unit->head_kv) * dim;
    std::memcpy(grad.d_k + at, d_k.get() + t * wide, dim * sizeof(float));
    std::memcpy(grad.d_v + at, d_v.get() + t * wide, dim * sizeof(float));
  }
}

inline void UnitScratch::load_limits(const TileRows& tile) {
  constexpr int32_t never = std::numeric_limits<int32_t>::min();
  const bool in_lanes = tile.first >= unit->n_prompt * heads;
  for (int r = 0; r < tile_rows; ++r) {
    const int token = (tile.first + std::min(r, tile.n - 1)) / heads;
    const int32_t step = key_step[token];
    const bool reads_all = unit->second_stage > 0 && token >= unit->second_stage;
    const bool open = in_lanes && (!alone(token) || reads_all);
    limits.lane[r] = key_lane[token];
    limits.own[r] = step;
    limits.first[r] = key_index[token] - sizes.window + 1;
    limits.before[r] = open ? core::last_seen_step(unit->visibility, step, /*earlier_lane=*/true) : never;
    limits.after[r] = open ? core::last_seen_step(unit->visibility, step, /*earlier_lane=*/false) : never;
  }
}

inline void UnitScratch::mask(int key, int t) {
  const hn::RebindToSigned<decltype(df)> di;
  const auto lane = hn::Set(di, key_lane[key]);
  const auto step = hn::Set(di, key_step[key]);
  for (int r = 0; r < tile_rows; r += vector_size) {
    const auto row_lane = hn::LoadU(di, limits.lane + r);
    const auto other = hn::IfThenElse(hn::Lt(lane, row_lane), hn::LoadU(di, limits.before + r),
                                      hn::LoadU(di, limits.after + r));
    const auto limit = hn::IfThenElse(hn::Eq(lane, row_lane), hn::LoadU(di, limits.own + r), other);
    hide(hn::RebindMask(df, hn::Gt(step, limit)), t, r);
  }
}

inline void UnitScratch::leave_window(int key, int t) {
  const hn::RebindToSigned<decltype(df)> di;
  const auto index = hn::Set(di, key_index[key]);
  for (int r = 0; r < tile_rows; r += vector_size)
    hide(hn::RebindMask(df, hn::Lt(index, hn::LoadU(di, limits.first + r))), t, r);
}

inline void UnitScratch::cap_scores(const KeyBlock& block) {
  const F most = hn::Set(df, sizes.cap * log2_e);
  for (int i = 0; i < block.n * tile_rows; i += vector_size) {
    float* at = scores.get() + i;
    hn::StoreU(hn::Mul(most, hn::Tanh(df, hn::LoadU(df, at))), df, at);
  }
}

inline void UnitScratch::load_queries(const TileRows& tile, const AttentionInputs& in) {
  load_limits(tile);
  // Of capped scores the queries are what a hyperbolic tangent is taken of.
  const float factor = sizes.cap > 0 ? sizes.scale / sizes.cap : sizes.scale * log2_e;
  const bool one = in.q_prompt == in.q_lane;
  for (int r = 0; r < tile_rows; ++r) {
    const float* prompt = in.q_prompt + row_index(tile, r) * dim;
    const float* lane = in.q_lane + row_index(tile, r) * dim;
    std::memcpy(q_prompt_rows.get() + r * wide, prompt, dim * sizeof(float));
    std::memcpy(q_lane_rows.get() + r * wide, lane, dim * sizeof(float));
    for (int d = 0; d < dim; ++d) q_prompt[d * tile_rows + r] = prompt[d] * factor;
    for (int d = 0; d < dim && !one; ++d) q_lane[d * tile_rows + r] = lane[d] * factor;
  }
  if (one) std::memcpy(q_lane.get(), q_prompt.get(), dim * tile_rows * sizeof(float));
}

// Rows beyond the tile's last repeat it with a gradient of zero, and add nothing to any sum.
inline void UnitScratch::load_out_gradients(const TileRows& tile, const AttentionGradients& grad,
                                            float* log_sum, float* delta) {
  for (int r = 0; r < tile_rows; ++r) {
    const int64_t row = row_index(tile, r);
    const float* from = grad.d_out + row * dim;
    const float* value = grad.out + row * dim;
    float* to = d_out_rows.get() + r * wide;
    log_sum[r] = grad.log_sum[row];
    delta[r] = 0.0F;
    if (r < tile.n) {
      std::memcpy(to, from, dim * sizeof(float));
    } else {
      std::fill_n(to, dim, 0.0F);
    }
    for (int d = 0; d < dim; ++d) {
      d_out[d * tile_rows + r] = to[d];
      delta[r] += to[d] * value[d];
    }
  }
}

inline void UnitScratch::store_queries(const TileRows& tile, const float* from, const float* factor,
                                       float* to) const {
  for (int r = 0; r < tile.n; ++r) {
    float* row = to + row_index(tile, r) * dim;
    for (int d = 0; d < dim; ++d) row[d] = from[d * tile_rows + r] * factor[r];
  }
}

inline UnitScratch& unit_scratch(const AttentionUnit& unit, const AttentionSizes& sizes) {
  thread_local UnitScratch scratch;
  scratch.prepare(unit, sizes);
  return scratch;
}

}  // namespace lanerope::train::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
