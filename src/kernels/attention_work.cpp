// SPDX-License-Identifier: Apache-2.0
#include "kernels/attention_work.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <new>
#include <span>

namespace lanerope {

namespace {

size_t n_prompt_segments(const AttentionBlock& block) {
  return std::ranges::find_if(block.owners, [](int32_t owner) { return owner != prompt_row; }) -
         block.owners.begin();
}

bool read_the_same_prompt(const AttentionBlock& a, const AttentionBlock& b) {
  const size_t n = n_prompt_segments(a);
  return n > 0 && n == n_prompt_segments(b) && a.frequencies == b.frequencies &&
         std::equal(a.segments.begin(), a.segments.begin() + static_cast<ptrdiff_t>(n), b.segments.begin());
}

// Blocks that read the same prompt as one: the prompt, then what each of them has of its own and the rows of
// the others do not see.
AttentionBlock joined(std::span<const AttentionBlock> blocks) {
  AttentionBlock all = blocks.front();
  const size_t n_prompt = n_prompt_segments(all);
  for (const AttentionBlock& block : blocks.subspan(1)) {
    all.n_rows += block.n_rows;
    all.segments.insert(all.segments.end(), block.segments.begin() + n_prompt, block.segments.end());
    all.owners.insert(all.owners.end(), block.owners.begin() + n_prompt, block.owners.end());
  }
  all.row_segments.assign(all.segments.size() * all.n_rows, RowSegment{});
  auto to = all.row_segments.begin();
  size_t own = n_prompt;  // the first of the block's own segments in `all`
  for (const AttentionBlock& block : blocks) {
    for (int32_t r = 0; r < block.n_rows; ++r) {
      const auto row = block.row(r);
      std::ranges::copy(row.first(n_prompt), to);
      std::ranges::copy(row.subspan(n_prompt), to + own);
      to += all.segments.size();
    }
    own += block.segments.size() - n_prompt;
  }
  return all;
}

}  // namespace

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
  const std::span<const AttentionBlock> blocks = plan.blocks;
  for (size_t begin = 0; begin < blocks.size();) {
    size_t end = begin + 1;
    while (end < blocks.size() && read_the_same_prompt(blocks[begin], blocks[end])) ++end;
    if (end == begin + 1) {
      add_block(blocks[begin]);
    } else {
      add_block(joined(blocks.subspan(begin, end - begin)));
    }
    begin = end;
  }
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
  const int32_t first_row = tile.first_lane / group();
  const int32_t last_row = (tile.first_lane + tile.n_lanes - 1) / group();
  rows_of_chain_.clear();
  for (int32_t r = first_row; r <= last_row; ++r) rows_of_chain_.push_back(row_of_chain(block, chain, r));
  if (std::ranges::all_of(rows_of_chain_, [](const RowSegment& row) { return row.visible.empty(); }))
    return {};

  constexpr int32_t all = std::numeric_limits<int32_t>::max();
  TileSegment segment{.runs = {},
                      .lanes = {tile.width, 0},
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
    const RowSegment& row = rows_of_chain_[(tile.first_lane + lane) / group() - first_row];
    turns[lane] = row.turns;
    segment.begin[lane] = row.visible.begin;
    segment.end[lane] = row.visible.end;
    if (row.visible.empty()) continue;
    segment.lanes = {std::min(segment.lanes.begin, lane / 16 * 16), lane / 16 * 16 + 16};
    segment.seen = {std::min(segment.seen.begin, row.visible.begin),
                    std::max(segment.seen.end, row.visible.end)};
  }
  for (int32_t lane = segment.lanes.begin; lane < segment.lanes.end; ++lane) {
    segment.by_all = {std::max(segment.by_all.begin, segment.begin[lane]),
                      std::min(segment.by_all.end, segment.end[lane])};
  }
  segment.rotation = rotations_.find(block.frequencies, turns);
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
      results_.push_back({.first_partial = partials, .first_item = static_cast<int32_t>(items_.size())});
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
