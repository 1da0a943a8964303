// SPDX-License-Identifier: Apache-2.0
// Queries lie side by side in vectors and keys are broadcast, as in src/kernels/attention_tile-inl.h: a
// tile's scores are [keys, tile_rows], so that masks, maxima and sums never cross a vector. Keys are met in
// blocks whose scores stay in the first cache.
#include "train/attention/attention_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/attention/attention_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/highway.h>

#include "train/attention/attention_tile-inl.h"
#include "train/attention/small_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::train::HWY_NAMESPACE {

void forward_unit(const AttentionUnit& unit, const AttentionSizes& sizes, const AttentionInputs& in,
                  const AttentionResults& results) {
  UnitScratch& s = unit_scratch(unit, sizes);
  s.load_keys(in);
  for (TileRows tile = s.first_tile(); tile.n > 0; tile = s.next_tile(tile)) {
    s.load_queries(tile, in);
    float top[tile_rows];
    float sum[tile_rows];
    std::fill_n(top, tile_rows, -1e30F);
    std::fill_n(sum, tile_rows, 0.0F);
    std::fill_n(s.out.get(), s.dim * tile_rows, 0.0F);
    for (KeyBlock block = tile.first_block(); block.n > 0; block = tile.next_block(block)) {
      s.scores_of(tile, block);
      float change[tile_rows];
      for (int r = 0; r < tile_rows; r += vector_size) {
        const F before = hn::LoadU(df, top + r);
        F now = before;
        for (int t = 0; t < block.n; ++t)
          now = hn::Max(now, hn::LoadU(df, s.scores.get() + t * tile_rows + r));
        const F factor = power_of_two(hn::Sub(before, now));
        F total = hn::Mul(hn::LoadU(df, sum + r), factor);
        for (int t = 0; t < block.n; ++t) {
          float* at = s.scores.get() + t * tile_rows + r;
          const F weight = power_of_two(hn::Sub(hn::LoadU(df, at), now));
          total = hn::Add(total, weight);
          hn::StoreU(weight, df, at);
        }
        hn::StoreU(now, df, top + r);
        hn::StoreU(total, df, sum + r);
        hn::StoreU(factor, df, change + r);
      }
      for (int d = 0; d < s.dim; ++d) {
        for (int r = 0; r < tile_rows; r += vector_size) {
          float* at = s.out.get() + d * tile_rows + r;
          hn::StoreU(hn::Mul(hn::LoadU(df, at), hn::LoadU(df, change + r)), df, at);
        }
      }
      s.add_by_key(s.v.get(), block, s.scores.get(), s.out.get());
    }
    float inverse[tile_rows];
    for (int r = 0; r < tile_rows; ++r) inverse[r] = 1.0F / sum[r];
    s.store_queries(tile, s.out.get(), inverse, results.out);
    for (int r = 0; r < tile.n; ++r) results.log_sum[s.row_index(tile, r)] = top[r] + std::log2(sum[r]);
  }
}

void backward_unit(const AttentionUnit& unit, const AttentionSizes& sizes, const AttentionInputs& in,
                   const AttentionGradients& grad) {
  UnitScratch& s = unit_scratch(unit, sizes);
  s.load_keys(in);
  s.clear_key_gradients();
  const bool apart = grad.d_q_lane != nullptr;
  float ones[tile_rows];
  std::fill_n(ones, tile_rows, 1.0F);
  for (TileRows tile = s.first_tile(); tile.n > 0; tile = s.next_tile(tile)) {
    s.load_queries(tile, in);
    float log_sum[tile_rows];
    float delta[tile_rows];
    s.load_out_gradients(tile, grad, log_sum, delta);
    std::fill_n(s.d_q_prompt.get(), s.dim * tile_rows, 0.0F);
    std::fill_n(s.d_q_lane.get(), s.dim * tile_rows, 0.0F);
    for (KeyBlock block = tile.first_block(); block.n > 0; block = tile.next_block(block)) {
      s.scores_of(tile, block);
      s.by_query(s.v.get(), block, s.d_out.get(), s.d_scores.get());
      for (int r = 0; r < tile_rows; r += vector_size) {
        const F log_of_sum = hn::LoadU(df, log_sum + r);
        const F offset = hn::LoadU(df, delta + r);
        const F scale = hn::Set(df, sizes.scale);
        for (int t = 0; t < block.n; ++t) {
          float* score = s.scores.get() + t * tile_rows + r;
          float* d_score = s.d_scores.get() + t * tile_rows + r;
          const F weight = power_of_two(hn::Sub(hn::LoadU(df, score), log_of_sum));
          F change = hn::Mul(hn::Mul(weight, scale), hn::Sub(hn::LoadU(df, d_score), offset));
          if (sizes.cap > 0) change = hn::Mul(change, s.slope_of_cap(hn::LoadU(df, score)));
          hn::StoreU(weight, df, score);
          hn::StoreU(change, df, d_score);
        }
      }
      s.add_by_row(s.scores.get(), block, s.d_out_rows.get(), s.d_v.get());
      s.add_by_row(s.d_scores.get(), block, block.prompt ? s.q_prompt_rows.get() : s.q_lane_rows.get(),
                   s.d_k.get());
      s.add_by_key(s.k.get(), block, s.d_scores.get(),
                   block.prompt || !apart ? s.d_q_prompt.get() : s.d_q_lane.get());
    }
    s.store_queries(tile, s.d_q_prompt.get(), ones, grad.d_q_prompt);
    if (apart) s.store_queries(tile, s.d_q_lane.get(), ones, grad.d_q_lane);
  }
  s.store_key_gradients(grad);
}

}  // namespace lanerope::train::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::train {

HWY_EXPORT(forward_unit);
HWY_EXPORT(backward_unit);

void attention_forward(const AttentionUnit& unit, const AttentionSizes& sizes, const AttentionInputs& in,
                       const AttentionResults& results) {
  HWY_DYNAMIC_DISPATCH(forward_unit)(unit, sizes, in, results);
}

void attention_backward(const AttentionUnit& unit, const AttentionSizes& sizes, const AttentionInputs& in,
                        const AttentionGradients& grad) {
  HWY_DYNAMIC_DISPATCH(backward_unit)(unit, sizes, in, grad);
}

}  // namespace lanerope::train
#endif
