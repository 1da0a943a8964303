// SPDX-License-Identifier: Apache-2.0
#include "kernels/attention_work.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <new>

namespace lanerope {

void AttentionWork::Free::operator()(float* p) const {
  ::operator delete(p, std::align_val_t{64});
}

AttentionWork::AttentionWork(const AttentionShape& shape, int32_t n_layer)
    : shape_(shape), rotations_(n_layer) {
  assert(shape.n_head_kv > 0 && shape.n_head % shape.n_head_kv == 0);
  assert(shape.head_dim % 8 == 0 && shape.n_rot % 2 == 0 && shape.n_rot <= shape.head_dim);
}

void AttentionWork::prepare(const AttentionPlan& plan) {
  rotations_.next_step();
  n_rows_ = plan.n_rows;
  tiles_.clear();
  for (const AttentionBlock& block : plan.blocks) add_block(block);
  add_items();
}

void AttentionWork::add_block(const AttentionBlock& block) {
  assert(block.frequencies == nullptr ||
         block.frequencies->theta.size() == static_cast<size_t>(shape_.n_rot / 2));
  assert(block.owners.size() == block.segments.size());
  std::vector<Chain> chains;
  for (int32_t s = 0; s < static_cast<int32_t>(block.segments.size()); ++s) {
    const bool goes_on = s > 0 && block.owners[s] == prompt_row && block.owners[s - 1] == prompt_row;
    if (goes_on) {
      ++chains.back().n;
    } else {
      chains.push_back({.first = s, .n = 1});
    }
  }
  const int32_t total = block.n_rows * group();
  for (int32_t first = 0; first < total; first += max_width) {
    Tile tile{.first_row = block.first_row,
              .first_lane = first,
              .n_lanes = std::min(max_width, total - first),
              .width = 0,
              .segments = {}};
    tile.width = (tile.n_lanes + 15) / 16 * 16;
    for (const Chain chain : chains) {
      TileSegment segment = see_chain(block, chain, tile);
      if (!segment.seen.empty()) tile.segments.push_back(std::move(segment));
    }
    tiles_.push_back(std::move(tile));
  }
}

// What a row sees of a chain, as if it were one segment.
RowSegment AttentionWork::row_of_chain(const AttentionBlock& block, Chain chain, int32_t row) {
  RowSegment joined;
  int32_t offset = 0;
  for (int32_t s = chain.first; s < chain.first + chain.n; ++s) {
    const auto& [visible, turns] = block.row(row)[s];
    const int32_t length = block.segments[s].length;
    if (!visible.empty()) {
      assert(visible.begin >= 0 && visible.end <= length);
      const bool first = joined.visible.empty();
      assert(first || (joined.turns == turns && joined.visible.end == offset + visible.begin));
      joined.visible = {first ? offset + visible.begin : joined.visible.begin, offset + visible.end};
      joined.turns = turns;
    }
    offset += length;
  }
  return joined;
}

AttentionWork::TileSegment AttentionWork::see_chain(const AttentionBlock& block, Chain chain,
                                                    const Tile& tile) {
  constexpr int32_t all = std::numeric_limits<int32_t>::max();
  TileSegment segment{.runs = {},
                      .seen = {all, 0},
                      .by_all = {0, all},
                      // Lanes that only fill the tile see everything, so that they cost no masks.
                      .begin = std::vector<int32_t>(tile.width, 0),
                      .end = std::vector<int32_t>(tile.width, all)};
  int32_t offset = 0;
  for (int32_t s = chain.first; s < chain.first + chain.n; ++s) {
    segment.runs.push_back({.begin = offset, .cell = block.segments[s].cell});
    offset += block.segments[s].length;
  }
  std::vector<Turns> turns(tile.width);
  for (int32_t lane = 0; lane < tile.n_lanes; ++lane) {
    const RowSegment row = row_of_chain(block, chain, (tile.first_lane + lane) / group());
    const CellRange visible = row.visible;
    turns[lane] = row.turns;
    segment.begin[lane] = visible.begin;
    segment.end[lane] = visible.end;
    segment.by_all = {std::max(segment.by_all.begin, visible.begin),
                      std::min(segment.by_all.end, visible.end)};
    if (visible.empty()) continue;
    segment.seen = {std::min(segment.seen.begin, visible.begin), std::max(segment.seen.end, visible.end)};
  }
  if (!segment.seen.empty()) segment.rotation = rotations_.find(block.frequencies, turns);
  return segment;
}

void AttentionWork::add_items() {
  items_.clear();
  results_.clear();
  int32_t partials = 0;
  // Enough tiles keep every thread busy without cutting them; what is computed is the same.
  constexpr size_t many = 256;
  const bool whole = tiles_.size() * shape_.n_head_kv >= many;
  for (int32_t t = 0; t < static_cast<int32_t>(tiles_.size()); ++t) {
    const Tile& tile = tiles_[t];
    for (int32_t head = 0; head < shape_.n_head_kv; ++head) {
      const auto result = static_cast<int32_t>(results_.size());
      results_.push_back({partials, 0});
      if (whole || tile.segments.empty()) {
        items_.push_back(
            {.tile = t, .head = head, .segment = -1, .cells = {}, .partial = 0, .result = result});
        continue;
      }
      for (int32_t s = 0; s < static_cast<int32_t>(tile.segments.size()); ++s) {
        const CellRange seen = tile.segments[s].seen;
        for (int32_t cell = seen.begin / chunk_cells * chunk_cells; cell < seen.end; cell += chunk_cells) {
          items_.push_back({.tile = t,
                            .head = head,
                            .segment = s,
                            .cells = {std::max(cell, seen.begin), std::min(cell + chunk_cells, seen.end)},
                            .partial = partials++,
                            .result = result});
        }
      }
      results_.back().n_partials = partials - results_.back().first_partial;
    }
  }

  const size_t needed = partials * partial_size();
  if (needed > partial_capacity_) {
    partial_capacity_ = needed * 3 / 2;
    partials_.reset(
        static_cast<float*>(::operator new(partial_capacity_ * sizeof(float), std::align_val_t{64})));
  }
  if (results_.size() > result_capacity_) {
    result_capacity_ = results_.size() * 3 / 2;
    pending_ = std::make_unique<std::atomic<int32_t>[]>(result_capacity_);
  }
  for (size_t r = 0; r < results_.size(); ++r) pending_[r] = results_[r].n_partials;
  next_item_ = 0;
}

}  // namespace lanerope
