// SPDX-License-Identifier: Apache-2.0
#include "kernels/join_blocks.h"

#include <algorithm>
#include <cassert>

namespace lanerope::kernels {

namespace {

using core::AttentionBlock;
using core::CellRange;
using core::CellRun;

bool has_prompt(const AttentionBlock& block) {
  return !block.segments.empty() && block.segments.front().owner == core::prompt_row;
}

bool turn_alike(const AttentionBlock& a, const AttentionBlock& b) {
  if (a.frequencies == b.frequencies) return true;
  return a.frequencies != nullptr && b.frequencies != nullptr && *a.frequencies == *b.frequencies;
}

// With how many cells both begin.
int32_t common_cells(std::span<const CellRun> a, std::span<const CellRun> b) {
  int32_t common = 0;
  CellRun of_a;
  CellRun of_b;
  while (true) {
    if (of_a.length == 0) {
      if (a.empty()) return common;
      of_a = a.front();
      a = a.subspan(1);
    }
    if (of_b.length == 0) {
      if (b.empty()) return common;
      of_b = b.front();
      b = b.subspan(1);
    }
    const int32_t n = std::min(of_a.length, of_b.length);
    if (n > 0 && of_a.cell != of_b.cell) return common;
    common += n;
    of_a = {of_a.cell + n, of_a.length - n};
    of_b = {of_b.cell + n, of_b.length - n};
  }
}

bool prompts_are_equal(const AttentionBlock& a, const AttentionBlock& b) {
  return std::ranges::equal(a.runs_of(a.segments.front()), b.runs_of(b.segments.front()));
}

// The runs of a prompt's cells from number `begin` on.
std::vector<CellRun> runs_from(std::span<const CellRun> runs, int32_t begin) {
  std::vector<CellRun> rest;
  for (const CellRun& run : runs) {
    const int32_t skipped = std::min(begin, run.length);
    begin -= skipped;
    if (run.length > skipped) rest.push_back({run.cell + skipped, run.length - skipped});
  }
  return rest;
}

// What a row does with a part of a segment.
core::RowSegment part_of(const core::RowSegment& row, CellRange part) {
  const CellRange seen{std::max(row.visible.begin, part.begin) - part.begin,
                       std::min(row.visible.end, part.end) - part.begin};
  if (seen.empty()) return {};
  return {.visible = seen, .offset = row.offset};
}

}  // namespace

Join find_join(std::span<const AttentionBlock> blocks, int32_t step) {
  const AttentionBlock& first = blocks.front();
  if (!has_prompt(first)) return {};
  int32_t longest = first.segments.front().length;
  Join found{.n_blocks = 1, .shared = longest};
  for (const AttentionBlock& next : blocks.subspan(1)) {
    if (!has_prompt(next) || !turn_alike(first, next)) break;
    if (!prompts_are_equal(first, next)) {
      const int32_t common =
          common_cells(first.runs_of(first.segments.front()), next.runs_of(next.segments.front()));
      const int32_t shared = std::min(found.shared, common) / step * step;
      const int32_t length = std::max(longest, next.segments.front().length);
      if (shared == 0 || shared < length - shared) break;
      longest = length;
      found.shared = shared;
    }
    ++found.n_blocks;
  }
  return found;
}

AttentionBlock join(std::span<const AttentionBlock> blocks, int32_t shared) {
  const AttentionBlock& first = blocks.front();
  const std::span<const CellRun> prompt = first.runs_of(first.segments.front());
  AttentionBlock all{.first_row = first.first_row, .frequencies = first.frequencies};
  all.add_segment(core::prompt_row, {.runs = prompt, .length = shared});

  // Where each block's segments are in `all`: the rest of its prompt, if there is any, and its own.
  struct Place {
    size_t rest;
    size_t own;
  };
  std::vector<Place> places;
  for (size_t b = 0; b < blocks.size(); ++b) {
    const AttentionBlock& block = blocks[b];
    const AttentionBlock::Segment& of_prompt = block.segments.front();
    assert(shared <= of_prompt.length);
    if (b > 0 && prompts_are_equal(blocks[b - 1], block)) {
      places.push_back({places.back().rest, all.segments.size()});
    } else {
      const size_t rest = all.segments.size();
      if (shared < of_prompt.length) {
        const std::vector<CellRun> runs = runs_from(block.runs_of(of_prompt), shared);
        all.add_segment(core::prompt_row, {.runs = runs, .length = of_prompt.length - shared});
      }
      places.push_back({rest, all.segments.size()});
    }
    for (size_t s = 1; s < block.segments.size(); ++s) {
      const AttentionBlock::Segment& segment = block.segments[s];
      all.add_segment(segment.owner, {.runs = block.runs_of(segment), .length = segment.length});
    }
    all.n_rows += block.n_rows;
  }

  all.row_segments.assign(all.segments.size() * all.n_rows, core::RowSegment{});
  auto to = all.row_segments.begin();
  for (size_t b = 0; b < blocks.size(); ++b) {
    const AttentionBlock& block = blocks[b];
    const int32_t length = block.segments.front().length;
    for (int32_t r = 0; r < block.n_rows; ++r) {
      const auto row = block.row(r);
      to[0] = part_of(row.front(), {0, shared});
      if (shared < length)
        to[static_cast<ptrdiff_t>(places[b].rest)] = part_of(row.front(), {shared, length});
      std::ranges::copy(row.subspan(1), to + static_cast<ptrdiff_t>(places[b].own));
      to += static_cast<ptrdiff_t>(all.segments.size());
    }
  }
  return all;
}

}  // namespace lanerope::kernels
