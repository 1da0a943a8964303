// SPDX-License-Identifier: Apache-2.0
// Lanes that sleep, against the reference in double precision.
#include <gtest/gtest.h>

#include <string>

#include "core/sleepers.h"
#include "tests/reference/torch_model.h"
#include "tests/support/engine_run.h"
#include "tests/support/log_probability.h"
#include "tests/support/random_models.h"
#include "tests/support/small_model.h"

namespace lanerope::engine {
namespace {

tools::RandomModel small(const char* architecture) {
  tools::RandomModel model = support::small_model(architecture);
  model.context = 256;
  model.window = std::string(architecture) == "gemma3" ? 8 : 0;
  return model;
}

// '~' waits, '!' is ready, and both are drawn often.
Request sleepy_request(const Model& model, const Coupling& coupling) {
  Request request{.prompt = {.tokens = support::some_tokens(11, 1)},
                  .lanes = 4,
                  .budget = 24,
                  .coupling = exactly(coupling),
                  .wait = "~",
                  .ready = "!",
                  .lane_texts = {"", "a~b!", "~c"},
                  .sampling = {.temperature = 1.2F, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 5},
                  .ignore_end = true,
                  .logprobs = true};
  for (const char* text : {"~", "!"})
    request.sampling.logit_bias.push_back(
        {.token = model.encode(text, {.add_special = false})[0], .bias = *text == '~' ? 6.0F : 4.0F});
  return request;
}

// The place of the first '~' or '!'.
size_t first_sign(const Model& model, const std::vector<TokenId>& tokens) {
  size_t place = 0;
  const auto is = [&](const char* text) {
    return tokens[place] == model.encode(text, {.add_special = false})[0];
  };
  while (place < tokens.size() && !is("~") && !is("!")) ++place;
  return place;
}

struct Setting {
  const char* name;
  const char* architecture;
  BackEnd back_end;
  KvType kv_type;
  double tolerance;  // of a log-probability
};

class SleepReference : public testing::TestWithParam<Setting> {
 protected:
  std::string file = support::write_model(small(GetParam().architecture));
  std::shared_ptr<const Model> model = support::load_model(file, GetParam().back_end);
};

TEST_P(SleepReference, SaysOfEveryTokenWhatTheReferenceSays) {
  const reference::TorchModel torch_model(file);
  const std::vector<Coupling> couplings = {
      {.kind = CouplingKind::lanerope},
      {.kind = CouplingKind::lanerope, .visibility = Visibility::interleaved},
      {.kind = CouplingKind::groupthink, .topology = Topology::tree},
      {.kind = CouplingKind::groupthink, .visibility = Visibility::strict, .window = 5},
      {.kind = CouplingKind::lanerope, .sees_from = SeesFrom::hand_over},
      {.kind = CouplingKind::groupthink, .window = 9, .sees_from = SeesFrom::hand_over},
  };
  for (const Coupling& coupling : couplings) {
    Engine engine(model, {.kv_cells = 2048, .batch_rows = 16, .kv_type = GetParam().kv_type});
    support::Runner runner(engine);
    const GroupId id = engine.submit(sleepy_request(*model, coupling));
    std::vector<std::pair<int32_t, int32_t>> origins(4, {-1, 0});  // parent, first step not of the past
    for (int32_t step = 0; runner.step(); ++step) {
      if (step == 4) {
        engine.spawn(id, {.text = "fresh~"});
        origins.emplace_back(-1, 0);
      }
      if (step == 6) engine.push_text(id, 2, "hi~");
      if (step == 8) engine.retire(id, 1);
    }
    const support::GroupRun& run = runner.run(id);
    reference::Trace trace{
        .prompt = support::some_tokens(11, 1), .lanes = {}, .coupling = coupling, .stride = 24};
    int32_t slept = 0;
    for (size_t m = 0; m < origins.size(); ++m) {
      const LaneResult& lane = run.result.lanes.at(m);
      for (const Sleep& sleep : lane.sleeps) slept += sleep.steps;
      const bool late = coupling.sees_from == SeesFrom::hand_over;
      trace.lanes.push_back({.tokens = lane.tokens,
                             .start_step = lane.start_step,
                             .parent = origins[m].first,
                             .fork_step = origins[m].second,
                             .sees_from = late ? first_sign(*model, lane.tokens) : 0,
                             .steps = steps_of(lane)});
    }
    EXPECT_GT(slept, 5) << name(coupling.kind);
    const auto expected = torch_model.logits(trace);
    int sampled = 0;
    for (size_t m = 0; m < trace.lanes.size(); ++m) {
      const auto events = run.of(EventKind::token, static_cast<int32_t>(m));
      ASSERT_EQ(events.size(), trace.lanes[m].tokens.size());
      for (size_t i = 0; i < events.size(); ++i) {
        if (events[i].forced) continue;
        const auto& logits = i == 0 ? expected.prompt : expected.lanes[m][i - 1];
        ASSERT_NEAR(*events[i].logprob, support::log_probability(logits, events[i].token),
                    GetParam().tolerance)
            << name(coupling.kind) << ", lane " << m << ", token " << i;
        ++sampled;
      }
    }
    EXPECT_GT(sampled, 40);
  }
}

TEST_P(SleepReference, ScoringTheSameLanesPlacesThemInTheSameSteps) {
  for (const SeesFrom sees_from : {SeesFrom::start, SeesFrom::hand_over}) {
    const Coupling coupling{.sees_from = sees_from};
    Engine engine(model, {.kv_cells = 4096, .batch_rows = 16, .kv_type = GetParam().kv_type});
    const Request request = sleepy_request(*model, coupling);
    const support::GroupRun run = support::run_group(engine, request);
    const SleepTokens sleep = run.events.front().resolved->sleep;
    ScoreRequest given{.prompt_tokens = request.prompt.tokens, .coupling = coupling, .sleep = sleep};
    given.stride = 24;
    std::vector<std::span<const TokenId>> lanes;
    for (const LaneResult& lane : run.result.lanes) {
      given.lanes.push_back(lane.tokens);
      lanes.emplace_back(lane.tokens);
    }
    const auto steps = core::lane_steps(lanes, {}, core::Sleepers(sleep, coupling));
    const ScoreResult score = engine.score(given);
    for (size_t m = 0; m < lanes.size(); ++m) {
      EXPECT_EQ(steps_of(run.result.lanes[m]), steps[m]) << "lane " << m;
      const auto events = run.of(EventKind::token, static_cast<int32_t>(m));
      for (size_t i = 0; i < events.size(); ++i) {
        if (events[i].forced) continue;
        EXPECT_NEAR(*events[i].logprob, score.lanes[m][i].logprob, GetParam().tolerance) << m << " " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Settings, SleepReference,
                         testing::Values(Setting{"ggml_f32", "qwen3", BackEnd::ggml, KvType::f32, 1e-3},
                                         Setting{"kernels_f16", "qwen3", BackEnd::kernels, KvType::f16, 0.05},
                                         Setting{"windows", "gemma3", BackEnd::ggml, KvType::f32, 1e-3},
                                         Setting{"windows_kernels", "gemma3", BackEnd::kernels, KvType::f16,
                                                 0.05}),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace lanerope::engine
