// SPDX-License-Identifier: Apache-2.0
#include "core/plan_tensors.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <map>
#include <optional>

#include "core/offset_fit.h"
#include "core/rounded_sizes.h"

namespace lanerope::core {

namespace {

constexpr int32_t most_variants = 5;
// Tiles of more rows are another size: a chunk of a prompt beside lanes that decode.
constexpr int32_t most_narrow_rows = 32;

bool all_zero(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return value == 0; });
}

struct RowOfBlock {
  const AttentionBlock* block = nullptr;
  int32_t row = 0;            // of the block
  int32_t first_segment = 0;  // the tile's number of the block's segment 1; its segment 0 is the tile's

  int32_t segment(int32_t of_block) const { return of_block == 0 ? 0 : first_segment + of_block - 1; }
  const RowSegment& at(int32_t of_block) const { return block->row(row)[of_block]; }
};

struct SegmentOfBlock {
  const AttentionBlock* block = nullptr;
  int32_t segment = 0;
};

struct Tile {
  std::vector<RowOfBlock> rows = {};
  std::vector<SegmentOfBlock> segments = {};
  std::shared_ptr<const ClassFrequencies> frequencies = {};
  std::vector<Variant> variants = {};
  bool has_lanes = false;  // some offset has

  int32_t n_rows() const { return static_cast<int32_t>(rows.size()); }
};

bool same_prompt(const AttentionBlock& a, const AttentionBlock& b) {
  const AttentionBlock::Segment& of_a = a.segments.front();
  const AttentionBlock::Segment& of_b = b.segments.front();
  return of_a.owner == prompt_row && of_b.owner == prompt_row && of_a.length == of_b.length &&
         std::ranges::equal(a.runs_of(of_a), b.runs_of(of_b));
}

bool same_frequencies(const AttentionBlock& a, const AttentionBlock& b) {
  if (a.frequencies == b.frequencies) return true;
  return a.frequencies != nullptr && b.frequencies != nullptr && *a.frequencies == *b.frequencies;
}

// Lanes that are alone are a block each, and have their prompt in common: together they read it once.
bool go_together(const Tile& tile, const AttentionBlock& block) {
  const AttentionBlock& first = *tile.rows.front().block;
  return tile.n_rows() + block.n_rows <= most_narrow_rows && same_prompt(first, block) &&
         same_frequencies(first, block);
}

void add_block(Tile& tile, const AttentionBlock& block) {
  const bool fresh = tile.rows.empty();
  if (fresh) {
    tile.frequencies = block.frequencies;
    tile.segments.push_back({.block = &block, .segment = 0});
  }
  const auto first_segment = static_cast<int32_t>(tile.segments.size());
  for (int32_t s = 1; s < std::ssize(block.segments); ++s) tile.segments.push_back({&block, s});
  for (int32_t r = 0; r < block.n_rows; ++r)
    tile.rows.push_back({.block = &block, .row = r, .first_segment = first_segment});
}

// False where the variants would be too many.
bool fit(Tile& tile) {
  const bool lanes = tile.frequencies != nullptr && !all_zero(tile.frequencies->omega);
  const bool tokens = tile.frequencies != nullptr && !all_zero(tile.frequencies->theta);
  std::vector<Meeting> meetings;
  for (int32_t t = 0; t < tile.n_rows(); ++t) {
    const RowOfBlock& row = tile.rows[t];
    for (int32_t s = 0; s < std::ssize(row.block->segments); ++s) {
      const RowSegment& at = row.at(s);
      if (at.visible.empty()) continue;
      const Offset offset{.lanes = lanes ? at.offset.lanes : 0, .tokens = tokens ? at.offset.tokens : 0};
      tile.has_lanes |= offset.lanes != 0;
      meetings.push_back({.row = t,
                          .segment = row.segment(s),
                          .offset = offset,
                          .of_prompt = row.block->segments[s].owner == prompt_row});
    }
  }
  tile.variants = fit_offsets(meetings, {.n_rows = tile.n_rows(),
                                         .n_segments = static_cast<int32_t>(tile.segments.size()),
                                         .most_variants = most_variants});
  const auto still = [](const Variant& variant) {
    const auto none = [](Offset offset) { return offset.none(); };
    return std::ranges::all_of(variant.of_rows, none) && std::ranges::all_of(variant.of_segments, none);
  };
  std::ranges::stable_partition(tile.variants, still);
  return !tile.variants.empty();
}

