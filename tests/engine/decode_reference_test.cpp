// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/reference/torch_model.h"
#include "tests/support/engine_run.h"
#include "tests/support/log_probability.h"
#include "tests/support/random_models.h"
#include "tests/support/small_model.h"

namespace lanerope::engine {
namespace {

using reference::TorchModel;
using reference::Trace;

struct Setting {
  const char* name;
  BackEnd back_end;
  KvType kv_type;
  double tolerance;  // of a log-probability; logits reach about 20
};

tools::RandomModel small() {
  tools::RandomModel model = support::small_model();
  model.context = 256;
  model.bridge_heads = 2;  // other couplings pass its bridges over
  return model;
}

// A group in which everything happens that may happen to a lane, as a trace for the reference.
struct Story {
  support::GroupRun run;
  reference::Trace trace;
};

TokenId token_of(const Model& model, const char* text) {
  return model.encode(text, {.add_special = false})[0];
}

// Which of the last lane's tokens is the first to see others: `sign`, or the first where its past has one.
size_t first_look(const reference::Trace& trace, TokenId sign) {
  const std::vector<reference::TraceToken> tokens = reference::flatten(trace);
  for (int m = static_cast<int>(trace.lanes.size()) - 1; trace.lanes[m].parent >= 0;
       m = trace.lanes[m].parent) {
    const auto is_past = [&](const reference::TraceToken& token) {
      return token.id == sign && token.lane == trace.lanes[m].parent && token.step < trace.lanes[m].fork_step;
    };
    if (std::ranges::any_of(tokens, is_past)) return 0;
  }
  const std::vector<int32_t>& own = trace.lanes.back().tokens;
  return static_cast<size_t>(std::ranges::find(own, sign) - own.begin());
}

Story live_through(Engine& engine, const Model& model, const Coupling& coupling) {
  Request request{.prompt = {.tokens = support::some_tokens(11, 1)},
                  .lanes = 3,
                  .budget = 18,
                  .coupling = exactly(coupling),
                  .tag = "",
                  .lane_texts = {"", "ab"},
                  .sampling = {.temperature = 1.2F, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 5},
                  .ignore_end = true,
                  .logprobs = true};
  if (coupling.sees_from == SeesFrom::hand_over) {
    request.wait = "~", request.ready = "b";
    request.sampling.logit_bias = {{.token = token_of(model, "~"), .bias = -1e9F},
                                   {.token = token_of(model, "b"), .bias = 3}};
  }
  support::Runner runner(engine);
  const GroupId id = engine.submit(request);
  Story story{.run = {},
              .trace = {.prompt = request.prompt.tokens, .lanes = {}, .coupling = coupling, .stride = 18}};
  std::vector<std::pair<int32_t, int32_t>> origins(3, {-1, 0});  // parent, first step that is not of the past
  for (int32_t step = 0; runner.step(); ++step) {
    if (step == 3) {
      engine.spawn(id, {.text = "fresh"});
      origins.emplace_back(-1, 0);
    }
    if (step == 5) engine.retire(id, 1);
    if (step == 6) {
      engine.spawn(id, {.parent = 0, .fork_step = 4});
      origins.emplace_back(0, 3);
    }
    if (step == 7) engine.push_text(id, 0, "hello");
    if (step == 9) {
      engine.spawn(id, {.parent = 4});
      origins.emplace_back(4, 9);
    }
    if (step == 10) {
      engine.spawn(id, {.parent = 1, .fork_step = 4});
      origins.emplace_back(1, 3);
    }
  }
  story.run = runner.run(id);
  for (size_t m = 0; m < origins.size(); ++m) {
    const LaneResult& lane = story.run.result.lanes.at(m);
    story.trace.lanes.push_back({.tokens = lane.tokens,
                                 .start_step = lane.start_step,
                                 .parent = origins[m].first,
                                 .fork_step = origins[m].second});
    if (coupling.sees_from == SeesFrom::hand_over)
      story.trace.lanes.back().sees_from = first_look(story.trace, token_of(model, "b"));
  }
  return story;
}

class DecodeReference : public testing::TestWithParam<Setting> {};

TEST_P(DecodeReference, SaysOfEveryTokenWhatTheReferenceSays) {
  const std::string file = support::write_model(small());
  const auto model = support::load_model(file, GetParam().back_end);
  const reference::TorchModel torch_model(file);
  // No ring: it grows with the lanes, and the reference knows only the ring of all of them.
  const std::vector<Coupling> couplings = {
      {.kind = CouplingKind::independent},
      {.kind = CouplingKind::lanerope, .visibility = Visibility::interleaved},
      {.kind = CouplingKind::groupthink, .topology = Topology::tree},
      {.kind = CouplingKind::groupthink, .topology = Topology::blocks, .block = 2},
      {.kind = CouplingKind::lanerope, .sees_from = SeesFrom::hand_over},
      {.kind = CouplingKind::groupthink, .visibility = Visibility::strict, .prompt_lane = PromptLane::first},
      {.kind = CouplingKind::hogwild},
      {.kind = CouplingKind::hogwild, .visibility = Visibility::strict, .window = 4},
      {.kind = CouplingKind::bridge},
  };
  for (const Coupling& coupling : couplings) {
    Engine engine(model, {.kv_cells = 2048, .batch_rows = 16, .kv_type = GetParam().kv_type});
    const Story story = live_through(engine, *model, coupling);
    const auto expected = torch_model.logits(story.trace);
    int sampled = 0;
    for (size_t m = 0; m < story.trace.lanes.size(); ++m) {
      const auto events = story.run.of(EventKind::token, static_cast<int32_t>(m));
      ASSERT_EQ(events.size(), story.trace.lanes[m].tokens.size());
      for (size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(events[i].token, story.trace.lanes[m].tokens[i]);
        EXPECT_EQ(events[i].step, story.trace.lanes[m].start_step + static_cast<int32_t>(i));
        EXPECT_EQ(events[i].forced, !events[i].logprob.has_value());
        if (events[i].forced) continue;
        const auto& logits = i == 0 ? expected.prompt : expected.lanes[m][i - 1];
        ASSERT_NEAR(*events[i].logprob, support::log_probability(logits, events[i].token),
                    GetParam().tolerance)
            << name(coupling.kind) << " window " << coupling.window << ", lane " << m << ", token " << i;
        ++sampled;
      }
    }
    EXPECT_GT(sampled, 60);
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, DecodeReference,
                         testing::Values(Setting{"ggml_f32", BackEnd::ggml, KvType::f32, 1e-3},
                                         Setting{"ggml_f16", BackEnd::ggml, KvType::f16, 0.05},
                                         Setting{"kernels_f16", BackEnd::kernels, KvType::f16, 0.05}),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace lanerope::engine
