// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/lane_attention.h"
#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {

// A pool of cells and queries to attend to it, in the types that the kernel gets and in what they stand for.
struct Pool {
  ggml_type type;
  std::vector<std::byte> bytes;
  std::vector<float> values;  // [head_dim * n_head_kv, n_cells]
  size_t cell_bytes;

  CellView view() const { return {type, bytes.data(), cell_bytes}; }
};

class LaneAttention : public ::testing::Test {
 protected:
  std::mt19937 random_{7};
  std::normal_distribution<float> normal_;

  int32_t pick(int32_t from, int32_t to) { return from + static_cast<int32_t>(random_() % (to - from + 1)); }

  std::vector<float> normals(size_t n, float scale = 1) {
    std::vector<float> values(n);
    for (float& v : values) v = normal_(random_) * scale;
    return values;
  }

  Pool pool(ggml_type type, const AttentionShape& shape, std::vector<float> values) {
    const int64_t width = shape.head_dim * shape.n_head_kv;
    const FileMatrix cells = quantised(type, width, values);
    return {type, cells.bytes, cells.values, ggml_row_size(type, width)};
  }

  static AttentionShape shape(int32_t n_head, int32_t n_head_kv, int32_t head_dim) {
    return {.n_head = n_head,
            .n_head_kv = n_head_kv,
            .head_dim = head_dim,
            .n_rot = head_dim,
            .pairs = core::RopePairs::halves,
            .scale = 1.0F / std::sqrt(static_cast<float>(head_dim))};
  }

  std::shared_ptr<core::ClassFrequencies> frequencies(const AttentionShape& of, int32_t layers) {
    auto made = std::make_shared<core::ClassFrequencies>();
    for (int32_t t = 0; t < of.n_rot / 2; ++t) made->theta.push_back(std::pow(10000.0, -2.0 * t / of.n_rot));
    for (int32_t t = 0; t < of.n_rot / 2 * layers; ++t) made->omega.push_back(normal_(random_) * 100);
    return made;
  }

  // A segment as tests write it down.
  struct Cells {
    int32_t owner = core::prompt_row;
    std::vector<core::CellRun> runs = {};
  };
  static core::AttentionBlock with_segments(core::AttentionBlock block, const std::vector<Cells>& segments) {
    for (const Cells& segment : segments) {
      int32_t length = 0;
      for (const core::CellRun& run : segment.runs) length += run.length;
      block.add_segment(segment.owner, {.runs = segment.runs, .length = length});
    }
    return block;
  }

  // Blocks of rows with segments anywhere in the pool (they may overlap), and any offsets and ranges. Some
  // read the prompt of the block before, with its frequencies or with their own.
  core::AttentionPlan random_plan(const AttentionShape& of, int32_t n_cells, int32_t layers) {
    core::AttentionPlan plan;
    const int32_t n_blocks = pick(1, 4);
    for (int32_t b = 0; b < n_blocks; ++b) {
      core::AttentionBlock block;
      block.first_row = plan.n_rows;
      block.n_rows = pick(1, 20);
      block.frequencies = frequencies(of, layers);
      const int32_t n_segments = pick(0, 4);
      for (int32_t s = 0; s < n_segments; ++s) {
        if (s == 0 && b > 0 && !plan.blocks.back().segments.empty() && pick(0, 1) == 0) {
          const core::AttentionBlock& before = plan.blocks.back();
          block.add_segment(core::prompt_row, {.runs = before.runs_of(before.segments.front()),
                                               .length = before.segments.front().length});
          if (pick(0, 2) > 0) block.frequencies = before.frequencies;
          continue;
        }
        std::vector<core::CellRun> runs;
        for (int32_t piece = pick(1, 3); piece > 0; --piece) {
          const int32_t cell = pick(0, n_cells - 1);
          runs.push_back({.cell = cell, .length = pick(0, n_cells - cell)});
        }
        block = with_segments(std::move(block), {{.owner = s == 0 ? core::prompt_row : s, .runs = runs}});
      }
      for (int32_t r = 0; r < block.n_rows; ++r) {
        for (const core::AttentionBlock::Segment& segment : block.segments) {
          core::RowSegment row;
          switch (pick(0, 4)) {
            case 0:
              break;  // sees nothing
            case 1:
              row.visible = {0, segment.length};
              break;
            case 2:
              row.visible = {0, std::min(segment.length, 1)};
              break;
            default:
              row.visible.begin = pick(0, segment.length);
              row.visible.end = pick(0, segment.length);
          }
          if (pick(0, 2) > 0) row.offset = {pick(-7, 7), pick(0, 1) * pick(-500, 500)};
          block.row_segments.push_back(row);
        }
      }
      plan.n_rows += block.n_rows;
      plan.blocks.push_back(std::move(block));
    }
    return plan;
  }

