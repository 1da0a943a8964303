// SPDX-License-Identifier: Apache-2.0
#include "kernels/lane_attention.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lane_attention.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/highway.h>

#include "kernels/attention_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// One thread's part in one attention.
class Worker {
 public:
  Worker(const LaneAttentionParameters& parameters, const LaneAttentionJob& job)
      : work_(*parameters.work),
        job_(job),
        layer_(parameters.layer),
        sinks_(parameters.sinks),
        scratch_(thread_scratch(work_.shape())) {}

  void run(const AttentionSchedule::Task& item) {
    const AttentionSchedule::Tile& tile = work_.tiles()[item.tile];
    if (item.tile != tile_ || item.head != head_) load_queries(tile, item.head);
    tile_ = item.tile;
    head_ = item.head;
    if (item.segment >= 0) {
      const State partial = state_at(work_.partial(item.partial), tile.width);
      attend(tile, item.segment, item.cells, partial);
      // The last to finish a part of a result merges them all, in the order of the cells.
      std::atomic<int32_t>& pending = work_.pending(item.result);
      if (pending.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
      const AttentionSchedule::Merge& result = work_.merges()[item.result];
      pending.store(result.n_partials, std::memory_order_relaxed);
      clear(scratch_.total, tile.width);
      for (int32_t p = 0; p < result.n_partials; ++p) {
        const AttentionSchedule::Task& part = work_.tasks()[result.first_task + p];
        merge(scratch_.total, state_at(work_.partial(part.partial), tile.width),
              tile.segments[part.segment].queries, dim(), tile.width);
      }
    } else {
      clear(scratch_.total, tile.width);
      for (size_t s = 0; s < tile.segments.size(); ++s) {
        const core::CellRange seen = tile.segments[s].seen;
        constexpr int32_t step = AttentionSchedule::chunk_cells;
        for (int32_t cell = seen.begin / step * step; cell < seen.end; cell += step) {
          attend(tile, static_cast<int32_t>(s), {std::max(cell, seen.begin), std::min(cell + step, seen.end)},
                 scratch_.part);
          merge(scratch_.total, scratch_.part, tile.segments[s].queries, dim(), tile.width);
        }
      }
    }
    store(tile, item.head);
  }

 private:
  int dim() const { return work_.shape().head_dim; }

  static State state_at(float* p, int width) { return {p, p + width, p + 2 * width}; }

  void clear(const State& state, int width) const {
    std::fill_n(state.top, width, -std::numeric_limits<float>::infinity());
    std::fill_n(state.sum, width, 0.0F);
    std::fill_n(state.value, dim() * width, 0.0F);
  }

  // The tile's queries of one KV head, scaled so that weights are powers of two (or that the score is what
  // the cap's tanh is taken of), queries side by side.
  void load_queries(const AttentionSchedule::Tile& tile, int32_t head) {
    const AttentionShape& shape = work_.shape();
    const auto factor = shape.cap > 0 ? shape.scale / shape.cap : static_cast<float>(shape.scale * log2_of_e);
    const int width = tile.width;
    const float* queries_of[AttentionSchedule::max_tile_width];
    for (int i = 0; i < tile.n_queries; ++i) queries_of[i] = query_at(tile, head, i);
    for (int d = 0; d < dim(); ++d) {
      float* to = scratch_.queries + d * width;
      for (int i = 0; i < tile.n_queries; ++i) to[i] = queries_of[i][d] * factor;
      for (int i = tile.n_queries; i < width; ++i) to[i] = 0;
    }
  }

  const float* query_at(const AttentionSchedule::Tile& tile, int32_t head, int i) const {
    const int32_t u = tile.first_query + i;
    return job_.q + (tile.first_row + u / work_.heads_per_kv()) * job_.row_stride +
           (head * work_.heads_per_kv() + u % work_.heads_per_kv()) * job_.head_stride;
  }

  // Attention of the tile to some cells of one segment, from nothing.
  void attend(const AttentionSchedule::Tile& tile, int32_t index, core::CellRange cells, const State& state) {
    const AttentionSchedule::TileSegment& segment = tile.segments[index];
    const int width = tile.width;
    std::fill_n(state.top, width, -std::numeric_limits<float>::infinity());
    std::fill_n(state.sum, width, 0.0F);
    const float* queries = scratch_.queries;
    if (segment.rotation != nullptr) {
      rotate(work_.shape(), scratch_.queries, segment.rotation->of_layer(layer_), width, scratch_.rotated);
      queries = scratch_.rotated;
    }
    constexpr int32_t step = AttentionSchedule::block_cells;
    for (int32_t block = cells.begin / step * step; block < cells.end; block += step) {
      const core::CellRange range{std::max(block, cells.begin), std::min(block + step, cells.end)};
      convert(job_.keys, segment, range);
      const CellsAhead values = ahead(job_.values, segment, range);
      score(queries, scratch_.cells, {range.size(), width, dim(), values}, segment.queries, scratch_.scores);
      if (work_.shape().cap > 0) {
        cap_scores(segment.queries, static_cast<float>(work_.shape().cap * log2_of_e), {range.size(), width},
                   scratch_.scores);
      }
      soft_max(segment, range, width, scratch_.scores, state, scratch_.change);
      convert(job_.values, segment, range);
      const CellsAhead keys = keys_after(tile, index, {range.end, cells.end});
      const float* change = range.begin == cells.begin ? nullptr : scratch_.change;
      add_values(scratch_.scores, scratch_.cells, {range.size(), width, dim(), keys}, segment.queries, change,
                 state.value);
    }
  }

  // The keys of the next block: of the cells that are left, or else of the next segment.
  CellsAhead keys_after(const AttentionSchedule::Tile& tile, int32_t index, core::CellRange left) const {
    constexpr int32_t step = AttentionSchedule::block_cells;
    if (left.empty() && index + 1 < std::ssize(tile.segments)) left = tile.segments[++index].seen;
    const int32_t end = std::min(left.begin / step * step + step, left.end);
    return ahead(job_.keys, tile.segments[index], {left.begin, end});
  }

  // Calls body(first cell in the pool, number of cells) for each run of the pool that holds some of the
  // cells.
  template <typename Body>
  static void for_each_run(const AttentionSchedule::TileSegment& segment, core::CellRange cells,
                           const Body& body) {
    for (size_t r = 0; r < segment.runs.size(); ++r) {
      const AttentionSchedule::Run& run = segment.runs[r];
      const int32_t end = r + 1 < segment.runs.size() ? segment.runs[r + 1].begin : cells.end;
      const core::CellRange part{std::max(cells.begin, run.begin), std::min(cells.end, end)};
      if (!part.empty()) body(run.cell + part.begin - run.begin, part.size());
    }
  }

  // Cells of a segment to f32, [head_dim, cells.size()].
  void convert(const CellView& view, const AttentionSchedule::TileSegment& segment, core::CellRange cells) {
    float* out = scratch_.cells;
    for_each_run(segment, cells, [&](int32_t cell, int32_t n_cells) {
      convert_cells(view, {cell, n_cells, head_, dim()}, out);
      out += static_cast<ptrdiff_t>(n_cells) * dim();
    });
  }

  CellsAhead ahead(const CellView& view, const AttentionSchedule::TileSegment& segment,
                   core::CellRange cells) const {
    CellsAhead ahead;
    ahead.part_bytes = ggml_row_size(view.type, dim());
    for_each_run(segment, cells, [&](int32_t cell, int32_t n_cells) {
      const std::byte* at = view.data + cell * view.cell_bytes + head_ * ahead.part_bytes;
      for (int32_t j = 0; j < n_cells; ++j) ahead.parts[ahead.n_cells++] = at + j * view.cell_bytes;
    });
    return ahead;
  }

  // A sink comes once to all that a query sees: the sum of its weights grows by the sink's.
  void shrink_for_sinks(const AttentionSchedule::Tile& tile, int32_t head) {
    for (int i = 0; i < tile.n_queries; ++i) {
      const float sum = scratch_.total.sum[i];
      if (!(sum > 0)) continue;
      const int32_t of = head * work_.heads_per_kv() + (tile.first_query + i) % work_.heads_per_kv();
      const float sink = sinks_[of] * static_cast<float>(log2_of_e);
      const float top = std::max(scratch_.total.top[i], sink);
      const float kept = std::exp2(scratch_.total.top[i] - top);
      scratch_.change[i] = kept / (sum * kept + std::exp2(sink - top));
    }
  }

  void store(const AttentionSchedule::Tile& tile, int32_t head) {
    const int width = tile.width;
    for (int i = 0; i < tile.n_queries; ++i) {
      const float sum = scratch_.total.sum[i];
      scratch_.change[i] = sum > 0 ? 1.0F / sum : 0.0F;
    }
    if (sinks_ != nullptr) shrink_for_sinks(tile, head);
    float* to[AttentionSchedule::max_tile_width];
    for (int i = 0; i < tile.n_queries; ++i) {
      const int32_t u = tile.first_query + i;
      const int64_t row = tile.first_row + u / work_.heads_per_kv();
      to[i] = job_.out +
              (row * work_.shape().n_head + head * work_.heads_per_kv() + u % work_.heads_per_kv()) * dim();
    }
    for (int d = 0; d < dim(); ++d) {
      const float* from = scratch_.total.value + d * width;
      for (int i = 0; i < tile.n_queries; ++i) to[i][d] = from[i] * scratch_.change[i];
    }
  }

  const AttentionSchedule& work_;
  const LaneAttentionJob& job_;
  int32_t layer_;
  const float* sinks_;
  int32_t tile_ = -1;
  int32_t head_ = -1;
  const Scratch& scratch_;
};

void attend_all(const LaneAttentionParameters& parameters, const LaneAttentionJob& job,
                const Tickets& tickets) {
  Worker worker(parameters, job);
  for (int64_t ticket; (ticket = tickets.take()) >= 0;) worker.run(parameters.work->tasks()[ticket]);
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(attend_all);

void lane_attention(const LaneAttentionParameters& parameters, const LaneAttentionJob& job) {
  const auto attend = HWY_DYNAMIC_POINTER(attend_all);
  const auto total = static_cast<int64_t>(parameters.work->tasks().size());
  if (parameters.pool != nullptr) {
    parameters.pool->run(total, [&](const Tickets& tickets) { attend(parameters, job, tickets); });
  } else {
    attend(parameters, job, {parameters.work->next_task(), total, job.n_threads});
  }
}

ggml_tensor* lane_attention(ggml_context* context, const LaneAttentionParameters* parameters, ggml_tensor* q,
                            ggml_tensor* keys, ggml_tensor* values) {
  assert(q->type == GGML_TYPE_F32 && q->nb[0] == sizeof(float));
  assert(keys->type == GGML_TYPE_F16 || keys->type == GGML_TYPE_Q8_0);
  const auto run = [](ggml_tensor* out, int thread, int n_threads, void* data) {
    const auto& of = *static_cast<const LaneAttentionParameters*>(data);
    const ggml_tensor* queries = out->src[0];
    // Rows behind those of the plan fill a batch up.
    const auto n_rows = static_cast<int64_t>(of.work->n_rows());
    assert(n_rows <= queries->ne[2]);
    if (thread == 0) {
      auto* first_spare = static_cast<float*>(out->data) + n_rows * out->ne[0];
      std::fill_n(first_spare, (queries->ne[2] - n_rows) * out->ne[0], 0.0F);
    }
    const auto view = [](const ggml_tensor* pool) {
      return CellView{pool->type, static_cast<const std::byte*>(pool->data), pool->nb[1]};
    };
    lane_attention(of, {.q = static_cast<const float*>(queries->data),
                        .head_stride = queries->nb[1] / sizeof(float),
                        .row_stride = queries->nb[2] / sizeof(float),
                        .keys = view(out->src[1]),
                        .values = view(out->src[2]),
                        .out = static_cast<float*>(out->data),
                        .n_threads = n_threads});
  };
  ggml_tensor* arguments[] = {q, keys, values};
  ggml_tensor* out = ggml_custom_4d(context, GGML_TYPE_F32, q->ne[0] * q->ne[1], q->ne[2], 1, 1, arguments, 3,
                                    run, parameters->pool != nullptr ? 1 : GGML_N_TASKS_MAX,
                                    const_cast<LaneAttentionParameters*>(parameters));
  ggml_set_name(out, "attention");
  return out;
}

}  // namespace lanerope::kernels
#endif
