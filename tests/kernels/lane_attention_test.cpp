// SPDX-License-Identifier: Apache-2.0
#include "kernels/lane_attention.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "tests/kernels/ggml_reference.h"

namespace lanerope {
namespace {

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
    const testing::FileMatrix cells = testing::quantised(type, width, values);
    return {type, cells.bytes, cells.values, ggml_row_size(type, width)};
  }

  static AttentionShape shape(int32_t n_head, int32_t n_head_kv, int32_t head_dim) {
    return {.n_head = n_head,
            .n_head_kv = n_head_kv,
            .head_dim = head_dim,
            .n_rot = head_dim,
            .pairs = RopePairs::halves,
            .scale = 1.0F / std::sqrt(static_cast<float>(head_dim))};
  }

  std::shared_ptr<LaneFrequencies> frequencies(const AttentionShape& of, int32_t layers) {
    auto made = std::make_shared<LaneFrequencies>();
    for (int32_t t = 0; t < of.n_rot / 2; ++t) made->theta.push_back(std::pow(10000.0, -2.0 * t / of.n_rot));
    for (int32_t t = 0; t < of.n_rot / 2 * layers; ++t) made->omega.push_back(normal_(random_) * 100);
    return made;
  }

  // Blocks of rows with segments anywhere in the pool (they may overlap), and any turns and ranges. Some read
  // the prompt of the block before.
  AttentionPlan random_plan(const AttentionShape& of, int32_t n_cells, int32_t layers) {
    AttentionPlan plan;
    const int32_t n_blocks = pick(1, 4);
    for (int32_t b = 0; b < n_blocks; ++b) {
      AttentionBlock block;
      block.first_row = plan.n_rows;
      block.n_rows = pick(1, 20);
      block.frequencies = frequencies(of, layers);
      const int32_t n_segments = pick(0, 4);
      for (int32_t s = 0; s < n_segments; ++s) {
        const int32_t cell = pick(0, n_cells - 1);
        block.segments.push_back({cell, pick(0, n_cells - cell)});
        block.owners.push_back(s == 0 ? prompt_row : s);
      }
      if (n_segments > 0 && b > 0 && !plan.blocks.back().segments.empty() && pick(0, 1) == 0) {
        block.segments.front() = plan.blocks.back().segments.front();
        block.frequencies = plan.blocks.back().frequencies;
      }
      for (int32_t r = 0; r < block.n_rows; ++r) {
        for (const SegmentView& segment : block.segments) {
          RowSegment row;
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
          if (pick(0, 2) > 0) row.turns = {pick(-7, 7), pick(0, 1) * pick(-500, 500)};
          block.row_segments.push_back(row);
        }
      }
      plan.n_rows += block.n_rows;
      plan.blocks.push_back(std::move(block));
    }
    return plan;
  }

  // What the plan says, word for word, in double precision.
  static std::vector<double> exact(const AttentionShape& of, const AttentionPlan& plan, int32_t layer,
                                   const std::vector<float>& q, const Pool& keys, const Pool& values) {
    const int32_t dim = of.head_dim;
    const int32_t group = of.n_head / of.n_head_kv;
    std::vector<double> out(q.size());
    for (const AttentionBlock& block : plan.blocks) {
      for (int32_t r = 0; r < block.n_rows; ++r) {
        for (int32_t h = 0; h < of.n_head; ++h) {
          const size_t at = (static_cast<size_t>(block.first_row + r) * of.n_head + h) * dim;
          std::vector<double> scores;
          std::vector<const float*> seen;
          for (size_t s = 0; s < block.segments.size(); ++s) {
            const RowSegment& row = block.row(r)[s];
            std::vector<double> turned(q.begin() + at, q.begin() + at + dim);
            for (int32_t t = 0; t < of.n_rot / 2; ++t) {
              const double phi = row.turns.lane * block.frequencies->omega_of_layer(layer)[t] +
                                 row.turns.token * block.frequencies->theta[t];
              const int32_t a = of.pairs == RopePairs::halves ? t : 2 * t;
              const int32_t b = of.pairs == RopePairs::halves ? t + of.n_rot / 2 : 2 * t + 1;
              const double x = turned[a];
              const double y = turned[b];
              turned[a] = x * std::cos(phi) - y * std::sin(phi);
              turned[b] = x * std::sin(phi) + y * std::cos(phi);
            }
            for (int32_t j = row.visible.begin; j < row.visible.end; ++j) {
              const size_t cell =
                  (static_cast<size_t>(block.segments[s].cell + j) * of.n_head_kv + h / group) * dim;
              double score = 0;
              for (int32_t d = 0; d < dim; ++d) score += turned[d] * keys.values[cell + d];
              scores.push_back(score * of.scale);
              seen.push_back(values.values.data() + cell);
            }
          }
          double top = -1e300;
          for (double score : scores) top = std::max(top, score);
          double sum = 0;
          for (double score : scores) sum += std::exp(score - top);
          for (size_t i = 0; i < seen.size(); ++i) {
            for (int32_t d = 0; d < dim; ++d) out[at + d] += std::exp(scores[i] - top) / sum * seen[i][d];
          }
        }
      }
    }
    return out;
  }