// The tile in parts whose rows have `key` in common.
template <typename Key>
std::vector<Tile> split(const Tile& tile, Key key) {
  std::map<int32_t, Tile> parts;
  for (int32_t t = 0; t < tile.n_rows(); ++t) {
    Tile& part = parts[key(t)];
    part.segments = tile.segments;
    part.frequencies = tile.frequencies;
    part.rows.push_back(tile.rows[t]);
  }
  std::vector<Tile> list;
  for (auto& [value, part] : parts) list.push_back(std::move(part));
  return list;
}

// Of hogwild a whole step fits at most, as what it moves depends on the clock. A row alone always does.
void fit_parts(std::vector<Tile>& fitted, Tile whole, std::span<const int32_t> positions) {
  if (fit(whole)) {
    fitted.push_back(std::move(whole));
    return;
  }
  const auto position = [&](int32_t t) {
    return positions[whole.rows[t].block->first_row + whole.rows[t].row];
  };
  for (Tile& step : split(whole, position)) {
    if (fit(step)) {
      fitted.push_back(std::move(step));
      continue;
    }
    for (Tile& row : split(step, [](int32_t t) { return t; })) {
      [[maybe_unused]] const bool fits = fit(row);
      assert(fits);
      fitted.push_back(std::move(row));
    }
  }
}

std::vector<Tile> fitted_tiles(const AttentionPlan& plan, std::span<const int32_t> positions) {
  std::vector<Tile> fitted;
  Tile open;
  const auto close = [&] {
    if (!open.rows.empty()) fit_parts(fitted, std::move(open), positions);
    open = {};
  };
  for (const AttentionBlock& block : plan.blocks) {
    if (open.rows.empty() || !go_together(open, block)) close();
    add_block(open, block);
  }
  close();
  return fitted;
}

// The cells of one tile that one of its variants is about, segment after segment.
struct TileRegion {
  std::vector<int32_t> cells = {};
  std::vector<Offset> offsets = {};  // b, as long
  struct Place {
    CellRange seen = {};  // by any of the rows
    int32_t first = 0;    // in `cells`
  };
  std::map<int32_t, Place> places = {};  // by the tile's segment
};

int32_t block_segment(const Tile& tile, int32_t segment) {
  return tile.segments[segment].segment;
}

CellRange seen_by(const Tile& tile, const Meeting& meeting) {
  return tile.rows[meeting.row].at(block_segment(tile, meeting.segment)).visible;
}

TileRegion region_of(const Tile& tile, const Variant& variant) {
  TileRegion region;
  for (const Meeting& meeting : variant.meetings) {
    const CellRange seen = seen_by(tile, meeting);
    const auto [at, fresh] = region.places.try_emplace(meeting.segment, TileRegion::Place{.seen = seen});
    CellRange& all = at->second.seen;
    all = {std::min(all.begin, seen.begin), std::max(all.end, seen.end)};
  }
  for (auto& [segment, place] : region.places) {
    place.first = static_cast<int32_t>(region.cells.size());
    const AttentionBlock& block = *tile.segments[segment].block;
    int32_t index = 0;  // of the run's first cell in the segment
    for (const CellRun& run : block.runs_of(block.segments[block_segment(tile, segment)])) {
      const int32_t begin = std::max(index, place.seen.begin);
      const int32_t end = std::min(index + run.length, place.seen.end);
      for (int32_t i = begin; i < end; ++i) region.cells.push_back(run.cell + i - index);
      index += run.length;
    }
    region.offsets.resize(region.cells.size(), variant.of_segments[segment]);
  }
  return region;
}

