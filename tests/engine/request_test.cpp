// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "engine/resolve.h"
#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

using testing::HasSubstr;

constexpr float infinity = std::numeric_limits<float>::infinity();

tools::RandomModel tiny() {
  return {
      .n_layer = 1, .width = 32, .n_head = 2, .n_head_kv = 1, .head_dim = 16, .n_ffn = 32, .context = 128};
}

// The sentence with which `call` is refused.
template <typename Error>
std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_THAT(what, testing::Not(HasSubstr("\n"))) << "one sentence";
    return what;
  }
  return "(not refused)";
}

class RequestTest : public testing::Test {
 protected:
  std::string refused(const std::function<void(Request&)>& change) {
    Request request = good();
    change(request);
    const std::string what = refusal<InvalidRequest>([&] { engine.submit(request); });
    EXPECT_EQ(refusal<InvalidRequest>([&] { engine.need(request); }), what);
    return what;
  }
  static Request good() { return {.prompt = {.text = "Hello"}, .lanes = 2, .budget = 20}; }

  std::shared_ptr<const Model> model = support::load_model(tiny(), BackEnd::ggml);
  Engine engine{model, {.kv_cells = 2048}};
};

TEST_F(RequestTest, IsRefusedInASentenceWhereItMakesNoSense) {
  const std::vector<std::pair<std::function<void(Request&)>, const char*>> bad = {
      {[](Request& r) { r.lanes = 0; }, "at least one lane"},
      {[](Request& r) { r.lanes = -3; }, "at least one lane"},
      {[](Request& r) { r.lanes = 1025; }, "at most 1024 lanes"},
      {[](Request& r) { r.reserved_lanes = -1; }, "reserved lanes"},
      {[](Request& r) { r.reserved_lanes = 5000; }, "reserved lanes"},
      {[](Request& r) { r.budget = 0; }, "budget must be at least one token"},
      {[](Request& r) { r.budget = 1 << 25; }, "too large"},
      {[](Request& r) { r.max_tokens = -1; }, "max_tokens"},
      {[](Request& r) { r.top_logprobs = 21; }, "top_logprobs"},
      {[](Request& r) { r.top_logprobs = -1; }, "top_logprobs"},
      {[](Request& r) { r.selection.consensus = 3; }, "consensus"},
      {[](Request& r) { r.selection.consensus = -1; }, "consensus"},
      {[](Request& r) { r.selection.kind = SelectionKind::verifier; }, "verifier command"},
      {[](Request& r) { r.selection.verifier_timeout = 0; }, "time-out"},
      {[](Request& r) { r.lane_texts = {"a", "b", "c"}; }, "more lane texts than lanes"},
      {[](Request& r) { r.prompt = {}; }, "prompt is empty"},
      {[](Request& r) { r.prompt.tokens = {5}; }, "more than one of them"},
      {[](Request& r) { r.prompt = {.tokens = {5, -1}}; }, "token -1"},
      {[](Request& r) { r.prompt = {.tokens = {100000}}; }, "token 100000"},
      {[](Request& r) { r.prompt = {.tokens = std::vector<TokenId>(128, 1)}; },
       "128 tokens and the model's context is 128"},
      {[](Request& r) { r.prompt = {.tokens = std::vector<TokenId>(120, 1)}; },
       "lower the budget to 8 or less"},
      {[](Request& r) { r.adapter_scales = {1}; }, "scales 1 adapters, and 0 are loaded"},
      {[](Request& r) { r.stop = {"a", ""}; }, "stop string"},
      {[](Request& r) { r.stop = {"\xff"}; }, "stop string"},
      {[](Request& r) { r.tag = std::string(60, 'x'); }, "leaves nothing of its budget"},
      {[](Request& r) { r.lane_texts = {"", std::string(60, 'x')}; }, "text of lane 2"},
      {[](Request& r) { r.coupling = {.stride = -1}; }, "stride"},
      {[](Request& r) { r.coupling = {.stride = 1 << 21}; }, "stride"},
      {[](Request& r) { r.coupling = {.window = -1}; }, "window"},
      {[](Request& r) { r.coupling = {.init = OmegaInit::gt, .omega = {1}}; }, "init \"given\""},
      {[](Request& r) { r.coupling = {.init = OmegaInit::given}; },
       "omega has 0 values, and the model needs 8"},
      {[](Request& r) { r.coupling = {.init = OmegaInit::given, .omega = {1, 2}}; }, "omega has 2 values"},
      {[](Request& r) { r.coupling = {.init = OmegaInit::given, .omega = {1, 2, 3, 4, 5, 6, 7, NAN}}; },
       "not a number"},
      {[](Request& r) { r.sampling.temperature = -1; }, "temperature"},
      {[](Request& r) { r.sampling.temperature = NAN; }, "temperature"},
      {[](Request& r) { r.sampling.top_k = -1; }, "top-k"},
      {[](Request& r) { r.sampling.top_p = 0; }, "top-p"},
      {[](Request& r) { r.sampling.top_p = 1.5F; }, "top-p"},
      {[](Request& r) { r.sampling.top_p = NAN; }, "top-p"},
      {[](Request& r) { r.sampling.min_p = 1; }, "min-p"},
      {[](Request& r) { r.sampling.min_p = -0.1F; }, "min-p"},
      {[](Request& r) { r.sampling.repetition_penalty = 0; }, "repetition penalty"},
      {[](Request& r) { r.sampling.presence_penalty = infinity; }, "presence penalty"},
      {[](Request& r) { r.sampling.frequency_penalty = NAN; }, "frequency penalty"},
      {[](Request& r) { r.sampling.penalty_window = -1; }, "penalty window"},
      {[](Request& r) { r.sampling.logit_bias = {{.token = 99999, .bias = 1}}; }, "token 99999"},
      {[](Request& r) { r.sampling.logit_bias = {{.token = 1, .bias = NAN}}; }, "bias of token 1"},
      {[](Request& r) { r.sampling.logit_bias = {{.token = 1, .bias = infinity}}; }, "bias of token 1"},
  };
  for (const auto& [change, words] : bad) EXPECT_THAT(refused(change), HasSubstr(words));
  EXPECT_EQ(refused([](Request&) {}), "(not refused)");
}

