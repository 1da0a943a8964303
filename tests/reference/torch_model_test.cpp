// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/torch_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gguf/file.h"
#include "tests/reference/plain_transformer.h"
#include "tests/support/temporary_directory.h"
#include "tools/random_adapter.h"
#include "tools/random_model.h"

namespace lanerope::reference {
namespace {

using Token = PlainTransformer::Token;

tools::RandomModel small(const std::string& architecture) {
  return {
      .architecture = architecture, .n_layer = 2, .width = 32, .head_dim = 12, .n_ffn = 48, .n_vocab = 259};
}

bool causal(size_t q, size_t k) {
  return k <= q;
}

std::vector<Token> in_order(const std::vector<int32_t>& ids) {
  std::vector<Token> text;
  text.reserve(ids.size());
  for (const int32_t id : ids) text.push_back({.id = id, .position = static_cast<double>(text.size())});
  return text;
}

void expect_close(const std::vector<double>& a, const std::vector<double>& b, const std::string& where) {
  ASSERT_EQ(a.size(), b.size()) << where;
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-9) << where << ", token " << i;
}

void expect_same(const TraceLogits& a, const TraceLogits& b) {
  expect_close(a.prompt, b.prompt, "prompt");
  ASSERT_EQ(a.lanes.size(), b.lanes.size());
  for (size_t m = 0; m < a.lanes.size(); ++m) {
    ASSERT_EQ(a.lanes[m].size(), b.lanes[m].size());
    for (size_t i = 0; i < a.lanes[m].size(); ++i) expect_close(a.lanes[m][i], b.lanes[m][i], "lane");
  }
}

double difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

Trace three_lanes(CouplingKind kind) {
  return {.prompt = {65, 66, 67, 68, 69},
          .lanes = {{.tokens = {70, 71, 72, 73, 74, 75}},
                    {.tokens = {80, 81, 82}},
                    {.tokens = {90, 91, 92}, .start_step = 2}},
          .coupling = {.kind = kind},
          .stride = 7};
}

class Reference : public testing::Test {
 protected:
  std::string write(const tools::RandomModel& model) {
    return tools::write_random_model(model, directory.file("m.gguf"));
  }