// All tiles of one size.
class SizeBuilder {
 public:
  SizeBuilder(std::vector<const Tile*> tiles, const PlanTensorsOptions& options)
      : tiles_(std::move(tiles)), options_(options) {
    int32_t most_rows = 0;
    size_t n_regions = 0;
    for (const Tile* tile : tiles_) {
      most_rows = std::max(most_rows, tile->n_rows());
      n_regions = std::max(n_regions, tile->variants.size());
      regions_.emplace_back();
      for (const Variant& variant : tile->variants) regions_.back().push_back(region_of(*tile, variant));
      omega_of_tile_.push_back(tile->has_lanes ? omega_index(tile->frequencies) : -1);
    }
    shape_.n_rows = rounded_rows(most_rows);
    shape_.n_tiles = rounded_rows(static_cast<int32_t>(tiles_.size()));
    shape_.n_omegas = static_cast<int32_t>(tensors_.omegas.size());
    for (size_t v = 0; v < n_regions; ++v) {
      int32_t most_cells = 0;
      for (const auto& of_tile : regions_) {
        if (v < of_tile.size())
          most_cells = std::max(most_cells, static_cast<int32_t>(of_tile[v].cells.size()));
      }
      shape_.regions.push_back({.n_cells = rounded_cells(most_cells)});
    }
  }

  const TileShape& shape() const { return shape_; }

  // `slots` of the rows, the first of them being `first_slot`.
  TileTensors build(std::span<int32_t> slots, int32_t first_slot) {
    const int32_t rows = shape_.n_rows * shape_.n_tiles;
    tensors_.rows.assign(rows, 0);
    tensors_.cells.assign(static_cast<size_t>(shape_.n_cells()) * shape_.n_tiles, options_.spare_cell);
    // Rows that fill up see everything, so that nothing is divided by zero.
    tensors_.mask.assign(static_cast<size_t>(shape_.n_cells()) * rows, 0.0F);
    for (int32_t g = 0; g < std::ssize(tiles_); ++g) {
      const Tile& tile = *tiles_[g];
      for (int32_t t = 0; t < tile.n_rows(); ++t) {
        const int32_t row = tile.rows[t].block->first_row + tile.rows[t].row;
        tensors_.rows[g * shape_.n_rows + t] = row;
        slots[row] = first_slot + g * shape_.n_rows + t;
        std::ranges::fill(mask_of({.tile = g, .row = t}), -std::numeric_limits<float>::infinity());
      }
    }
    int32_t first_cell = 0;
    for (size_t v = 0; v < shape_.regions.size(); ++v) {
      tensors_.regions.push_back(region_tensors(v, first_cell));
      first_cell += shape_.regions[v].n_cells;
    }
    return std::move(tensors_);
  }

 private:
  struct RowOfTile {
    int32_t tile = 0;
    int32_t row = 0;
  };
  std::span<float> mask_of(RowOfTile at) {
    const auto n_cells = static_cast<size_t>(shape_.n_cells());
    return std::span(tensors_.mask)
        .subspan((at.tile * static_cast<size_t>(shape_.n_rows) + at.row) * n_cells, n_cells);
  }

  int32_t omega_index(const std::shared_ptr<const ClassFrequencies>& frequencies) {
    for (int32_t i = 0; i < std::ssize(tensors_.omegas); ++i) {
      if (tensors_.omegas[i]->omega == frequencies->omega) return i;
    }
    tensors_.omegas.push_back(frequencies);
    shape_.omega_of_layers |= frequencies->omega.size() != frequencies->theta.size();
    return static_cast<int32_t>(tensors_.omegas.size()) - 1;
  }