TEST(LongContextRequest, IsRefusedWhereItsCellsCannotBeCounted) {
  tools::RandomModel model = tiny();
  model.context = 1 << 21;
  Engine engine(support::load_model(model, BackEnd::ggml), {.kv_cells = 64});
  Request request{.prompt = {.text = "Hello"}, .lanes = 1024, .budget = 1 << 19};
  EXPECT_THAT(refusal<DoesNotFit>([&] { engine.submit(request); }), HasSubstr("KV cells"));
  request.budget = (1 << 21) - 100;
  request.reserved_lanes = 1024;
  EXPECT_THAT(refusal<InvalidRequest>([&] { engine.submit(request); }),
              HasSubstr("4294836288 KV cells, more than any engine has"));
}

TEST(Names, ReadBackAsWhatTheyName) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(parse<SelectionKind>(name(static_cast<SelectionKind>(i))), static_cast<SelectionKind>(i));
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(parse<KvType>(name(static_cast<KvType>(i))), static_cast<KvType>(i));
    EXPECT_EQ(parse<BackEnd>(name(static_cast<BackEnd>(i))), static_cast<BackEnd>(i));
  }
  EXPECT_FALSE(parse<SelectionKind>("best").has_value());
  EXPECT_FALSE(parse<KvType>("q4_0").has_value());
  EXPECT_FALSE(parse<BackEnd>("").has_value());
}

TEST_F(RequestTest, ThatWasRefusedLeavesNothingBehind) {
  refused([](Request& r) { r.stop = {""}; });
  EXPECT_EQ(engine.state().queued_groups, 0);
  EXPECT_FALSE(engine.step({}));
}