  static std::vector<float> kernel(const AttentionShape& of, const AttentionWork& work, int32_t layer,
                                   const std::vector<float>& q, const Pool& keys, const Pool& values,
                                   int n_threads = 1, ThreadPool* pool = nullptr) {
    std::vector<float> out(q.size(), NAN);
    const LaneAttentionParameters parameters{&work, layer, pool};
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

  void expect_exact(const AttentionShape& of, ggml_type type, int32_t n_cells, float scale = 1) {
    constexpr int32_t layers = 3;
    const size_t width = of.head_dim * of.n_head_kv;
    const Pool keys = pool(type, of, normals(width * n_cells));
    const Pool values = pool(type, of, normals(width * n_cells));
    AttentionWork work(of, layers);
    for (int round = 0; round < 3; ++round) {
      const AttentionPlan plan = random_plan(of, n_cells, round == 0 ? 1 : layers);
      const std::vector<float> q = normals(static_cast<size_t>(plan.n_rows) * of.n_head * of.head_dim, scale);
      work.prepare(plan);
      for (int32_t layer = 0; layer < layers; layer += 2) {
        const std::vector<double> expected = exact(of, plan, layer, q, keys, values);
        testing::for_each_instruction_set([&](const char*) {
          const std::vector<float> out = kernel(of, work, layer, q, keys, values);
          for (size_t i = 0; i < out.size(); ++i)
            ASSERT_NEAR(out[i], expected[i], 2e-5 + scale * 1e-6) << "element " << i;
        });
      }
    }
  }
};

TEST_F(LaneAttention, DoesWhatThePlanSays) {
  for (int32_t n_cells : {1, 2, 7, 63, 64, 65, 130, 299})
    expect_exact(shape(12, 2, 128), GGML_TYPE_F16, n_cells);
}

TEST_F(LaneAttention, DoesWhatThePlanSaysForAnyShape) {
  expect_exact(shape(1, 1, 8), GGML_TYPE_F16, 33);
  expect_exact(shape(4, 4, 64), GGML_TYPE_F16, 100);
  expect_exact(shape(5, 1, 80), GGML_TYPE_F16, 100);
  expect_exact(shape(64, 1, 32), GGML_TYPE_F16, 100);
  AttentionShape partial = shape(6, 2, 64);
  partial.n_rot = 32;
  expect_exact(partial, GGML_TYPE_F16, 90);
  partial.pairs = RopePairs::adjacent;
  expect_exact(partial, GGML_TYPE_F16, 90);
}

TEST_F(LaneAttention, ReadsQuantisedCells) {
  expect_exact(shape(12, 2, 128), GGML_TYPE_Q8_0, 150);
}

TEST_F(LaneAttention, HoldsLongSegments) {
  expect_exact(shape(4, 2, 32), GGML_TYPE_F16, 3000);
}

TEST_F(LaneAttention, HoldsSharpScores) {
  expect_exact(shape(4, 2, 64), GGML_TYPE_F16, 200, 300);
}

TEST_F(LaneAttention, HoldsExtremeCells) {
  const AttentionShape of = shape(4, 2, 32);
  constexpr int32_t n_cells = 77;
  const float extremes[] = {0.0F, -0.0F, 6e-8F, 65504.0F, -65504.0F, 1e-5F};
  std::vector<float> cells = normals(of.head_dim * of.n_head_kv * n_cells);
  for (float& v : cells) {
    if (pick(0, 3) == 0) v = extremes[pick(0, 5)];
  }
  const Pool extreme = pool(GGML_TYPE_F16, of, cells);
  const Pool plain = pool(GGML_TYPE_F16, of, normals(cells.size()));
  const AttentionPlan plan = random_plan(of, n_cells, 1);
  std::vector<float> q = normals(static_cast<size_t>(plan.n_rows) * of.n_head * of.head_dim);
  q[0] = 1e-41F;
  q[1] = 65504.0F;
  AttentionWork work(of, 1);
  work.prepare(plan);
  testing::for_each_instruction_set([&](const char*) {
    std::vector<double> expected = exact(of, plan, 0, q, plain, extreme);
    std::vector<float> out = kernel(of, work, 0, q, plain, extreme);
    for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], expected[i], 65504 * 2e-5);
    // A score of 1e9 has an ulp of 64, so only what is finite and within the values can be asked for.
    out = kernel(of, work, 0, q, extreme, plain);
    for (float v : out) ASSERT_LE(std::abs(v), 6.0F);
  });
}

