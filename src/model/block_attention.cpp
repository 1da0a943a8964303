// SPDX-License-Identifier: Apache-2.0
#include "model/block_attention.h"

#include <algorithm>
#include <limits>

namespace lanerope::model {

namespace {

// One block of the plan in one layer.
struct BlockOfLayer {
  int32_t block = 0;
  const LayerWeights& layer;
};

// The soft-max of one block over all of its segments.
struct BlockProbabilities {
  ggml_tensor* p = nullptr;            // [cells of all segments in view, n_rows of the block, n_head]
  std::vector<int32_t> segments = {};  // which segments are in view, in the order of their cells in p
};

const core::AttentionBlock& block_of(GraphBuilder& graph, const BlockOfLayer& where) {
  return graph.plan(where.layer).blocks[where.block];
}

bool segment_in_view(const core::AttentionBlock& block, size_t segment) {
  for (int32_t r = 0; r < block.n_rows; ++r) {
    if (!block.row(r)[segment].visible.empty()) return true;
  }
  return false;
}

// The block's queries as they meet one segment: rotated by phi. Rows without an offset stay as they are, to
// the bit.
struct Meeting {
  size_t segment = 0;
  int32_t layer = 0;
};
ggml_tensor* rotated_queries(GraphBuilder& graph, const core::AttentionBlock& block, ggml_tensor* q,
                             Meeting with) {
  const auto rotate_by = [&](ggml_tensor* x, int32_t core::Offset::* part,
                             std::span<const double> frequencies) {
    std::vector<int32_t> offsets(block.n_rows);
    for (int32_t r = 0; r < block.n_rows; ++r) offsets[r] = block.row(r)[with.segment].offset.*part;
    if (std::ranges::all_of(offsets, [](int32_t n) { return n == 0; })) return x;
    if (std::ranges::all_of(frequencies, [](double f) { return f == 0; })) return x;
    ggml_tensor* positions =
        graph.input(GGML_TYPE_I32, {block.n_rows, 1}, [offsets](const Batch&, ggml_tensor* t) {
          ggml_backend_tensor_set(t, offsets.data(), 0, offsets.size() * sizeof(int32_t));
        });
    return graph.rotate(x, positions, frequencies);
  };
  q = rotate_by(q, &core::Offset::lanes, block.frequencies->omega_of_layer(with.layer));
  return rotate_by(q, &core::Offset::tokens, block.frequencies->theta);
}

// nullptr where every row sees every cell of the segments in view.
ggml_tensor* visibility_mask(GraphBuilder& graph, const core::AttentionBlock& block,
                             const std::vector<int32_t>& segments) {
  bool everything = true;
  int64_t n_cells = 0;
  for (const int32_t segment : segments) {
    const int32_t length = block.segments[segment].length;
    n_cells += length;
    for (int32_t r = 0; r < block.n_rows; ++r) everything &= block.row(r)[segment].visible.size() == length;
  }
  if (everything) return nullptr;

  std::vector<float> mask(n_cells * block.n_rows, -std::numeric_limits<float>::infinity());
  for (int32_t r = 0; r < block.n_rows; ++r) {
    float* cell = mask.data() + n_cells * r;
    for (const int32_t segment : segments) {
      const core::CellRange visible = block.row(r)[segment].visible;
      if (!visible.empty()) std::fill(cell + visible.begin, cell + visible.end, 0.0F);
      cell += block.segments[segment].length;
    }
  }
  return graph.input(GGML_TYPE_F32, {n_cells, block.n_rows},
                     [mask = std::move(mask)](const Batch&, ggml_tensor* t) {
                       ggml_backend_tensor_set(t, mask.data(), 0, mask.size() * sizeof(float));
                     });
}

// [segments in view, n_rows of the block, n_head]
ggml_tensor* segment_sums(ggml_context* context, const core::AttentionBlock& block,
                          const BlockProbabilities& probabilities) {
  ggml_tensor* p = probabilities.p;
  ggml_tensor* sums = nullptr;
  int64_t offset = 0;
  for (const int32_t index : probabilities.segments) {
    const int64_t length = block.segments[index].length;
    ggml_tensor* part = ggml_view_3d(context, p, length, p->ne[1], p->ne[2], p->nb[1], p->nb[2],
                                     offset * ggml_element_size(p));
    ggml_tensor* sum = ggml_sum_rows(context, ggml_cont(context, part));
    sums = sums == nullptr ? sum : ggml_concat(context, sums, sum, 0);
    offset += length;
  }
  return sums;
}

BlockProbabilities block_probabilities(GraphBuilder& graph, BlockOfLayer where, ggml_tensor* q,
                                       ggml_tensor* keys) {
  ggml_context* context = graph.context();
  const arch::AttentionConfig& h = graph.config().attention();
  const core::AttentionBlock& block = block_of(graph, where);
  ggml_tensor* rows = ggml_view_3d(context, q, q->ne[0], q->ne[1], block.n_rows, q->nb[1], q->nb[2],
                                   q->nb[2] * block.first_row);
  BlockProbabilities result;
  ggml_tensor* scores = nullptr;  // [cells so far, n_rows of the block, n_head]
  for (size_t s = 0; s < block.segments.size(); ++s) {
    if (!segment_in_view(block, s)) continue;
    result.segments.push_back(static_cast<int32_t>(s));
    ggml_tensor* rotated = rotated_queries(graph, block, rows, {.segment = s, .layer = where.layer.index});
    rotated = ggml_permute(context, rotated, 0, 2, 1, 3);
    for (const core::CellRun& run : block.runs_of(block.segments[s])) {
      ggml_tensor* k =
          ggml_view_3d(context, keys, h.head_dim, h.n_head_kv, run.length,
                       ggml_row_size(keys->type, h.head_dim), keys->nb[1], keys->nb[1] * run.cell);
      ggml_tensor* product = ggml_mul_mat(context, ggml_permute(context, k, 0, 2, 1, 3), rotated);
      scores = scores == nullptr ? product : ggml_concat(context, scores, product, 0);
    }
  }
  float scale = h.scale;
  if (h.score_cap > 0) {
    scores = graph.soft_capped(scores, {.cap = h.score_cap, .scale = scale});
    scale = 1;
  }
  result.p = ggml_soft_max_ext(context, scores, visibility_mask(graph, block, result.segments), scale, 0.0F);
  if (where.layer.attn_sinks != nullptr) ggml_soft_max_add_sinks(result.p, where.layer.attn_sinks);
  return result;
}

void record_block(GraphBuilder& graph, BlockOfLayer where, const BlockProbabilities& probabilities) {
  const core::AttentionBlock& block = block_of(graph, where);
  ggml_tensor* recorded = graph.batch().detail == AttentionDetail::weights
                              ? ggml_cont(graph.context(), probabilities.p)
                              : segment_sums(graph.context(), block, probabilities);
  graph.add_mass({.layer = where.layer.index,
                  .block = where.block,
                  .segments = probabilities.segments,
                  .mass = recorded});
}

}  // namespace

void record_blocks(GraphBuilder& graph, const LayerWeights& layer, const QueriesAndKeys& of) {
  for (int32_t b = 0; b < static_cast<int32_t>(graph.plan(layer).blocks.size()); ++b) {
    const BlockOfLayer where{.block = b, .layer = layer};
    record_block(graph, where, block_probabilities(graph, where, of.q, of.keys));
  }
}

}  // namespace lanerope::model