TEST_F(RequestTest, FillsInWhatIsLeftOut) {
  const auto plain = resolve(*model, good());
  EXPECT_EQ(plain->coupling.kind, CouplingKind::independent) << "nothing was trained for lanes";
  EXPECT_TRUE(plain->untrained);
  EXPECT_EQ(plain->tag, "");
  Request coupled = good();
  coupled.coupling.kind = CouplingKind::lanerope;
  const auto resolved = resolve(*model, coupled);
  EXPECT_EQ(resolved->coupling.init, OmegaInit::ntk_by_parts) << "the start that harms least";
  EXPECT_EQ(resolved->stride, 20) << "the budget";
  EXPECT_EQ(resolved->tag, "<lane{k}>");
  EXPECT_EQ(resolved->lanes[1].forced, model->encode("<lane2>", {.add_special = false}));
  Request one = good();
  one.lanes = 1;
  one.coupling.kind = CouplingKind::lanerope;
  EXPECT_EQ(resolve(*model, one)->tag, "");
  EXPECT_FALSE(resolve(*model, one)->untrained) << "one lane is the plain model";
  Request window = good();
  window.coupling.window = 5;
  EXPECT_EQ(resolve(*model, window)->coupling.kind, CouplingKind::lanerope)
      << "who says what lanes see says that they see";
  Request stride = good();
  stride.coupling = {.kind = CouplingKind::groupthink, .stride = 7};
  EXPECT_EQ(resolve(*model, stride)->stride, 7);
}

TEST_F(RequestTest, IsRefusedWhereItsCouplingDoesNotReadWhatItSays) {
  const auto refusal_of = [&](const CouplingChoice& choice) {
    return refused([&](Request& r) { r.coupling = choice; });
  };
  const auto independent = CouplingKind::independent;
  EXPECT_EQ(refusal_of({.kind = independent, .window = 5}),
            "the coupling independent, whose attention goes to no other lane, has no window of other lanes; "
            "leave it out, or couple lanes otherwise");
  EXPECT_THAT(refusal_of({.kind = independent, .init = OmegaInit::gt}), HasSubstr("has no init"));
  EXPECT_THAT(refusal_of({.kind = independent, .visibility = Visibility::strict}), HasSubstr("visibility"));
  EXPECT_THAT(refusal_of({.kind = independent, .topology = Topology::all}), HasSubstr("topology"));
  const auto groupthink = CouplingKind::groupthink;
  EXPECT_THAT(refusal_of({.kind = groupthink, .init = OmegaInit::gt}), HasSubstr("groupthink has no init"));
  EXPECT_THAT(refusal_of({.kind = groupthink, .trained_lanes = 4}), HasSubstr("has no far lanes"));
  EXPECT_THAT(refusal_of({.kind = CouplingKind::hogwild, .stride = 7}), HasSubstr("hogwild has no stride"));
  EXPECT_THAT(refusal_of({.kind = CouplingKind::hogwild, .prompt_lane = PromptLane::first}),
              HasSubstr("has no prompt lane"));
  const std::vector<float> omega(8, 1);
  EXPECT_THAT(refusal_of({.omega = omega, .stride = 7}), HasSubstr("omega is given"));
  EXPECT_EQ(refusal_of({.init = OmegaInit::ntk, .stride = 7}), "(not refused)");
}

TEST_F(RequestTest, OfEqualCouplingsShareTheirRotationsSoThatTheirPromptIsReadTogether) {
  const auto first = resolve(*model, good());
  Request second = good();
  second.prompt = {.text = "Something else"};
  EXPECT_EQ(first->frequencies, resolve(*model, second)->frequencies);
  second.coupling.init = OmegaInit::gt;
  EXPECT_NE(first->frequencies, resolve(*model, second)->frequencies);
}

TEST_F(RequestTest, IsInTheFirstEventOfItsGroup) {
  const auto resolved = resolve(*model, good());
  engine.submit(resolved);
  std::vector<Event> events;
  while (engine.step([&](const Event& event) { events.push_back(event); })) {
  }
  ASSERT_GT(events.size(), 2U);
  EXPECT_EQ(events.front().resolved, resolved);
  for (size_t i = 1; i < events.size(); ++i) EXPECT_EQ(events[i].resolved, nullptr);
}