TEST_F(LaneAttention, IsAsExactAsGgml) {
  const AttentionShape of = shape(6, 1, 128);
  for (int32_t n_cells : {1, 31, 300}) {
    const Pool keys = pool(GGML_TYPE_F16, of, normals(of.head_dim * n_cells));
    const Pool values = pool(GGML_TYPE_F16, of, normals(of.head_dim * n_cells));
    const AttentionPlan plan{.blocks = {{.first_row = 0,
                                         .n_rows = 1,
                                         .segments = {{0, n_cells}},
                                         .owners = {prompt_row},
                                         .row_segments = {{{0, n_cells}, {}}},
                                         .frequencies = frequencies(of, 1)}},
                             .n_rows = 1};
    const std::vector<float> q = normals(of.n_head * of.head_dim);
    AttentionWork work(of, 1);
    work.prepare(plan);
    const std::vector<double> expected = exact(of, plan, 0, q, keys, values);
    const std::vector<float> ggml = testing::run_graph(1, [&](ggml_context* context) {
      ggml_tensor* k = ggml_new_tensor_2d(context, GGML_TYPE_F16, of.head_dim, n_cells);
      ggml_tensor* v = ggml_new_tensor_2d(context, GGML_TYPE_F16, of.head_dim, n_cells);
      ggml_tensor* x = ggml_new_tensor_2d(context, GGML_TYPE_F32, of.head_dim, of.n_head);
      std::memcpy(k->data, keys.bytes.data(), keys.bytes.size());
      std::memcpy(v->data, values.bytes.data(), values.bytes.size());
      std::memcpy(x->data, q.data(), q.size() * sizeof(float));
      ggml_tensor* weights = ggml_soft_max_ext(context, ggml_mul_mat(context, k, x), nullptr, of.scale, 0);
      return ggml_mul_mat(context, ggml_cont(context, ggml_transpose(context, v)), weights);
    });
    testing::for_each_instruction_set([&](const char*) {
      const double ours = testing::root_mean_square(expected, kernel(of, work, 0, q, keys, values));
      EXPECT_LE(ours, testing::root_mean_square(expected, ggml) + 1e-7);
    });
  }
}

