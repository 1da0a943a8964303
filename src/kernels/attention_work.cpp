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
  const int32_t total = block.n_rows * group();
  std::vector<Turns> turns;
  for (int32_t first = 0; first < total; first += max_width) {
    Tile tile{.first_row = block.first_row,
              .first_lane = first,
              .n_lanes = std::min(max_width, total - first),
              .width = 0,
              .segments = {}};
    tile.width = (tile.n_lanes + 15) / 16 * 16;
    for (size_t s = 0; s < block.segments.size(); ++s) {
      TileSegment segment{.cell = block.segments[s].cell,
                          .seen = {std::numeric_limits<int32_t>::max(), 0},
                          .by_all = {0, std::numeric_limits<int32_t>::max()},
                          // Lanes that only fill the tile see everything, so that they cost no masks.
                          .begin = std::vector<int32_t>(tile.width, 0),
                          .end = std::vector<int32_t>(tile.width, std::numeric_limits<int32_t>::max())};
      turns.assign(tile.width, Turns{});
      for (int32_t lane = 0; lane < tile.n_lanes; ++lane) {
        const RowSegment& row = block.row((first + lane) / group())[s];
        assert(row.visible.empty() ||
               (row.visible.begin >= 0 && row.visible.end <= block.segments[s].length));
        const CellRange visible = row.visible.empty() ? CellRange{0, 0} : row.visible;
        turns[lane] = row.visible.empty() ? Turns{} : row.turns;
        segment.begin[lane] = visible.begin;
        segment.end[lane] = visible.end;
        segment.by_all = {std::max(segment.by_all.begin, visible.begin),
                          std::min(segment.by_all.end, visible.end)};
        if (visible.empty()) continue;
        segment.seen = {std::min(segment.seen.begin, visible.begin), std::max(segment.seen.end, visible.end)};
      }
      if (segment.seen.empty()) continue;
      segment.rotation = rotations_.find(block.frequencies, turns);
      tile.segments.push_back(std::move(segment));
    }
    tiles_.push_back(std::move(tile));
  }
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
