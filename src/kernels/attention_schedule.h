// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/attention_plan.h"
#include "core/theta.h"
#include "kernels/rotation_table.h"

namespace lanerope::kernels {

// What all attentions of a model have in common.
struct AttentionShape {
  int32_t n_head = 0;
  int32_t n_head_kv = 0;
  int32_t head_dim = 0;  // a multiple of 8
  int32_t n_rot = 0;     // the rotated components, the first of a head; <= head_dim
  core::RopePairs pairs = core::RopePairs::halves;
  float scale = 1;  // of a score
  float cap = 0;    // c: a score s becomes c * tanh(s / c); 0: it stays as it is
};

// An AttentionPlan cut into pieces of work. Queries are (row, query head of one KV head) pairs; up to 48
// of them make a tile, which meets each block of keys together. Partial results are merged in the order of
// the cells, and what is added up before what follows from the index of a cell in its segment alone, however
// many runs of the pool hold the segment.
//
//   tokens         0        64       128      192            a prompt that begins with another one's first
//   runs of cells  [ shared  . . . . . ][ own . . . . . .    100 tokens: the second block of keys is put
//   blocks         |        |        |        |        |     together from both runs
//   chunks         |                                         8 blocks each; one partial result
//
// Blocks of rows that follow one another and read the same prompt, or prompts that begin alike, are joined
// (join_blocks.h). What only some queries of a tile see is computed for those (in sixteens).
//
// A row's result is therefore a function of its query and of the keys and values that it sees, to the bit:
// not of the other rows, nor of where its cells lie, nor of which of them are shared with other prompts.
class AttentionSchedule {
 public:
  static constexpr int32_t max_tile_width = 48;  // queries of a tile
  static constexpr int32_t block_cells = 64;     // keys converted at a time; the first begins a segment
  static constexpr int32_t chunk_cells = 512;    // keys of one partial result

  // Queries [begin, end) of a tile, multiples of 16.
  struct QueryRange {
    int32_t begin = 0;
    int32_t end = 0;
  };
  // The cells of a segment from number `begin` on, up to the next run's.
  struct Run {
    int32_t begin = 0;
    int32_t cell = 0;  // in the pool
  };
  // One segment as the queries of a tile see it. Ranges count cells from its start.
  struct TileSegment {
    std::vector<Run> runs;   // in order; the first begins at 0
    QueryRange queries;      // that see something, rounded outwards
    core::CellRange seen;    // by some query
    core::CellRange by_all;  // by each of `queries`; the rest of `seen` needs a look at each one's own range
    std::vector<int32_t> begin;               // [width]
    std::vector<int32_t> end;                 // [width]
    const RotationTable* rotation = nullptr;  // null: no query is rotated
  };
  struct Tile {
    int32_t first_row = 0;  // of the block
    int32_t first_query =
        0;  // query u is row first_row + u / heads_per_kv and head u % heads_per_kv of the KV head
    int32_t n_queries = 0;
    int32_t width = 0;                  // n_queries rounded up to 16
    std::vector<TileSegment> segments;  // those of which something is seen
  };
  // A piece of work. Either all of a tile, for one KV head, or one chunk of one segment.
  struct Task {
    int32_t tile = 0;
    int32_t head = 0;
    int32_t segment = -1;  // -1: all of them
    core::CellRange cells;
    int32_t partial = 0;  // where the result of a chunk is kept
    int32_t result = 0;   // which (tile, KV head) it belongs to
  };
  struct Merge {
    int32_t first_partial = 0;
    int32_t n_partials = 0;
    int32_t first_task = 0;  // the item of its first partial; the others follow in order
  };

  // n_threads: that are going to share the work.
  AttentionSchedule(const AttentionShape& shape, int32_t n_layer, int32_t n_threads = 32);

  // Between runs of a graph, before the first layer. The plan is not needed afterwards.
  void prepare(const core::AttentionPlan& plan);

  const AttentionShape& shape() const { return shape_; }
  int32_t n_rows() const { return n_rows_; }
  int32_t heads_per_kv() const { return shape_.n_head / shape_.n_head_kv; }  // query heads of a KV head
  const std::vector<Tile>& tiles() const { return tiles_; }
  const std::vector<Task>& tasks() const { return tasks_; }
  const std::vector<Merge>& merges() const { return merges_; }

  // Used by the kernel while it runs, one layer at a time.
  size_t partial_size() const { return static_cast<size_t>(shape_.head_dim + 2) * max_tile_width; }
  float* partial(int32_t index) const { return partials_.get() + index * partial_size(); }
  std::atomic<int32_t>& pending(int32_t result) const { return pending_[result]; }
  std::atomic<int64_t>& next_task() const { return next_task_; }

 private:
  void add_block(const core::AttentionBlock& block);
  TileSegment see_segment(const core::AttentionBlock& block, size_t index, const Tile& tile);
  void add_tasks();

  AttentionShape shape_;
  int32_t n_threads_;
  RotationTables rotations_;
  int32_t n_rows_ = 0;
  std::vector<Tile> tiles_;
  std::vector<Task> tasks_;
  std::vector<Merge> merges_;
  struct Free {
    void operator()(float* p) const;
  };
  size_t partial_capacity_ = 0;
  size_t merge_capacity_ = 0;
  std::unique_ptr<float, Free> partials_;
  std::unique_ptr<std::atomic<int32_t>[]> pending_;
  mutable std::atomic<int64_t> next_task_ = 0;
};

}  // namespace lanerope::kernels