TEST_F(LaneAttention, GivesZerosToARowThatSeesNothing) {
  const AttentionShape of = shape(4, 2, 32);
  const Pool cells = pool(GGML_TYPE_F16, of, normals(of.head_dim * of.n_head_kv * 10));
  AttentionPlan plan{.blocks = {{.first_row = 0,
                                 .n_rows = 2,
                                 .segments = {{0, 10}},
                                 .owners = {prompt_row},
                                 .row_segments = {{{3, 3}, {1, 0}}, {{0, 10}, {}}},
                                 .frequencies = frequencies(of, 1)},
                                {.first_row = 2,
                                 .n_rows = 1,
                                 .segments = {},
                                 .owners = {},
                                 .row_segments = {},
                                 .frequencies = frequencies(of, 1)}},
                     .n_rows = 3};
  AttentionWork work(of, 1);
  work.prepare(plan);
  const std::vector<float> out = kernel(of, work, 0, normals(3 * 128), cells, cells);
  for (int i = 0; i < 128; ++i) EXPECT_EQ(out[i], 0.0F);
  EXPECT_NE(out[128], 0.0F);
  for (int i = 256; i < 384; ++i) EXPECT_EQ(out[i], 0.0F);
}

TEST_F(LaneAttention, GivesARowTheSameBitsWhateverElseIsInTheBatch) {
  const AttentionShape of = shape(12, 2, 64);
  constexpr int32_t n_cells = 2500;
  const Pool keys = pool(GGML_TYPE_F16, of, normals(of.head_dim * of.n_head_kv * n_cells));
  const Pool values = pool(GGML_TYPE_F16, of, normals(of.head_dim * of.n_head_kv * n_cells));
  for (int round = 0; round < 6; ++round) {
    AttentionPlan plan = random_plan(of, n_cells, 1);
    // The last rounds have tiles enough that the work is no longer cut along the cells.
    for (int copies = round < 4 ? 0 : 400; copies > 0; --copies) {
      AttentionBlock block = plan.blocks.front();
      block.first_row = plan.n_rows;
      plan.n_rows += block.n_rows;
      plan.blocks.push_back(block);
    }
    const size_t row_size = of.n_head * of.head_dim;
    const std::vector<float> q = normals(plan.n_rows * row_size);
    AttentionWork work(of, 1);
    work.prepare(plan);
    const std::vector<float> all = kernel(of, work, 0, q, keys, values);
    for (int threads : {2, 5}) EXPECT_EQ(kernel(of, work, 0, q, keys, values, threads), all);
    ThreadPool pool(3);
    EXPECT_EQ(kernel(of, work, 0, q, keys, values, 1, &pool), all);
    for (const AttentionBlock& block : plan.blocks) {
      if (&block - plan.blocks.data() > 4) break;
      for (int32_t r = 0; r < block.n_rows; ++r) {
        AttentionBlock alone = block;
        alone.first_row = 0;
        alone.n_rows = 1;
        alone.row_segments = {block.row(r).begin(), block.row(r).end()};
        work.prepare({.blocks = {alone}, .n_rows = 1});
        const size_t at = (block.first_row + r) * row_size;
        const std::vector<float> mine(q.begin() + at, q.begin() + at + row_size);
        const std::vector<float> expected(all.begin() + at, all.begin() + at + row_size);
        ASSERT_EQ(kernel(of, work, 0, mine, keys, values), expected) << "row " << r;
      }
    }
  }
}

// The first segment of a block as a prompt in pieces that lie anywhere in the pool, as they do where prompts
// share cells.
class PromptInPieces : public LaneAttention {
 protected:
  static constexpr int32_t n_rows = 9;

  // Rows that see the first so many tokens of the prompt, or all of it and a lane of 20 cells of their own.
  AttentionBlock block_of(std::vector<SegmentView> prompt, int32_t own_cell) {
    AttentionBlock block{.n_rows = n_rows, .segments = prompt, .frequencies = frequencies_};
    block.owners.assign(prompt.size(), prompt_row);
    block.segments.push_back({own_cell, 20});
    block.owners.push_back(0);
    for (int32_t r = 0; r < n_rows; ++r) {
      int32_t rest = visible_[r];
      for (const SegmentView& piece : prompt) {
        block.row_segments.push_back({{0, std::min(rest, piece.length)}, turns_[r]});
        rest -= std::min(rest, piece.length);
      }
      block.row_segments.push_back({{0, r % 2 == 0 ? 20 : 0}, {}});
    }
    return block;
  }

