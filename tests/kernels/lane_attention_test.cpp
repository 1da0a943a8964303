// SPDX-License-Identifier: Apache-2.0
#include "kernels/lane_attention.h"

#include <algorithm>
#include <span>

#include "tests/kernels/lane_attention_fixture.h"

namespace lanerope::kernels {
namespace {

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
  partial.pairs = core::RopePairs::adjacent;
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

TEST_F(LaneAttention, CapsScores) {
  AttentionShape capped = shape(6, 2, 32);
  capped.cap = 0.7F;
  for (int32_t n_cells : {1, 65, 300}) expect_exact(capped, GGML_TYPE_F16, n_cells, 2);
  capped.cap = 50;
  expect_exact(capped, GGML_TYPE_Q8_0, 150, 300);
}

// Sinks below, among and far above the scores.
TEST_F(LaneAttention, AddsASinkOnceToTheWeightsOfAllSegments) {
  const std::vector<float> sinks = {-60, 0, 1.5F, 3, -1, 90};
  for (int32_t n_cells : {1, 65, 300}) expect_exact(shape(6, 2, 32), GGML_TYPE_F16, n_cells, 1, sinks);
  expect_exact(shape(6, 2, 32), GGML_TYPE_F16, 3000, 1, sinks);
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
  const core::AttentionPlan plan = random_plan(of, n_cells, 1);
  std::vector<float> q = normals(static_cast<size_t>(plan.n_rows) * of.n_head * of.head_dim);
  q[0] = 1e-41F;
  q[1] = 65504.0F;
  AttentionSchedule work(of, 1);
  work.prepare(plan);
  for_each_instruction_set([&](const char*) {
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
    const core::AttentionPlan plan{
        .blocks = {with_segments(
            {.n_rows = 1, .row_segments = {{{0, n_cells}, {}}}, .frequencies = frequencies(of, 1)},
            {{.runs = {{0, n_cells}}}})},
        .n_rows = 1};
    const std::vector<float> q = normals(of.n_head * of.head_dim);
    AttentionSchedule work(of, 1);
    work.prepare(plan);
    const std::vector<double> expected = exact(of, plan, 0, q, keys, values);
    const std::vector<float> ggml = run_graph(1, [&](ggml_context* context) {
      ggml_tensor* k = ggml_new_tensor_2d(context, GGML_TYPE_F16, of.head_dim, n_cells);
      ggml_tensor* v = ggml_new_tensor_2d(context, GGML_TYPE_F16, of.head_dim, n_cells);
      ggml_tensor* x = ggml_new_tensor_2d(context, GGML_TYPE_F32, of.head_dim, of.n_head);
      std::memcpy(k->data, keys.bytes.data(), keys.bytes.size());
      std::memcpy(v->data, values.bytes.data(), values.bytes.size());
      std::memcpy(x->data, q.data(), q.size() * sizeof(float));
      ggml_tensor* weights = ggml_soft_max_ext(context, ggml_mul_mat(context, k, x), nullptr, of.scale, 0);
      return ggml_mul_mat(context, ggml_cont(context, ggml_transpose(context, v)), weights);
    });
    for_each_instruction_set([&](const char*) {
      const double ours = root_mean_square(expected, kernel(of, work, 0, q, keys, values));
      EXPECT_LE(ours, root_mean_square(expected, ggml) + 1e-7);
    });
  }
}

TEST_F(LaneAttention, GivesZerosToARowThatSeesNothing) {
  const AttentionShape of = shape(4, 2, 32);
  const Pool cells = pool(GGML_TYPE_F16, of, normals(of.head_dim * of.n_head_kv * 10));
  core::AttentionPlan plan{.blocks = {with_segments({.n_rows = 2,
                                                     .row_segments = {{{3, 3}, {1, 0}}, {{0, 10}, {}}},
                                                     .frequencies = frequencies(of, 1)},
                                                    {{.runs = {{0, 10}}}}),
                                      {.first_row = 2, .n_rows = 1, .frequencies = frequencies(of, 1)}},
                           .n_rows = 3};
  AttentionSchedule work(of, 1);
  work.prepare(plan);
  const std::vector<float> q = normals(3 * 128);
  for_each_instruction_set([&](const char*) {
    const std::vector<float> out = kernel(of, work, 0, q, cells, cells);
    for (int i = 0; i < 128; ++i) EXPECT_EQ(out[i], 0.0F);
    EXPECT_NE(out[128], 0.0F);
    for (int i = 256; i < 384; ++i) EXPECT_EQ(out[i], 0.0F);
  });
}

TEST_F(LaneAttention, GivesARowTheSameBitsWhateverElseIsInTheBatch) {
  for (int round = 0; round < 6; ++round) {
    // The last rounds have tiles enough that the work is no longer cut along the cells.
    const bool whole = round >= 4;
    const AttentionShape of = whole ? shape(32, 32, 8) : shape(6, 2, 16);
    const int32_t n_cells = whole ? 1100 : 1500;
    const Pool keys = pool(GGML_TYPE_F16, of, normals(of.head_dim * of.n_head_kv * n_cells));
    const Pool values = pool(GGML_TYPE_F16, of, normals(of.head_dim * of.n_head_kv * n_cells));
    core::AttentionPlan plan = random_plan(of, n_cells, 1);
    AttentionSchedule work(of, 1);
    work.prepare(plan);
    const auto is_whole = [](const AttentionSchedule::Task& item) { return item.segment < 0; };
    while (whole && !std::ranges::all_of(work.tasks(), is_whole)) {
      core::AttentionBlock block = plan.blocks.front();
      block.first_row = plan.n_rows;
      plan.n_rows += block.n_rows;
      plan.blocks.push_back(block);
      work.prepare(plan);
    }
    const size_t row_size = of.n_head * of.head_dim;
    const std::vector<float> q = normals(plan.n_rows * row_size);
    for_each_instruction_set([&](const char*) {
      work.prepare(plan);
      const std::vector<float> all = kernel(of, work, 0, q, keys, values);
      for (int threads : {2, 5}) EXPECT_EQ(kernel(of, work, 0, q, keys, values, threads), all);
      ThreadPool threads(3);
      EXPECT_EQ(kernel(of, work, 0, q, keys, values, 1, &threads), all);
      for (const core::AttentionBlock& block :
           std::span(plan.blocks).first(std::min<size_t>(plan.blocks.size(), 5))) {
        for (int32_t r = 0; r < block.n_rows; ++r) {
          core::AttentionBlock alone = block;
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
    });
  }
}

// What makes independent lanes as cheap as lanes that see one another.
TEST_F(LaneAttention, MeetsAPromptOnceForAllLanesThatReadIt) {
  const AttentionShape of = shape(12, 2, 64);
  const auto shared = frequencies(of, 1);
  core::AttentionPlan plan;
  for (int32_t m = 0; m < 8; ++m) {
    plan.blocks.push_back(with_segments(
        {.first_row = m, .n_rows = 1, .row_segments = {{{0, 100}, {}}, {{0, 10}, {}}}, .frequencies = shared},
        {{.runs = {{0, 100}}}, {.owner = m, .runs = {{100 + 10 * m, 10}}}}));
  }
  plan.n_rows = 8;
  AttentionSchedule work(of, 1);
  work.prepare(plan);
  ASSERT_EQ(work.tiles().size(), 1U) << "8 lanes x 6 heads of a KV head";
  const auto& segments = work.tiles().front().segments;
  ASSERT_EQ(segments.size(), 9U);
  EXPECT_EQ(segments.front().queries.end - segments.front().queries.begin, 48);
  EXPECT_EQ(segments[1].queries.end - segments[1].queries.begin, 16)
      << "a lane's own cells are met by it and its neighbours";

  plan.blocks[4].runs.front().cell = 1;
  work.prepare(plan);
  EXPECT_EQ(work.tiles().size(), 3U) << "another prompt";
}

// A batch that was filled up has rows which no plan knows.
TEST_F(LaneAttention, GivesZerosForRowsBehindThePlan) {
  const AttentionShape of = shape(4, 2, 32);
  constexpr int32_t n_cells = 50;
  constexpr int32_t n_added = 3;
  const size_t width = of.head_dim * of.n_head_kv;
  const Pool cells = pool(GGML_TYPE_F16, of, normals(width * n_cells));
  const core::AttentionPlan plan = random_plan(of, n_cells, 2);
  const std::vector<float> q = normals((plan.n_rows + n_added) * 128);
  AttentionSchedule work(of, 1);
  work.prepare(plan);
  const LaneAttentionParameters layer{&work, 0, nullptr};
  const std::vector<float> out = run_graph(2, [&](ggml_context* context) {
    ggml_tensor* kv = ggml_new_tensor_2d(context, GGML_TYPE_F16, width, n_cells);
    std::memcpy(kv->data, cells.bytes.data(), cells.bytes.size());
    ggml_tensor* x =
        ggml_new_tensor_3d(context, GGML_TYPE_F32, of.head_dim, of.n_head, plan.n_rows + n_added);
    std::copy(q.begin(), q.end(), static_cast<float*>(x->data));
    return lane_attention(context, &layer, x, kv, kv);
  });
  std::vector<float> expected = kernel(of, work, 0, {q.begin(), q.begin() + plan.n_rows * 128}, cells, cells);
  expected.resize(q.size(), 0.0F);
  EXPECT_EQ(out, expected);
}

TEST_F(LaneAttention, RunsInAGraphLayerAfterLayer) {
  const AttentionShape of = shape(4, 2, 32);
  constexpr int32_t n_cells = 50;
  const size_t width = of.head_dim * of.n_head_kv;
  const Pool cells = pool(GGML_TYPE_F16, of, normals(width * n_cells));
  const core::AttentionPlan plan = random_plan(of, n_cells, 2);
  const std::vector<float> q = normals(plan.n_rows * 128);
  AttentionSchedule work(of, 2);
  work.prepare(plan);
  const LaneAttentionParameters layers[] = {{&work, 0, nullptr}, {&work, 1, nullptr}};
  for_each_instruction_set([&](const char*) {
    const std::vector<float> out = run_graph(2, [&](ggml_context* context) {
      ggml_tensor* kv = ggml_new_tensor_2d(context, GGML_TYPE_F16, width, n_cells);
      std::memcpy(kv->data, cells.bytes.data(), cells.bytes.size());
      ggml_tensor* x = ggml_new_tensor_3d(context, GGML_TYPE_F32, of.head_dim, of.n_head, plan.n_rows);
      std::copy(q.begin(), q.end(), static_cast<float*>(x->data));
      x = lane_attention(context, &layers[0], x, kv, kv);
      x = ggml_reshape_3d(context, x, of.head_dim, of.n_head, plan.n_rows);
      return lane_attention(context, &layers[1], x, kv, kv);
    });
    EXPECT_EQ(out, kernel(of, work, 1, kernel(of, work, 0, q, cells, cells), cells, cells));
  });
}

}  // namespace
}  // namespace lanerope::kernels