TEST_F(RequestTest, ForAnotherModelIsRefused) {
  const auto other = support::load_model(tiny(), BackEnd::ggml);
  EXPECT_THAT(refusal<InvalidRequest>([&] { engine.submit(resolve(*other, good())); }),
              HasSubstr("another model"));
}

TEST_F(RequestTest, DrawsItsSeedWhereTheDefaultsSaySo) {
  EXPECT_EQ(resolve(*model, good())->seed, 0U);
  const RequestDefaults drawn{.seeds = uint64_t{1} << 53};
  const uint64_t first = resolve(*model, good(), drawn)->seed;
  EXPECT_LT(first, drawn.seeds);
  EXPECT_NE(first, resolve(*model, good(), drawn)->seed);
  Request seeded = good();
  seeded.sampling.seed = 7;
  EXPECT_EQ(resolve(*model, seeded, drawn)->seed, 7U);
}

TEST(AdapterRequest, TakesWhatTheAdapterWasTrainedWith) {
  const std::string base = support::write_model(tiny());
  Coupling trained{
      .kind = CouplingKind::lanerope, .init = OmegaInit::given, .visibility = Visibility::strict};
  trained.omega.assign(8, 0.5F);
  const std::string adapter =
      support::write_adapter({.coupling = trained, .tag = "[{k}]", .on_prompt = false}, base);
  const auto model = support::load_model(base, BackEnd::ggml, {{.file = adapter, .scale = 0.75F}});

  Request request{.prompt = {.text = "Hello"}, .lanes = 2, .budget = 20};
  const auto resolved = resolve(*model, request);
  EXPECT_EQ(resolved->coupling.visibility, Visibility::strict);
  EXPECT_EQ(resolved->frequencies->classes.front().omega, std::vector<double>(8, 0.5));
  EXPECT_EQ(resolved->tag, "[{k}]");
  EXPECT_EQ(resolved->lane_scales, std::vector<float>{0.75F});
  EXPECT_EQ(resolved->prompt_scales, std::vector<float>{0}) << "off while the prompt is read";

  request.coupling = {.kind = CouplingKind::lanerope, .visibility = Visibility::inclusive};
  EXPECT_THAT(refusal<InvalidRequest>([&] { resolve(*model, request); }), HasSubstr("strict visibility"));
  request.coupling.force = true;
  EXPECT_EQ(resolve(*model, request)->coupling.visibility, Visibility::inclusive);
  request.coupling.force = false;
  request.adapter_scales = {0};
  EXPECT_EQ(resolve(*model, request)->coupling.visibility, Visibility::inclusive)
      << "an adapter that is off says nothing";
  request.adapter_scales = {NAN};
  EXPECT_THAT(refusal<InvalidRequest>([&] { resolve(*model, request); }), HasSubstr("scale"));
}

TEST(AdapterRequest, KnowsWithHowManyLanesItWasTrained) {
  const std::string base = support::write_model(tiny());
  const std::string adapter = support::write_adapter(
      {.coupling = Coupling{.kind = CouplingKind::lanerope, .init = OmegaInit::gt}, .lanes = {1, 4, 2}},
      base);
  const auto model = support::load_model(base, BackEnd::ggml, {{.file = adapter}});
  Request request{.prompt = {.text = "Hello"}, .lanes = 2, .budget = 20};
  request.coupling.far_lanes = FarLanes::clamped;
  EXPECT_EQ(resolve(*model, request)->coupling.trained_lanes, 4);
  request.coupling.trained_lanes = 3;
  EXPECT_EQ(resolve(*model, request)->coupling.trained_lanes, 3);
  request.coupling.kind = CouplingKind::groupthink;
  EXPECT_THAT(refusal<InvalidRequest>([&] { resolve(*model, request); }), HasSubstr("has no far lanes"));
}

