// SPDX-License-Identifier: Apache-2.0
#include "train/attention/lane_attention.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/train/attention/random_layout.h"
#include "train/attention/dense_mask.h"

namespace lanerope::train {
namespace {

struct Sizes {
  int64_t n_head = 4;
  int64_t n_head_kv = 2;
  int64_t head_dim = 32;
};

struct Passes {
  torch::Tensor out;
  std::vector<torch::Tensor> gradients;  // of q_prompt, q_lane, k, v
};

AttentionOperands random_operands(int64_t n_tokens, const Sizes& sizes) {
  return {.q_prompt = torch::randn({n_tokens, sizes.n_head, sizes.head_dim}),
          .q_lane = torch::randn({n_tokens, sizes.n_head, sizes.head_dim}),
          .k = torch::randn({n_tokens, sizes.n_head_kv, sizes.head_dim}),
          .v = torch::randn({n_tokens, sizes.n_head_kv, sizes.head_dim})};
}

// Query by query and key by key, from the definition: the measure of both implementations.
torch::Tensor from_definition(const AttentionOperands& o, const AttentionLayout& layout,
                              const ScoreRule& rule) {
  const int64_t repeats = o.q_prompt.size(1) / o.k.size(1);
  const torch::Tensor k = o.k.repeat_interleave(repeats, 1);
  const torch::Tensor v = o.v.repeat_interleave(repeats, 1);
  std::vector<torch::Tensor> rows(layout.lane.size(), torch::zeros_like(o.q_prompt[0]));
  for (const GroupSpan& group : layout.groups) {
    const int64_t prompt_end = group.first + group.n_prompt;
    for (int64_t i = group.first; i < group.first + group.n_tokens; ++i) {
      std::vector<torch::Tensor> scores;
      std::vector<torch::Tensor> values;
      for (int64_t j = group.first; j < group.first + group.n_tokens; ++j) {
        const bool query_in_prompt = i < prompt_end;
        const bool key_in_prompt = j < prompt_end;
        bool visible = false;
        if (query_in_prompt) {
          visible = j <= i;
        } else if (key_in_prompt) {
          visible = true;
        } else if (layout.lane[i] == layout.lane[j]) {
          visible = layout.step[j] <= layout.step[i];
        } else if (layout.joint && (layout.alone.empty() || layout.alone[i] == 0)) {
          const bool equal_counts =
              layout.visibility == Visibility::inclusive ||
              (layout.visibility == Visibility::interleaved && layout.lane[j] < layout.lane[i]);
          visible = layout.step[j] < layout.step[i] || (equal_counts && layout.step[j] == layout.step[i]);
        }
        const auto index = [&](int64_t row) {
          return row < prompt_end ? row - group.first : group.n_prompt + layout.step[row];
        };
        if (!visible || (rule.window > 0 && index(i) - index(j) >= rule.window)) continue;
        const torch::Tensor score = ((key_in_prompt ? o.q_prompt : o.q_lane)[i] * k[j]).sum(1) * rule.scale;
        scores.push_back(rule.cap > 0 ? rule.cap * torch::tanh(score / rule.cap) : score);
        values.push_back(v[j]);
      }
      const torch::Tensor weights = torch::softmax(torch::stack(scores), 0);  // (n_visible, n_head)
      rows[i] = (weights.unsqueeze(2) * torch::stack(values)).sum(0);
    }
  }
  return torch::stack(rows);
}

template <typename Attention>
Passes passes(const AttentionOperands& operands, const torch::Tensor& d_out, const Attention& attention) {
  const auto type = d_out.scalar_type();
  const auto leaf = [&](const torch::Tensor& t) {
    return t.detach().to(type).clone().set_requires_grad(true);
  };
  const torch::Tensor q_prompt = leaf(operands.q_prompt);
  const torch::Tensor q_lane = operands.q_lane.is_same(operands.q_prompt) ? q_prompt : leaf(operands.q_lane);
  const AttentionOperands leaves{
      .q_prompt = q_prompt, .q_lane = q_lane, .k = leaf(operands.k), .v = leaf(operands.v)};
  Passes result{.out = attention(leaves), .gradients = {}};
  result.out.backward(d_out);
  for (const torch::Tensor& t : {leaves.q_prompt, leaves.q_lane, leaves.k, leaves.v}) {
    result.gradients.push_back(t.grad().defined() ? t.grad() : torch::zeros_like(t));
  }
  return result;
}

void expect_near(const Passes& got, const Passes& expected, double tolerance) {
  const auto distance = [](const torch::Tensor& a, const torch::Tensor& b) {
    return (a.to(torch::kFloat64) - b.to(torch::kFloat64)).abs().max().item<double>();
  };
  EXPECT_LE(distance(got.out, expected.out), tolerance);
  const char* names[] = {"q_prompt", "q_lane", "k", "v"};
  for (size_t i = 0; i < expected.gradients.size(); ++i) {
    EXPECT_LE(distance(got.gradients[i], expected.gradients[i]), tolerance * 10)
        << "gradient of " << names[i];
  }
}

// The kernel in single precision against the plain path in double.
void expect_kernel_agrees(const AttentionLayout& layout, const AttentionOperands& operands,
                          ScoreRule rule = {}) {
  const AttentionBatch batch(layout);
  rule.scale = 1.0 / std::sqrt(static_cast<double>(operands.k.size(2)));
  const torch::Tensor d_out = torch::randn_like(operands.q_prompt);
  const auto attention = [&](const AttentionOperands& o) { return lane_attention(o, batch, rule); };
  const auto plain = [&](const AttentionOperands& o) { return plain_lane_attention(o, batch, rule); };
  expect_near(passes(operands, d_out, attention), passes(operands, d_out.to(torch::kFloat64), plain), 3e-6);
}

AttentionLayout random_layout(std::mt19937& random, Visibility visibility, bool open) {
  AttentionLayout layout{.visibility = visibility, .joint = open};
  add_group(random_group(random, 37, 4, 30), layout);
  add_group(random_group(random, 5, 1, 70), layout);
  add_group(random_group(random, 120, 8, 25), layout);
  add_group(random_group(random, 1, 2, 9), layout);
  add_group(random_group(random, 20, 3, 60), layout);
  return layout;
}

class LaneAttentionTest : public ::testing::Test {
 protected:
  void SetUp() override { torch::manual_seed(7); }
  std::mt19937 random_{11};
};

// Without a cap and a window, with either, with both.
const std::vector<ScoreRule> rules = {{.scale = 0.7},
                                      {.scale = 0.7, .cap = 0.8},
                                      {.scale = 0.7, .window = 3},
                                      {.scale = 0.7, .cap = 1.5, .window = 6}};

class EveryMask : public LaneAttentionTest,
                  public ::testing::WithParamInterface<std::tuple<Visibility, bool>> {
 protected:
  Visibility visibility() const { return std::get<0>(GetParam()); }
  bool open() const { return std::get<1>(GetParam()); }
};

TEST_P(EveryMask, PlainPathIsTheDefinition) {
  AttentionLayout layout{.visibility = visibility(), .joint = open()};
  add_group(random_group(random_, 3, 3, 6), layout);
  add_group(random_group(random_, 6, 1, 5), layout);
  add_group(random_group(random_, 0, 4, 5), layout);
  const AttentionBatch batch(layout);
  const AttentionOperands operands =
      random_operands(batch.n_tokens(), {.n_head = 4, .n_head_kv = 2, .head_dim = 6});
  const torch::Tensor d_out = torch::randn_like(operands.q_prompt).to(torch::kFloat64);
  for (const ScoreRule& rule : rules) {
    const auto definition = [&](const AttentionOperands& o) { return from_definition(o, layout, rule); };
    const auto plain = [&](const AttentionOperands& o) { return plain_lane_attention(o, batch, rule); };
    expect_near(passes(operands, d_out, plain), passes(operands, d_out, definition), 1e-12);
  }
}

TEST_P(EveryMask, KernelIsThePlainPath) {
  for (int draw = 0; draw < 2; ++draw) {
    const AttentionLayout layout = random_layout(random_, visibility(), open());
    for (const ScoreRule& rule : rules)
      expect_kernel_agrees(layout, random_operands(static_cast<int64_t>(layout.lane.size()), {}), rule);
  }
}

// The first tokens of every lane see no other, as many of each lane as come.
void keep_first_alone(std::mt19937& random, AttentionLayout& layout) {
  for (const GroupSpan& group : layout.groups) {
    std::map<int32_t, int32_t> first_to_see;
    for (int64_t row = group.first; row < group.first + group.n_tokens; ++row) {
      const auto [lane, is_new] = first_to_see.emplace(layout.lane[row], 0);
      if (is_new) lane->second = static_cast<int32_t>(random() % 40);
      layout.alone.push_back(layout.step[row] < lane->second ? 1 : 0);
    }
  }
}

TEST_P(EveryMask, LanesMaySeeOthersFromATokenOfTheirOwnOn) {
  AttentionLayout small{.visibility = visibility(), .joint = open()};
  add_group(random_group(random_, 3, 3, 60), small);
  add_group(random_group(random_, 2, 4, 30), small);
  keep_first_alone(random_, small);
  ASSERT_GT(std::ranges::count(small.alone, 1), 20);
  const AttentionOperands operands =
      random_operands(static_cast<int64_t>(small.lane.size()), {.n_head = 2, .n_head_kv = 1, .head_dim = 6});
  const torch::Tensor d_out = torch::randn_like(operands.q_prompt).to(torch::kFloat64);
  const auto definition = [&](const AttentionOperands& o) { return from_definition(o, small, rules[0]); };
  const AttentionBatch batch(small);
  const auto plain = [&](const AttentionOperands& o) { return plain_lane_attention(o, batch, rules[0]); };
  expect_near(passes(operands, d_out, plain), passes(operands, d_out, definition), 1e-12);

  AttentionLayout layout = random_layout(random_, visibility(), open());
  keep_first_alone(random_, layout);
  for (const ScoreRule& rule : rules)
    expect_kernel_agrees(layout, random_operands(static_cast<int64_t>(layout.lane.size()), {}), rule);
}

TEST_P(EveryMask, ASecondStageSeesAllThatWasWritten) {
  AttentionLayout layout{.visibility = visibility(), .joint = open()};
  for (const auto& [n_prompt, n_lanes] : {std::pair(9, 3), std::pair(40, 6)}) {
    GroupShape shape = random_group(random_, n_prompt, n_lanes, 20);
    shape.second_stage = 11;
    add_group(shape, layout);
    add_group(random_group(random_, n_prompt, n_lanes, 20), layout);
  }
  const GroupSpan& group = layout.groups[2];
  for (int64_t key = 0; key < group.n_tokens; ++key) {
    EXPECT_EQ(sees(layout, group, group.second_stage + 4, key), key <= group.second_stage + 4) << key;
    EXPECT_EQ(sees(layout, group, group.n_prompt, key) && key >= group.second_stage, false)
        << "nobody sees it";
  }
  for (const ScoreRule& rule : rules)
    expect_kernel_agrees(layout, random_operands(static_cast<int64_t>(layout.lane.size()), {}), rule);
}

INSTANTIATE_TEST_SUITE_P(, EveryMask,
                         ::testing::Combine(::testing::Values(Visibility::inclusive, Visibility::strict,
                                                              Visibility::interleaved),
                                            ::testing::Bool()));

TEST_F(LaneAttentionTest, TakesEveryShapeOfHeads) {
  const Sizes every[] = {
      {.n_head = 6, .n_head_kv = 2, .head_dim = 32}, {.n_head = 3, .n_head_kv = 3, .head_dim = 16},
      {.n_head = 5, .n_head_kv = 1, .head_dim = 64}, {.n_head = 4, .n_head_kv = 2, .head_dim = 128},
      {.n_head = 2, .n_head_kv = 1, .head_dim = 40}, {.n_head = 4, .n_head_kv = 4, .head_dim = 7}};
  for (const Sizes& sizes : every) {
    SCOPED_TRACE(sizes.head_dim);
    const AttentionLayout layout = random_layout(random_, Visibility::inclusive, true);
    expect_kernel_agrees(layout, random_operands(static_cast<int64_t>(layout.lane.size()), sizes));
  }
}

TEST_F(LaneAttentionTest, EveryInstructionSetOfThisMachineIsRight) {
  const int64_t supported = hwy::SupportedTargets();
  const AttentionLayout layout = random_layout(random_, Visibility::interleaved, true);
  const AttentionOperands operands = random_operands(static_cast<int64_t>(layout.lane.size()), {});
  for (const int64_t target : {HWY_AVX3, HWY_AVX2, HWY_SSE2, HWY_NEON}) {
    if ((supported & target) == 0) continue;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    expect_kernel_agrees(layout, operands);
  }
  hwy::SetSupportedTargetsForTest(0);
}

TEST_F(LaneAttentionTest, OneTensorForBothQueriesGetsBothGradients) {
  const AttentionLayout layout = random_layout(random_, Visibility::inclusive, true);
  AttentionOperands operands = random_operands(static_cast<int64_t>(layout.lane.size()), {});
  operands.q_lane = operands.q_prompt;
  expect_kernel_agrees(layout, operands);
}

TEST_F(LaneAttentionTest, TakesViewsThatAreNotContiguous) {
  const AttentionLayout layout = random_layout(random_, Visibility::inclusive, true);
  const auto n_tokens = static_cast<int64_t>(layout.lane.size());
  const torch::Tensor all = torch::randn({n_tokens, 12, 32});
  const auto heads = all.split_with_sizes({4, 4, 2, 2}, 1);
  expect_kernel_agrees(layout, {.q_prompt = heads[0], .q_lane = heads[1], .k = heads[2], .v = heads[3]});
}

TEST_F(LaneAttentionTest, RowsOfNoGroupAreZero) {
  AttentionLayout layout;
  add_group(random_group(random_, 4, 2, 9), layout);
  const auto used = static_cast<int64_t>(layout.lane.size());
  layout.lane.resize(used + 3, 0);
  layout.step.resize(used + 3, 0);
  const AttentionOperands operands = random_operands(used + 3, {});
  const torch::Tensor out = lane_attention(operands, AttentionBatch(layout), {});
  EXPECT_TRUE(torch::equal(out.slice(0, used), torch::zeros({3, 4, 32})));
  expect_kernel_agrees(layout, operands);
}

TEST_F(LaneAttentionTest, ThreadsDoNotChangeABit) {
  const AttentionLayout layout = random_layout(random_, Visibility::inclusive, true);
  const AttentionBatch batch(layout);
  const AttentionOperands operands = random_operands(batch.n_tokens(), {});
  const torch::Tensor d_out = torch::randn_like(operands.q_prompt);
  const auto attention = [&](const AttentionOperands& o) { return lane_attention(o, batch, {.scale = 0.2}); };
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Passes one = passes(operands, d_out, attention);
  at::set_num_threads(3);
  const Passes three = passes(operands, d_out, attention);
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(one.out, three.out));
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(torch::equal(one.gradients[i], three.gradients[i])) << i;
}

// A closed lane without a prompt sees nothing in the first blocks of keys, and a sharp soft-max leaves only
// zeros of most keys.
TEST_F(LaneAttentionTest, NothingVisibleInABlockIsNoNumberLost) {
  AttentionLayout layout{.joint = false};
  add_group({.n_prompt = 0, .first = {0, 150}, .last = {150, 200}}, layout);
  AttentionOperands operands = random_operands(200, {});
  expect_kernel_agrees(layout, operands);
  operands.q_prompt *= 300.0;
  operands.q_lane *= 300.0;
  const AttentionBatch batch(layout);
  const auto attention = [&](const AttentionOperands& o) { return lane_attention(o, batch, {}); };
  const Passes sharp = passes(operands, torch::randn_like(operands.q_prompt), attention);
  EXPECT_TRUE(sharp.out.isfinite().all().item<bool>());
  for (const torch::Tensor& gradient : sharp.gradients) EXPECT_TRUE(gradient.isfinite().all().item<bool>());
}

TEST_F(LaneAttentionTest, ANumberLostInAQueryIsSeen) {
  AttentionLayout layout;
  add_group({.n_prompt = 4, .first = {0}, .last = {3}}, layout);
  AttentionOperands operands = random_operands(7, {});
  operands.q_prompt[5].fill_(std::nan(""));
  const torch::Tensor out = lane_attention(operands, AttentionBatch(layout), {});
  EXPECT_TRUE(out[5].isnan().all().item<bool>());
  EXPECT_TRUE(out[6].isfinite().all().item<bool>());
}

TEST_F(LaneAttentionTest, RefusesTokensOutOfOrder) {
  AttentionLayout layout{
      .groups = {{.first = 0, .n_prompt = 1, .n_tokens = 3}}, .lane = {-1, 0, 0}, .step = {0, 1, 0}};
  EXPECT_THROW(AttentionBatch{layout}, c10::Error);
  layout.step = {0, 0, 1};
  EXPECT_NO_THROW(AttentionBatch{layout});
  layout.groups.push_back({.first = 2, .n_prompt = 0, .n_tokens = 1});
  EXPECT_THROW(AttentionBatch{layout}, c10::Error);
}

TEST_F(LaneAttentionTest, CountsWhatIsVisible) {
  AttentionLayout layout;
  add_group({.n_prompt = 3, .first = {0, 0}, .last = {2, 1}}, layout);
  EXPECT_EQ(AttentionBatch(layout).n_visible(), 6 + 5 + 5 + 6);
}

}  // namespace
}  // namespace lanerope::train