  // The cells of a pool in another order: piece after piece, the last one first, and what is not of the
  // prompt.
  static std::vector<float> moved(const std::vector<float>& cells, size_t width,
                                  std::span<const int32_t> ends) {
    std::vector<float> out;
    for (size_t i = ends.size(); i-- > 0;) {
      const size_t begin = i == 0 ? 0 : ends[i - 1];
      out.insert(out.end(), cells.begin() + begin * width, cells.begin() + ends[i] * width);
    }
    out.insert(out.end(), cells.begin() + ends.back() * width, cells.end());
    return out;
  }

  std::shared_ptr<LaneFrequencies> frequencies_;
  std::vector<int32_t> visible_;  // [n_rows] of the prompt
  std::vector<Turns> turns_;      // [n_rows]
};

TEST_F(PromptInPieces, GivesTheSameBitsAsInOne) {
  const AttentionShape of = shape(12, 2, 64);
  constexpr int32_t length = 2500;
  constexpr int32_t n_cells = length + 20;
  const size_t width = of.head_dim * of.n_head_kv;
  frequencies_ = frequencies(of, 1);
  for (int32_t r = 0; r < n_rows; ++r) {
    visible_.push_back(r < 4 ? length : pick(1, length));
    turns_.push_back({pick(-2, 2), pick(0, 5)});
  }
  const std::vector<float> k = normals(width * n_cells);
  const std::vector<float> v = normals(width * n_cells);
  const std::vector<float> q = normals(n_rows * of.n_head * of.head_dim);
  AttentionWork work(of, 1);
  for (const ggml_type type : {GGML_TYPE_F16, GGML_TYPE_Q8_0}) {
    for (const std::vector<int32_t>& ends : std::vector<std::vector<int32_t>>{
             {64, length}, {10, length}, {1, 2, 3, 130, length}, {1000, 1100, length - 1, length}}) {
      const Pool keys = pool(type, of, k);
      const Pool values = pool(type, of, v);
      const Pool moved_keys = pool(type, of, moved(k, width, ends));
      const Pool moved_values = pool(type, of, moved(v, width, ends));
      std::vector<SegmentView> pieces;
      for (size_t i = 0; i < ends.size(); ++i) {
        pieces.push_back({.cell = length - ends[i], .length = ends[i] - (i == 0 ? 0 : ends[i - 1])});
      }
      const AttentionPlan in_one{.blocks = {block_of({{0, length}}, length)}, .n_rows = n_rows};
      const AttentionPlan in_pieces{.blocks = {block_of(pieces, length)}, .n_rows = n_rows};
      testing::for_each_instruction_set([&](const char*) {
        work.prepare(in_one);
        const std::vector<float> expected = kernel(of, work, 0, q, keys, values);
        work.prepare(in_pieces);
        EXPECT_EQ(kernel(of, work, 0, q, moved_keys, moved_values), expected);
        EXPECT_EQ(kernel(of, work, 0, q, moved_keys, moved_values, 2), expected);
      });
      const std::vector<double> exactly = exact(of, in_pieces, 0, q, moved_keys, moved_values);
      work.prepare(in_pieces);
      const std::vector<float> out = kernel(of, work, 0, q, moved_keys, moved_values);
      for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], exactly[i], 2e-5);
    }
  }
}