TEST(AdapterRequest, KeepsLanesBeyondThoseItWasTrainedWithAtTheRim) {
  const std::string base = support::write_model(tiny());
  const std::string adapter = support::write_adapter(
      {.coupling = Coupling{.kind = CouplingKind::lanerope, .init = OmegaInit::gt}, .lanes = {1, 4, 2}},
      base);
  const auto model = support::load_model(base, BackEnd::ggml, {{.file = adapter}});
  Request request{.prompt = {.text = "Hello"}, .lanes = 4, .budget = 20};
  EXPECT_EQ(resolve(*model, request)->coupling.far_lanes, FarLanes::extrapolated) << "there are none";
  request.lanes = 5;
  EXPECT_EQ(resolve(*model, request)->coupling.far_lanes, FarLanes::clamped);
  EXPECT_EQ(resolve(*model, request)->coupling.trained_lanes, 4);
  request.coupling.far_lanes = FarLanes::extrapolated;
  EXPECT_EQ(resolve(*model, request)->coupling.far_lanes, FarLanes::extrapolated);
  request.coupling = {.kind = CouplingKind::groupthink};
  EXPECT_EQ(resolve(*model, request)->coupling.far_lanes, FarLanes::extrapolated) << "it has no omega";
  request.coupling = {.trained_lanes = 3};
  EXPECT_EQ(resolve(*model, request)->coupling.trained_lanes, 3);
}

TEST_F(RequestTest, RefusesParticularsThatNothingWouldRead) {
  const std::vector<std::pair<CouplingChoice, const char*>> bad = {
      {{.block = 4}, "goes with the topology blocks, not with all"},
      {{.topology = Topology::blocks, .block = 0}, "at least one lane"},
      {{.far_lanes = FarLanes::extrapolated, .trained_lanes = 4},
       "say how too: extrapolated, clamped, wrapped or interpolated"},
      {{.far_lanes = FarLanes::wrapped}, "give the number of trained lanes"},
      {{.kind = CouplingKind::independent, .far_lanes = FarLanes::wrapped, .trained_lanes = 4},
       "has no far lanes"},
  };
  for (const auto& [choice, words] : bad) {
    Request request = good();
    request.coupling = choice;
    EXPECT_THAT(refusal<InvalidRequest>([&] { resolve(*model, request); }), HasSubstr(words));
  }
}

TEST_F(RequestTest, ToScoreIsRefusedWhereItMakesNoSense) {
  const ScoreRequest good{.prompt_tokens = {1, 2, 3}, .lanes = {{4, 5}, {6}}};
  EXPECT_NO_THROW(engine.score(good));
  const std::vector<std::pair<std::function<void(ScoreRequest&)>, const char*>> bad = {
      {[](ScoreRequest& r) { r.prompt_tokens = {}; }, "prompt of a trace to score is empty"},
      {[](ScoreRequest& r) { r.lanes = {}; }, "at least one lane"},
      {[](ScoreRequest& r) { r.lanes[1] = {}; }, "lane 1 of the trace has no tokens"},
      {[](ScoreRequest& r) { r.start_steps = {0}; }, "one number a lane"},
      {[](ScoreRequest& r) { r.start_steps = {0, -1}; }, "must not be negative"},
      {[](ScoreRequest& r) { r.start_steps = {0, 125}; }, "beyond the model's context of 128"},
      {[](ScoreRequest& r) { r.top_logits = -1; }, "number of logits"},
      {[](ScoreRequest& r) { r.top_logits = 1 << 20; }, "number of logits"},
      {[](ScoreRequest& r) { r.lanes[0][1] = -5; }, "token -5"},
      {[](ScoreRequest& r) { r.coupling.init = OmegaInit::given; }, "omega has 0 values"},
      {[](ScoreRequest& r) { r.adapter_scales = {1, 2}; }, "scales 2 adapters"},
  };
  for (const auto& [change, words] : bad) {
    ScoreRequest request = good;
    change(request);
    EXPECT_THAT(refusal<InvalidRequest>([&] { engine.score(request); }), HasSubstr(words));
  }
  ScoreRequest large = good;
  large.lanes.assign(40, std::vector<TokenId>(100, 1));
  EXPECT_THAT(refusal<DoesNotFit>([&] { engine.score(large); }),
              HasSubstr("5184 KV cells and the engine has 2048"));
}

}  // namespace
}  // namespace lanerope::engine
