// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>

#include "tests/kernels/lane_attention_fixture.h"

namespace lanerope::kernels {
namespace {

// A prompt in pieces that lie anywhere in the pool, as they do where prompts
// share cells.
class PromptInPieces : public LaneAttention {
 protected:
  static constexpr int32_t n_rows = 9;

  // Rows that see the first so many tokens of the prompt, or all of it and a lane of 20 cells of their own.
  core::AttentionBlock block_of(std::vector<core::CellRun> prompt, int32_t own_cell) {
    core::AttentionBlock block =
        with_segments({.n_rows = n_rows, .frequencies = frequencies_},
                      {{.runs = std::move(prompt)}, {.owner = 0, .runs = {{own_cell, 20}}}});
    for (int32_t r = 0; r < n_rows; ++r) {
      block.row_segments.push_back({{0, visible_[r]}, turns_[r]});
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

  std::shared_ptr<core::ClassFrequencies> frequencies_;
  std::vector<int32_t> visible_;     // [n_rows] of the prompt
  std::vector<core::Offset> turns_;  // [n_rows]
};

TEST_F(PromptInPieces, GivesTheSameBitsAsInOne) {
  const AttentionShape of = shape(12, 2, 32);
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
  AttentionSchedule work(of, 1);
  for (const ggml_type type : {GGML_TYPE_F16, GGML_TYPE_Q8_0}) {
    for (const std::vector<int32_t>& ends : std::vector<std::vector<int32_t>>{
             {64, length}, {10, length}, {1, 2, 3, 130, length}, {1000, 1100, length - 1, length}}) {
      const Pool keys = pool(type, of, k);
      const Pool values = pool(type, of, v);
      const Pool moved_keys = pool(type, of, moved(k, width, ends));
      const Pool moved_values = pool(type, of, moved(v, width, ends));
      std::vector<core::CellRun> pieces;
      for (size_t i = 0; i < ends.size(); ++i) {
        pieces.push_back({.cell = length - ends[i], .length = ends[i] - (i == 0 ? 0 : ends[i - 1])});
      }
      const core::AttentionPlan in_one{.blocks = {block_of({{0, length}}, length)}, .n_rows = n_rows};
      const core::AttentionPlan in_pieces{.blocks = {block_of(pieces, length)}, .n_rows = n_rows};
      const std::vector<double> exactly = exact(of, in_pieces, 0, q, moved_keys, moved_values);
      for_each_instruction_set([&](const char*) {
        work.prepare(in_one);
        const std::vector<float> expected = kernel(of, work, 0, q, keys, values);
        work.prepare(in_pieces);
        EXPECT_EQ(kernel(of, work, 0, q, moved_keys, moved_values), expected);
        EXPECT_EQ(kernel(of, work, 0, q, moved_keys, moved_values, 2), expected);
        for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(expected[i], exactly[i], 2e-5);
      });
    }
  }
}

// A prompt that is read in chunks: each of its rows comes beside others every time.
TEST_F(PromptInPieces, GivesARowTheSameBitsInAnyChunk) {
  const AttentionShape of = shape(6, 2, 8);
  constexpr int32_t length = 1100;
  const size_t row_size = of.n_head * of.head_dim;
  const Pool cells = pool(GGML_TYPE_F16, of, normals(of.head_dim * of.n_head_kv * length));
  const std::vector<float> q = normals(length * row_size);
  AttentionSchedule work(of, 1);
  const auto read_in = [&](int32_t chunk, const std::vector<core::CellRun>& pieces) {
    std::vector<float> out;
    for (int32_t from = 0; from < length; from += chunk) {
      const int32_t n = std::min(chunk, length - from);
      core::AttentionBlock block =
          with_segments({.n_rows = n, .frequencies = frequencies(of, 1)}, {{.runs = pieces}});
      for (int32_t r = 0; r < n; ++r) block.row_segments.push_back({{0, from + r + 1}, {}});
      work.prepare({.blocks = {block}, .n_rows = n});
      const std::vector<float> mine(q.begin() + from * row_size, q.begin() + (from + n) * row_size);
      const std::vector<float> part = kernel(of, work, 0, mine, cells, cells);
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  };
  for_each_instruction_set([&](const char*) {
    const std::vector<float> expected = read_in(length, {{0, length}});
    for (const int32_t chunk : {1, 7, 64, 512}) {
      EXPECT_EQ(read_in(chunk, {{0, length}}), expected) << chunk;
      EXPECT_EQ(read_in(chunk, {{0, 100}, {100, length - 100}}), expected) << chunk;
    }
  });
}

// Groups whose prompts begin with the same cells, as those of a server's clients do.
TEST_F(PromptInPieces, ThatBeginAlikeGivesTheSameBitsAsEachAlone) {
  const AttentionShape of = shape(6, 2, 16);
  constexpr int32_t n_cells = 3000;
  const size_t row_size = of.n_head * of.head_dim;
  const Pool keys = pool(GGML_TYPE_F16, of, normals(of.head_dim * of.n_head_kv * n_cells));
  const Pool values = pool(GGML_TYPE_F16, of, normals(of.head_dim * of.n_head_kv * n_cells));
  const auto shared = frequencies(of, 1);
  struct Prompt {
    std::vector<core::CellRun> runs;
    int32_t lanes;
  };
  // 600 or 1,100 common cells and some more; the third shares the whole of the second's.
  for (const std::vector<Prompt>& prompts : std::vector<std::vector<Prompt>>{
           {{{{0, 600}, {1200, 50}}, 2},
            {{{0, 300}, {300, 300}, {1300, 80}}, 1},
            {{{0, 600}, {1300, 80}}, 3}},
           {{{{0, 1100}}, 1}, {{{0, 1100}, {1200, 900}}, 1}, {{{0, 600}, {1200, 10}}, 2}},
           {{{{0, 512}}, 2}, {{{0, 512}, {2000, 300}}, 2}, {{{5, 512}, {2000, 300}}, 2}}}) {
    core::AttentionPlan plan;
    for (const Prompt& prompt : prompts) {
      for (int32_t lane = 0; lane < prompt.lanes; ++lane) {
        core::AttentionBlock block =
            with_segments({.first_row = plan.n_rows, .n_rows = 2, .frequencies = shared},
                          {{.runs = prompt.runs}, {.owner = lane, .runs = {{2400 + 20 * plan.n_rows, 30}}}});
        const int32_t length = block.segments.front().length;
        block.row_segments = {
            {{0, length}, {}}, {{0, 30}, {}}, {{pick(0, length), length}, {1, 2}}, {{0, 7}, {}}};
        plan.n_rows += block.n_rows;
        plan.blocks.push_back(block);
      }
    }
    const std::vector<float> q = normals(plan.n_rows * row_size);
    AttentionSchedule work(of, 1);
    for_each_instruction_set([&](const char*) {
      work.prepare(plan);
      const std::vector<float> all = kernel(of, work, 0, q, keys, values);
      const std::vector<double> exactly = exact(of, plan, 0, q, keys, values);
      for (size_t i = 0; i < all.size(); ++i) ASSERT_NEAR(all[i], exactly[i], 2e-5);
      for (core::AttentionBlock alone : plan.blocks) {
        const size_t at = alone.first_row * row_size;
        alone.first_row = 0;
        work.prepare({.blocks = {alone}, .n_rows = alone.n_rows});
        const std::vector<float> mine(q.begin() + at, q.begin() + at + 2 * row_size);
        const std::vector<float> expected(all.begin() + at, all.begin() + at + 2 * row_size);
        ASSERT_EQ(kernel(of, work, 0, mine, keys, values), expected);
      }
    });
  }
}

}  // namespace
}  // namespace lanerope::kernels
