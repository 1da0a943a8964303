// SPDX-License-Identifier: Apache-2.0
#include "kernels/attention_schedule.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <new>
#include <span>

namespace lanerope::kernels {

namespace {

size_t n_prompt_segments(const core::AttentionBlock& block) {
  return std::ranges::find_if(block.owners, [](int32_t owner) { return owner != core::prompt_row; }) -
         block.owners.begin();
}

bool read_the_same_prompt(const core::AttentionBlock& a, const core::AttentionBlock& b) {
  const size_t n = n_prompt_segments(a);
  return n > 0 && n == n_prompt_segments(b) && a.frequencies == b.frequencies &&
         std::equal(a.segments.begin(), a.segments.begin() + static_cast<ptrdiff_t>(n), b.segments.begin());
}

// Blocks that read the same prompt as one: the prompt, then what each of them has of its own and the rows of
// the others do not see.
core::AttentionBlock joined(std::span<const core::AttentionBlock> blocks) {
  core::AttentionBlock all = blocks.front();
  const size_t n_prompt = n_prompt_segments(all);
  for (const core::AttentionBlock& block : blocks.subspan(1)) {
    all.n_rows += block.n_rows;
    all.segments.insert(all.segments.end(), block.segments.begin() + n_prompt, block.segments.end());
    all.owners.insert(all.owners.end(), block.owners.begin() + n_prompt, block.owners.end());
  }
  all.row_segments.assign(all.segments.size() * all.n_rows, core::RowSegment{});
  auto to = all.row_segments.begin();
  size_t own = n_prompt;  // the first of the block's own segments in `all`
  for (const core::AttentionBlock& block : blocks) {
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

void AttentionSchedule::Free::operator()(float* p) const {
  ::operator delete(p, std::align_val_t{64});
}

AttentionSchedule::AttentionSchedule(const AttentionShape& shape, int32_t n_layer)
    : shape_(shape), rotations_(n_layer) {
  assert(shape.n_head_kv > 0 && shape.n_head % shape.n_head_kv == 0);
  assert(shape.head_dim % 8 == 0 && shape.n_rot % 2 == 0 && shape.n_rot <= shape.head_dim);
}

void AttentionSchedule::prepare(const core::AttentionPlan& plan) {
  rotations_.next_step();
  n_rows_ = plan.n_rows;
  tiles_.clear();
  const std::span<const core::AttentionBlock> blocks = plan.blocks;
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
  add_tasks();
}

void AttentionSchedule::add_block(const core::AttentionBlock& block) {
  assert(block.frequencies == nullptr ||
         block.frequencies->theta.size() == static_cast<size_t>(shape_.n_rot / 2));
  assert(block.owners.size() == block.segments.size());
  std::vector<Chain> chains;
  for (int32_t s = 0; s < static_cast<int32_t>(block.segments.size()); ++s) {
    const bool goes_on =
        s > 0 && block.owners[s] == core::prompt_row && block.owners[s - 1] == core::prompt_row;
    if (goes_on) {
      ++chains.back().n;
    } else {
      chains.push_back({.first = s, .n = 1});
    }
  }
  const int32_t total = block.n_rows * heads_per_kv();
  for (int32_t first = 0; first < total; first += max_tile_width) {
    Tile tile{.first_row = block.first_row,
              .first_query = first,
              .n_queries = std::min(max_tile_width, total - first),
              .width = 0,
              .segments = {}};
    tile.width = (tile.n_queries + 15) / 16 * 16;
    for (const Chain chain : chains) {
      TileSegment segment = see_chain(block, chain, tile);
      if (!segment.seen.empty()) tile.segments.push_back(std::move(segment));
    }
    tiles_.push_back(std::move(tile));
  }
}

// What a row sees of a chain, as if it were one segment.
core::RowSegment AttentionSchedule::row_of_chain(const core::AttentionBlock& block, Chain chain,
                                                 int32_t row) {
  core::RowSegment joined;
  int32_t offset = 0;
  for (int32_t s = chain.first; s < chain.first + chain.n; ++s) {
    const auto& [visible, offsets] = block.row(row)[s];
    const int32_t length = block.segments[s].length;
    if (!visible.empty()) {
      assert(visible.begin >= 0 && visible.end <= length);
      const bool first = joined.visible.empty();
      assert(first || (joined.offset == offsets && joined.visible.end == offset + visible.begin));
      joined.visible = {first ? offset + visible.begin : joined.visible.begin, offset + visible.end};
      joined.offset = offsets;
    }
    offset += length;
  }
  return joined;
}

AttentionSchedule::TileSegment AttentionSchedule::see_chain(const core::AttentionBlock& block, Chain chain,
                                                            const Tile& tile) {
  const int32_t first_row = tile.first_query / heads_per_kv();
  const int32_t last_row = (tile.first_query + tile.n_queries - 1) / heads_per_kv();
  rows_of_chain_.clear();
  for (int32_t r = first_row; r <= last_row; ++r) rows_of_chain_.push_back(row_of_chain(block, chain, r));
  if (std::ranges::all_of(rows_of_chain_, [](const core::RowSegment& row) { return row.visible.empty(); }))
    return {};

  constexpr int32_t all = std::numeric_limits<int32_t>::max();
  TileSegment segment{.runs = {},
                      .queries = {tile.width, 0},
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
  std::vector<core::Offset> offsets(tile.width);
  for (int32_t query = 0; query < tile.n_queries; ++query) {
    const core::RowSegment& row = rows_of_chain_[(tile.first_query + query) / heads_per_kv() - first_row];
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
  // Enough tiles keep every thread busy without cutting them; what is computed is the same.
  constexpr size_t many = 256;
  const bool whole = tiles_.size() * shape_.n_head_kv >= many;
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
