// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/attention_plan.h"

namespace lanerope::core {

// An attention plan as tensors of rounded sizes: the same operations, as many whatever the number of lanes
// is, for every plan of one shape.
//
// Rows that see much the same cells are a tile. A tile's cells lie in regions, one for each variant of its
// offsets (offset_fit.h): the rows rotated by a meet the region's keys rotated by b. The scores of all
// regions side by side, one mask over them and one soft-max are the attention of the tile. Tiles of one size
// are a dimension of the tensors; a plan has tiles of at most two sizes, a step's decoding rows and its
// prompts'.
//
//   a tile              region 0: all lanes, b = n      region 1: the prompt
//   lane 0  a = 0    |  . . . .  . . . .  . . . .  _ |  . . . . . . . . . . _ _     _: filled up
//   lane 1  a = 1    |  . . . .  . . . .  . . . .  _ |  . . . . . . . . . . _ _
//
struct RegionShape {
  int32_t n_cells = 0;
  // What is not zero everywhere.
  bool query_lanes = false;
  bool query_tokens = false;
  bool key_lanes = false;
  bool key_tokens = false;

  bool operator==(const RegionShape&) const = default;
};

struct TileShape {
  int32_t n_tiles = 0;
  int32_t n_rows = 0;            // of a tile
  int32_t n_omegas = 0;          // different vectors omega; lane offsets are given for each
  bool omega_of_layers = false;  // one of them has a vector for each layer
  std::vector<RegionShape> regions = {};

  int32_t n_cells() const;
  bool operator==(const TileShape&) const = default;
};

struct PlanShape {
  std::vector<TileShape> sizes = {};
  bool in_order = false;  // one tile, whose rows are those of the batch

  bool operator==(const PlanShape&) const = default;
};

// Offsets by lanes of one omega each: those of rows or cells of another one are 0.
using LaneOffsets = std::vector<std::vector<int32_t>>;

struct RegionTensors {
  std::vector<int32_t> cells = {};         // [n_cells, n_tiles]
  std::vector<int32_t> key_tokens = {};    // the same
  LaneOffsets key_lanes = {};              // [n_omegas] of the same
  std::vector<int32_t> query_tokens = {};  // [n_rows, n_tiles]
  LaneOffsets query_lanes = {};            // [n_omegas] of the same
};

struct TileTensors {
  std::vector<int32_t> rows = {};   // [n_rows, n_tiles] of the batch
  std::vector<int32_t> cells = {};  // [n_cells of all regions, n_tiles]
  std::vector<float> mask = {};     // [n_cells of all regions, n_rows, n_tiles] 0 or -inf
  std::vector<RegionTensors> regions = {};
  std::vector<std::shared_ptr<const ClassFrequencies>> omegas = {};  // [n_omegas]
};

struct PlanTensors {
  PlanShape shape = {};
  std::vector<TileTensors> sizes = {};
  // [rows of the batch, rounded] where a row lies when the rows of all tiles of all sizes follow one another
  std::vector<int32_t> slots = {};
};

struct PlanTensorsOptions {
  std::span<const int32_t> positions = {};  // [rows of the plan] token index
  int32_t n_rows = 0;                       // of the batch, rounded
  int32_t spare_cell = 0;                   // a cell that may be read and means nothing
};

PlanTensors plan_tensors(const AttentionPlan& plan, const PlanTensorsOptions& options);

}  // namespace lanerope::core