  support::TemporaryDirectory directory;
};

TEST_F(Reference, OneLaneIsThePlainModel) {
  std::vector<tools::RandomModel> models = {small("llama"), small("qwen2"), small("qwen3"),
                                            small("qwen2"), small("qwen3"), small("llama")};
  models[3].tied = true;
  models[3].rope_scaling = core::RopeScaling::linear;
  models[3].rope_factor = 4;
  models[4].rope_scaling = core::RopeScaling::yarn;
  models[4].rope_factor = 4;
  models[4].rope_original_context = 64;
  models[5].llama3_rope_freqs = true;
  models[5].rope_factor = 8;
  models[5].rope_original_context = 64;
  const std::vector<int32_t> ids = {65, 200, 3, 66, 67, 90, 91, 12, 5};
  const std::vector<Token> text = in_order(ids);

  for (const tools::RandomModel& model : models) {
    const std::string path = write(model);
    const auto plain = PlainTransformer(path).logits(text, causal);
    const TorchModel torch_model(path);
    for (const auto kind : {CouplingKind::independent, CouplingKind::lanerope, CouplingKind::groupthink,
                            CouplingKind::hogwild}) {
      const Trace trace{.prompt = {ids.begin(), ids.begin() + 4},
                        .lanes = {{.tokens = {ids.begin() + 4, ids.end()}}},
                        .coupling = {.kind = kind},
                        .stride = 100};
      const TraceLogits joint = torch_model.logits(trace, std::vector<double>(6, 0.3));
      expect_close(joint.prompt, plain[3], model.architecture);
      for (size_t i = 4; i < ids.size(); ++i)
        expect_close(joint.lanes[0][i - 4], plain[i], model.architecture);
    }
  }
}

TEST_F(Reference, IndependentLanesAreRunsOfTheirOwn) {
  const TorchModel model(write(small("qwen3")));
  const Trace together = three_lanes(CouplingKind::independent);
  const TraceLogits joint = model.logits(together);
  for (size_t m = 0; m < together.lanes.size(); ++m) {
    Trace alone = together;
    alone.lanes = {together.lanes[m]};
    const TraceLogits one = model.logits(alone);
    for (size_t i = 0; i < one.lanes[0].size(); ++i) expect_close(one.lanes[0][i], joint.lanes[m][i], "lane");
  }
  EXPECT_GT(difference(joint.lanes[0][5], model.logits(three_lanes(CouplingKind::lanerope)).lanes[0][5]),
            0.01)
      << "lanes that see one another say something else";
}

// Who a token of the plain model below stands for.
struct Role {
  int lane;   // -1: prompt
  int owner;  // the lane that has this copy of the prompt, where each has one
  int step;
};

class PositionsTest : public Reference, public testing::WithParamInterface<PromptLane> {};

// GroupThink says: plain RoPE at positions i + K m. With the prompt in every lane, each lane has a copy of it
// there.
TEST_P(PositionsTest, GroupThinkIsPlainRopeAtVirtualPositions) {
  const bool copies = GetParam() == PromptLane::own;
  Trace trace = three_lanes(CouplingKind::groupthink);
  trace.coupling.prompt_lane = GetParam();
  for (const char* architecture : {"llama", "qwen2", "qwen3"}) {
    const std::string path = write(small(architecture));
    std::vector<Token> text;
    std::vector<Role> roles;
    const auto n_prompt = static_cast<int>(trace.prompt.size());
    for (int copy = 0; copy < (copies ? 3 : 1); ++copy) {
      for (int i = 0; i < n_prompt; ++i) {
        text.push_back({.id = trace.prompt[i], .position = i + 7.0 * copy});
        roles.push_back({.lane = -1, .owner = copy, .step = i});
      }
    }
    for (int m = 0; m < 3; ++m) {
      for (size_t i = 0; i < trace.lanes[m].tokens.size(); ++i) {
        const int step = trace.lanes[m].start_step + static_cast<int>(i);
        text.push_back({.id = trace.lanes[m].tokens[i], .position = n_prompt + step + 7.0 * m});
        roles.push_back({.lane = m, .owner = m, .step = step});
      }
    }
    const auto plain = PlainTransformer(path).logits(text, [&](size_t q, size_t k) {
      if (roles[k].lane >= 0) return roles[q].lane >= 0 && roles[k].step <= roles[q].step;
      if (copies && roles[q].owner != roles[k].owner) return false;
      return roles[q].lane >= 0 || roles[k].step <= roles[q].step;
    });

    const TraceLogits joint = TorchModel(path).logits(trace);
    expect_close(joint.prompt, plain[n_prompt - 1], "prompt");
    size_t at = copies ? 3 * n_prompt : n_prompt;
    for (const auto& lane : joint.lanes) {
      for (const auto& logits : lane) expect_close(logits, plain[at++], architecture);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Reference, PositionsTest, testing::Values(PromptLane::own, PromptLane::first),
                         [](const auto& param_info) { return std::string(name(param_info.param)); });

TEST_F(Reference, LaneRopeWithOmegaOfStrideThetaIsGroupThink) {
  const std::string path = write(small("qwen2"));
  const TorchModel model(path);
  std::vector<double> omega;
  for (const double theta : read_facts(gguf::File(path)).theta) omega.push_back(7 * theta);
  const TraceLogits groupthink = model.logits(three_lanes(CouplingKind::groupthink));
  expect_same(model.logits(three_lanes(CouplingKind::lanerope), omega), groupthink);
  std::vector<double> each_layer = omega;
  each_layer.insert(each_layer.end(), omega.begin(), omega.end());
  expect_same(model.logits(three_lanes(CouplingKind::lanerope), each_layer), groupthink);
  each_layer[omega.size()] += 0.5;
  EXPECT_GT(difference(model.logits(three_lanes(CouplingKind::lanerope), each_layer).lanes[1][2],
                       groupthink.lanes[1][2]),
            1e-3)
      << "the second layer has an omega of its own";
}

TEST_F(Reference, LaneNumbersMayBeShifted) {
  const TorchModel model(write(small("qwen3")));
  for (const auto kind : {CouplingKind::lanerope, CouplingKind::groupthink}) {
    Trace trace = three_lanes(kind);
    const std::vector<double> omega = {1.0, 0.7, 0.3, 0.1, 0.05, 0.01};
    const TraceLogits at_zero = model.logits(trace, omega);
    trace.first_lane = 11;
    expect_same(model.logits(trace, omega), at_zero);
  }
}

// In one layer nothing depends on what the others saw, so that hogwild's last step is one contiguous text.
TEST_F(Reference, HogwildIsOneContiguousText) {
  tools::RandomModel one_layer = small("llama");
  one_layer.n_layer = 1;
  const std::string path = write(one_layer);
  const Trace trace = three_lanes(CouplingKind::hogwild);
  const TraceLogits joint = TorchModel(path).logits(trace);
  const std::vector<std::vector<int>> layouts = {{1, 2, 0}, {0, 2, 1}, {0, 1, 2}};
  for (int m = 0; m < 3; ++m) {
    const int last_step = trace.lanes[m].start_step + static_cast<int>(trace.lanes[m].tokens.size()) - 1;
    std::vector<int32_t> ids = trace.prompt;
    for (const int lane : layouts[m]) {
      for (size_t i = 0; i < trace.lanes[lane].tokens.size(); ++i) {
        if (trace.lanes[lane].start_step + static_cast<int>(i) <= last_step)
          ids.push_back(trace.lanes[lane].tokens[i]);
      }
    }
    const auto plain = PlainTransformer(path).logits(in_order(ids), causal);
    expect_close(joint.lanes[m].back(), plain.back(), "hogwild");
  }
}

TEST_F(Reference, ALateLaneThatSeesNoOtherReadsThePromptAsTheFirstDoes) {
  tools::RandomModel windows = small("gemma3");
  windows.n_layer = 6;
  windows.window = 4;
  const std::string path = write(windows);
  Trace trace{.prompt = {65, 66, 67},
              .lanes = {{.tokens = {80, 81, 82}}, {.tokens = {80, 81, 82}, .start_step = 9}},
              .coupling = {.kind = CouplingKind::independent}};
  const TraceLogits alone = TorchModel(path).logits(trace);
  for (size_t i = 0; i < 3; ++i) expect_close(alone.lanes[1][i], alone.lanes[0][i], "late");
  trace.coupling.kind = CouplingKind::lanerope;
  const TraceLogits joint = TorchModel(path).logits(trace, std::vector<double>(6, 0.0));
  EXPECT_GT(difference(joint.lanes[1][2], joint.lanes[0][2]), 1e-3) << "it stands at the clock there";
}

TEST_F(Reference, AForkedLaneContinuesItsParentsTextWithoutAGap) {
  const std::string path = write(small("qwen2"));
  Trace trace{.prompt = {65, 66, 67},
              .lanes = {{.tokens = {70, 71, 72, 73, 74}},
                        {.tokens = {80, 81}, .start_step = 4, .parent = 0, .fork_step = 2}},
              .coupling = {.kind = CouplingKind::independent}};
  const TraceLogits joint = TorchModel(path).logits(trace);
  const Trace same_text{
      .prompt = {65, 66, 67}, .lanes = {{.tokens = {70, 71, 80, 81}}}, .coupling = trace.coupling};
  const TraceLogits plain = TorchModel(path).logits(same_text);
  expect_close(joint.lanes[1][0], plain.lanes[0][2], "first");
  expect_close(joint.lanes[1][1], plain.lanes[0][3], "second");
}

TEST_F(Reference, AnAdapterIsItsProductAddedToTheWeights) {
  const std::string path = write(small("qwen2"));
  const gguf::File base(path);
  const std::string adapter_path = directory.file("a.gguf");
  tools::write_random_adapter({.rank = 3, .alpha = 5, .output = true}, base, adapter_path);
  const gguf::File adapter(adapter_path);

  PlainTransformer merged(path);
  for (auto& [name, weight] : merged.weights) {
    const gguf::TensorInfo* a = adapter.find_tensor(name + ".lora_a");
    if (a == nullptr) continue;
    const auto down = read_numbers(*a);
    const auto up = read_numbers(adapter.tensor(name + ".lora_b"));
    const size_t n_in = a->ne[0];
    for (size_t i = 0; i < weight.size(); ++i) {
      for (size_t r = 0; r < 3; ++r)
        weight[i] += 0.5 * 5 / 3 * up[i / n_in * 3 + r] * down[r * n_in + i % n_in];
    }
  }
  TorchModel model(path);
  const Trace trace{.prompt = {65, 66, 67, 68}, .lanes = {}, .coupling = {}};
  const std::vector<double> without = model.logits(trace).prompt;
  model.add_adapter(adapter_path, 0.5);
  const std::vector<double> with = model.logits(trace).prompt;
  expect_close(with, merged.logits(in_order(trace.prompt), causal).back(), "merged");
  EXPECT_GT(difference(with, without), 0.05);
}

}  // namespace
}  // namespace lanerope::reference