  RegionTensors region_tensors(size_t v, int32_t first_cell) {
    RegionShape& shape = shape_.regions[v];
    const int32_t n_cells = shape.n_cells;
    const size_t all_cells = static_cast<size_t>(n_cells) * shape_.n_tiles;
    const size_t all_rows = static_cast<size_t>(shape_.n_rows) * shape_.n_tiles;
    RegionTensors region{.cells = std::vector(all_cells, options_.spare_cell),
                         .key_tokens = std::vector(all_cells, 0),
                         .key_lanes = LaneOffsets(shape_.n_omegas, std::vector(all_cells, 0)),
                         .query_tokens = std::vector(all_rows, 0),
                         .query_lanes = LaneOffsets(shape_.n_omegas, std::vector(all_rows, 0))};
    for (int32_t g = 0; g < std::ssize(tiles_); ++g) {
      if (v >= regions_[g].size()) continue;
      const Tile& tile = *tiles_[g];
      const TileRegion& of_tile = regions_[g][v];
      const int32_t omega = omega_of_tile_[g];
      for (size_t i = 0; i < of_tile.cells.size(); ++i) {
        const size_t at = g * static_cast<size_t>(n_cells) + i;
        region.cells[at] = of_tile.cells[i];
        tensors_.cells[g * static_cast<size_t>(shape_.n_cells()) + first_cell + i] = of_tile.cells[i];
        region.key_tokens[at] = of_tile.offsets[i].tokens;
        if (omega >= 0) region.key_lanes[omega][at] = of_tile.offsets[i].lanes;
        shape.key_tokens |= of_tile.offsets[i].tokens != 0;
        shape.key_lanes |= of_tile.offsets[i].lanes != 0;
      }
      for (int32_t t = 0; t < tile.n_rows(); ++t) {
        const size_t at = g * static_cast<size_t>(shape_.n_rows) + t;
        const Offset offset = tile.variants[v].of_rows[t];
        region.query_tokens[at] = offset.tokens;
        if (omega >= 0) region.query_lanes[omega][at] = offset.lanes;
        shape.query_tokens |= offset.tokens != 0;
        shape.query_lanes |= offset.lanes != 0;
      }
      for (const Meeting& meeting : tile.variants[v].meetings) {
        const TileRegion::Place& place = of_tile.places.at(meeting.segment);
        const CellRange seen = seen_by(tile, meeting);
        const auto mask = mask_of({.tile = g, .row = meeting.row});
        std::ranges::fill(mask.subspan(first_cell + place.first + seen.begin - place.seen.begin, seen.size()),
                          0.0F);
      }
    }
    return region;
  }

  std::vector<const Tile*> tiles_;
  const PlanTensorsOptions& options_;
  std::vector<std::vector<TileRegion>> regions_ = {};  // [tiles][variants of each]
  std::vector<int32_t> omega_of_tile_ = {};            // -1: no lane offsets
  TileShape shape_ = {};
  TileTensors tensors_ = {};
};

bool rows_in_order(const std::vector<Tile>& tiles, const AttentionPlan& plan) {
  if (tiles.size() != 1) return false;
  int32_t next = 0;
  return std::ranges::all_of(
             tiles.front().rows,
             [&](const RowOfBlock& row) { return row.block->first_row + row.row == next++; }) &&
         next == plan.n_rows;
}

}  // namespace

int32_t TileShape::n_cells() const {
  int32_t n = 0;
  for (const RegionShape& region : regions) n += region.n_cells;
  return n;
}

PlanTensors plan_tensors(const AttentionPlan& plan, const PlanTensorsOptions& options) {
  const std::vector<Tile> tiles = fitted_tiles(plan, options.positions);
  std::vector<const Tile*> narrow;
  std::vector<const Tile*> wide;
  for (const Tile& tile : tiles) (tile.n_rows() <= most_narrow_rows ? narrow : wide).push_back(&tile);

  PlanTensors result;
  result.slots.assign(options.n_rows, 0);
  int32_t first_slot = 0;
  for (auto* of_size : {&narrow, &wide}) {
    if (of_size->empty()) continue;
    SizeBuilder size(std::move(*of_size), options);
    result.sizes.push_back(size.build(result.slots, first_slot));
    result.shape.sizes.push_back(size.shape());
    first_slot += size.shape().n_rows * size.shape().n_tiles;
  }
  result.shape.in_order = rows_in_order(tiles, plan) && result.shape.sizes.front().n_rows == options.n_rows;
  return result;
}

}  // namespace lanerope::core
