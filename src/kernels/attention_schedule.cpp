// SPDX-License-Identifier: Apache-2.0
#include "kernels/attention_schedule.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <new>
#include <span>

#include "kernels/join_blocks.h"

namespace lanerope::kernels {

void AttentionSchedule::Free::operator()(float* p) const {
  ::operator delete(p, std::align_val_t{64});
}

AttentionSchedule::AttentionSchedule(const AttentionShape& shape, int32_t n_layer, int32_t n_threads)
    : shape_(shape), n_threads_(n_threads), rotations_(n_layer) {
  assert(shape.n_head_kv > 0 && shape.n_head % shape.n_head_kv == 0);
  assert(shape.head_dim % 8 == 0 && shape.n_rot % 2 == 0 && shape.n_rot <= shape.head_dim);
}

void AttentionSchedule::prepare(const core::AttentionPlan& plan) {
  rotations_.next_step();
  n_rows_ = plan.n_rows;
  tiles_.clear();
  const std::span<const core::AttentionBlock> blocks = plan.blocks;
  for (size_t begin = 0; begin < blocks.size();) {
    const Join found = find_join(blocks.subspan(begin), chunk_cells);
    if (found.n_blocks == 1) {
      add_block(blocks[begin]);
    } else {
      add_block(join(blocks.subspan(begin, found.n_blocks), found.shared));
    }
    begin += found.n_blocks;
  }
  add_tasks();
}

void AttentionSchedule::add_block(const core::AttentionBlock& block) {
  assert(block.frequencies == nullptr ||
         block.frequencies->theta.size() == static_cast<size_t>(shape_.n_rot / 2));
  const int32_t total = block.n_rows * heads_per_kv();
  for (int32_t first = 0; first < total; first += max_tile_width) {
    Tile tile{.first_row = block.first_row,
              .first_query = first,
              .n_queries = std::min(max_tile_width, total - first),
              .width = 0,
              .segments = {}};
    tile.width = (tile.n_queries + 15) / 16 * 16;
    for (size_t s = 0; s < block.segments.size(); ++s) {
      TileSegment segment = see_segment(block, s, tile);
      if (!segment.seen.empty()) tile.segments.push_back(std::move(segment));
    }
    tiles_.push_back(std::move(tile));
  }
}

AttentionSchedule::TileSegment AttentionSchedule::see_segment(const core::AttentionBlock& block, size_t index,
                                                              const Tile& tile) {
  const core::AttentionBlock::Segment& of = block.segments[index];
  const auto row_of = [&](int32_t query) -> const core::RowSegment& {
    return block.row((tile.first_query + query) / heads_per_kv())[index];
  };
  bool seen = false;
  for (int32_t query = 0; query < tile.n_queries && !seen; ++query) seen = !row_of(query).visible.empty();
  if (!seen) return {};

  constexpr int32_t all = std::numeric_limits<int32_t>::max();
  TileSegment segment{.runs = {},
                      .queries = {tile.width, 0},
                      .seen = {all, 0},
                      .by_all = {0, all},
                      // Lanes that only fill the tile see everything, so that they cost no masks.
                      .begin = std::vector<int32_t>(tile.width, 0),
                      .end = std::vector<int32_t>(tile.width, all)};
  int32_t begin = 0;
  for (const core::CellRun& run : block.runs_of(of)) {
    segment.runs.push_back({.begin = begin, .cell = run.cell});
    begin += run.length;
  }
  std::vector<core::Offset> offsets(tile.width);
  for (int32_t query = 0; query < tile.n_queries; ++query) {
    const core::RowSegment& row = row_of(query);
    assert(row.visible.empty() || (row.visible.begin >= 0 && row.visible.end <= of.length));
    offsets[query] = row.offset;
    segment.begin[query] = row.visible.begin;
    segment.end[query] = row.visible.end;
    if (row.visible.empty()) continue;
    segment.queries = {std::min(segment.queries.begin, query / 16 * 16), query / 16 * 16 + 16};
    segment.seen = {std::min(segment.seen.begin, row.visible.begin),
                    std::max(segment.seen.end, row.visible.end)};
  }
  for (int32_t query = segment.queries.begin; query < segment.queries.end; ++query) {
    segment.by_all = {std::max(segment.by_all.begin, segment.begin[query]),
                      std::min(segment.by_all.end, segment.end[query])};
  }
  segment.rotation = rotations_.find(block.frequencies, offsets);
  return segment;
}

void AttentionSchedule::add_tasks() {
  tasks_.clear();
  merges_.clear();
  int32_t partials = 0;
  // Enough tiles keep every thread busy without cutting them; what is computed is the same, and the results
  // of chunks need not go through memory.
  const bool whole = tiles_.size() * shape_.n_head_kv >= static_cast<size_t>(4 * n_threads_);
  for (int32_t t = 0; t < static_cast<int32_t>(tiles_.size()); ++t) {
    const Tile& tile = tiles_[t];
    for (int32_t head = 0; head < shape_.n_head_kv; ++head) {
      const auto result = static_cast<int32_t>(merges_.size());
      merges_.push_back({.first_partial = partials, .first_task = static_cast<int32_t>(tasks_.size())});
      if (whole || tile.segments.empty()) {
        tasks_.push_back(
            {.tile = t, .head = head, .segment = -1, .cells = {}, .partial = 0, .result = result});
        continue;
      }
      for (int32_t s = 0; s < static_cast<int32_t>(tile.segments.size()); ++s) {
        const core::CellRange seen = tile.segments[s].seen;
        for (int32_t cell = seen.begin / chunk_cells * chunk_cells; cell < seen.end; cell += chunk_cells) {
          tasks_.push_back({.tile = t,
                            .head = head,
                            .segment = s,
                            .cells = {std::max(cell, seen.begin), std::min(cell + chunk_cells, seen.end)},
                            .partial = partials++,
                            .result = result});
        }
      }
      merges_.back().n_partials = partials - merges_.back().first_partial;
    }
  }

  const size_t needed = partials * partial_size();
  if (needed > partial_capacity_) {
    partial_capacity_ = needed * 3 / 2;
    partials_.reset(
        static_cast<float*>(::operator new(partial_capacity_ * sizeof(float), std::align_val_t{64})));
  }
  if (merges_.size() > merge_capacity_) {
    merge_capacity_ = merges_.size() * 3 / 2;
    pending_ = std::make_unique<std::atomic<int32_t>[]>(merge_capacity_);
  }
  for (size_t r = 0; r < merges_.size(); ++r) pending_[r] = merges_[r].n_partials;
  next_task_ = 0;
}

}  // namespace lanerope::kernels