  // What the plan says, word for word, in double precision.
  static std::vector<double> exact(const AttentionShape& of, const core::AttentionPlan& plan, int32_t layer,
                                   const std::vector<float>& q, const Pool& keys, const Pool& values,
                                   const std::vector<float>& sinks = {}) {
    const int32_t dim = of.head_dim;
    const int32_t group = of.n_head / of.n_head_kv;
    std::vector<double> out(q.size());
    for (const core::AttentionBlock& block : plan.blocks) {
      for (int32_t r = 0; r < block.n_rows; ++r) {
        for (int32_t h = 0; h < of.n_head; ++h) {
          const size_t at = (static_cast<size_t>(block.first_row + r) * of.n_head + h) * dim;
          std::vector<double> scores;
          std::vector<const float*> seen;
          for (size_t s = 0; s < block.segments.size(); ++s) {
            const core::RowSegment& row = block.row(r)[s];
            std::vector<double> rotated(q.begin() + at, q.begin() + at + dim);
            for (int32_t t = 0; t < of.n_rot / 2; ++t) {
              const double phi = row.offset.lanes * block.frequencies->omega_of_layer(layer)[t] +
                                 row.offset.tokens * block.frequencies->theta[t];
              const int32_t a = of.pairs == core::RopePairs::halves ? t : 2 * t;
              const int32_t b = of.pairs == core::RopePairs::halves ? t + of.n_rot / 2 : 2 * t + 1;
              const double x = rotated[a];
              const double y = rotated[b];
              rotated[a] = x * std::cos(phi) - y * std::sin(phi);
              rotated[b] = x * std::sin(phi) + y * std::cos(phi);
            }
            std::vector<int32_t> cells;
            for (const core::CellRun& run : block.runs_of(block.segments[s])) {
              for (int32_t j = 0; j < run.length; ++j) cells.push_back(run.cell + j);
            }
            for (int32_t j = row.visible.begin; j < row.visible.end; ++j) {
              const size_t cell = (static_cast<size_t>(cells[j]) * of.n_head_kv + h / group) * dim;
              double score = 0;
              for (int32_t d = 0; d < dim; ++d) score += rotated[d] * keys.values[cell + d];
              score *= of.scale;
              scores.push_back(of.cap > 0 ? of.cap * std::tanh(score / of.cap) : score);
              seen.push_back(values.values.data() + cell);
            }
          }
          double top = -1e300;
          for (double score : scores) top = std::max(top, score);
          if (!sinks.empty()) top = std::max(top, double{sinks[h]});
          double sum = sinks.empty() ? 0 : std::exp(sinks[h] - top);
          for (double score : scores) sum += std::exp(score - top);
          for (size_t i = 0; i < seen.size(); ++i) {
            for (int32_t d = 0; d < dim; ++d) out[at + d] += std::exp(scores[i] - top) / sum * seen[i][d];
          }
        }
      }
    }
    return out;
  }

  static std::vector<float> kernel(const AttentionShape& of, const AttentionSchedule& work, int32_t layer,
                                   const std::vector<float>& q, const Pool& keys, const Pool& values,
                                   int n_threads = 1, ThreadPool* pool = nullptr,
                                   const std::vector<float>& sinks = {}) {
    std::vector<float> out(q.size(), NAN);
    const LaneAttentionParameters parameters{
        .work = &work, .layer = layer, .sinks = sinks.empty() ? nullptr : sinks.data(), .pool = pool};
    std::vector<std::thread> threads;
    for (int t = 0; t < n_threads; ++t) {
      threads.emplace_back([&] {
        lane_attention(parameters, {.q = q.data(),
                                    .head_stride = static_cast<size_t>(of.head_dim),
                                    .row_stride = static_cast<size_t>(of.head_dim * of.n_head),
                                    .keys = keys.view(),
                                    .values = values.view(),
                                    .out = out.data(),
                                    .n_threads = n_threads});
      });
    }
    for (std::thread& thread : threads) thread.join();
    return out;
  }

  void expect_exact(const AttentionShape& of, ggml_type type, int32_t n_cells, float scale = 1,
                    const std::vector<float>& sinks = {}) {
    constexpr int32_t layers = 3;
    const size_t width = of.head_dim * of.n_head_kv;
    const Pool keys = pool(type, of, normals(width * n_cells));
    const Pool values = pool(type, of, normals(width * n_cells));
    AttentionSchedule work(of, layers);
    for (int round = 0; round < 3; ++round) {
      const core::AttentionPlan plan = random_plan(of, n_cells, round == 0 ? 1 : layers);
      const std::vector<float> q = normals(static_cast<size_t>(plan.n_rows) * of.n_head * of.head_dim, scale);
      work.prepare(plan);
      for (int32_t layer = 0; layer < layers; layer += 2) {
        const std::vector<double> expected = exact(of, plan, layer, q, keys, values, sinks);
        for_each_instruction_set([&](const char*) {
          const std::vector<float> out = kernel(of, work, layer, q, keys, values, 1, nullptr, sinks);
          for (size_t i = 0; i < out.size(); ++i)
            ASSERT_NEAR(out[i], expected[i], 2e-5 + scale * 1e-6) << "element " << i;
        });
      }
    }
  }
};

}  // namespace lanerope::kernels