// A prompt that is read in chunks: each of its rows comes beside others every time.
TEST_F(PromptInPieces, GivesARowTheSameBitsInAnyChunk) {
  const AttentionShape of = shape(6, 2, 32);
  constexpr int32_t length = 1300;
  const size_t row_size = of.n_head * of.head_dim;
  const Pool cells = pool(GGML_TYPE_F16, of, normals(of.head_dim * of.n_head_kv * length));
  const std::vector<float> q = normals(length * row_size);
  AttentionWork work(of, 1);
  const auto read_in = [&](int32_t chunk, std::vector<SegmentView> pieces) {
    std::vector<float> out;
    for (int32_t from = 0; from < length; from += chunk) {
      const int32_t n = std::min(chunk, length - from);
      AttentionBlock block{.n_rows = n, .segments = pieces, .frequencies = frequencies(of, 1)};
      block.owners.assign(pieces.size(), prompt_row);
      for (int32_t r = 0; r < n; ++r) {
        int32_t rest = from + r + 1;
        for (const SegmentView& piece : pieces) {
          block.row_segments.push_back({{0, std::min(rest, piece.length)}, {}});
          rest -= std::min(rest, piece.length);
        }
      }
      work.prepare({.blocks = {block}, .n_rows = n});
      const std::vector<float> mine(q.begin() + from * row_size, q.begin() + (from + n) * row_size);
      const std::vector<float> part = kernel(of, work, 0, mine, cells, cells);
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  };
  const std::vector<float> expected = read_in(length, {{0, length}});
  for (const int32_t chunk : {1, 7, 64, 512}) {
    EXPECT_EQ(read_in(chunk, {{0, length}}), expected) << chunk;
    EXPECT_EQ(read_in(chunk, {{0, 100}, {100, length - 100}}), expected) << chunk;
  }
}

// What makes independent lanes as cheap as lanes that see one another.
TEST_F(LaneAttention, MeetsAPromptOnceForAllLanesThatReadIt) {
  const AttentionShape of = shape(12, 2, 64);
  const auto shared = frequencies(of, 1);
  AttentionPlan plan;
  for (int32_t m = 0; m < 8; ++m) {
    plan.blocks.push_back({.first_row = m,
                           .n_rows = 1,
                           .segments = {{0, 100}, {100 + 10 * m, 10}},
                           .owners = {prompt_row, m},
                           .row_segments = {{{0, 100}, {}}, {{0, 10}, {}}},
                           .frequencies = shared});
  }
  plan.n_rows = 8;
  AttentionWork work(of, 1);
  work.prepare(plan);
  ASSERT_EQ(work.tiles().size(), 1U) << "8 lanes x 6 heads of a KV head";
  const auto& segments = work.tiles().front().segments;
  ASSERT_EQ(segments.size(), 9U);
  EXPECT_EQ(segments.front().lanes.end - segments.front().lanes.begin, 48);
  EXPECT_EQ(segments[1].lanes.end - segments[1].lanes.begin, 16)
      << "a lane's own cells are met by it and its neighbours";

  plan.blocks[4].segments.front().cell = 1;
  work.prepare(plan);
  EXPECT_EQ(work.tiles().size(), 3U) << "another prompt";
}

TEST_F(LaneAttention, RunsInAGraphLayerAfterLayer) {
  const AttentionShape of = shape(4, 2, 32);
  constexpr int32_t n_cells = 50;
  const size_t width = of.head_dim * of.n_head_kv;
  const Pool cells = pool(GGML_TYPE_F16, of, normals(width * n_cells));
  const AttentionPlan plan = random_plan(of, n_cells, 2);
  const std::vector<float> q = normals(plan.n_rows * 128);
  AttentionWork work(of, 2);
  work.prepare(plan);
  const LaneAttentionParameters layers[] = {{&work, 0, nullptr}, {&work, 1, nullptr}};
  const std::vector<float> out = testing::run_graph(2, [&](ggml_context* context) {
    ggml_tensor* kv = ggml_new_tensor_2d(context, GGML_TYPE_F16, width, n_cells);
    std::memcpy(kv->data, cells.bytes.data(), cells.bytes.size());
    ggml_tensor* x = ggml_new_tensor_3d(context, GGML_TYPE_F32, of.head_dim, of.n_head, plan.n_rows);
    std::copy(q.begin(), q.end(), static_cast<float*>(x->data));
    x = lane_attention(context, &layers[0], x, kv, kv);
    x = ggml_reshape_3d(context, x, of.head_dim, of.n_head, plan.n_rows);
    return lane_attention(context, &layers[1], x, kv, kv);
  });
  EXPECT_EQ(out, kernel(of, work, 1, kernel(of, work, 0, q, cells, cells), cells, cells));
}

}  // namespace
}  // namespace lanerope
