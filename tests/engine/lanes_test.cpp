// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// What may happen to a lane while it runs, on both paths.
class Lanes : public testing::TestWithParam<BackEnd> {
 protected:
  std::shared_ptr<const Model> model = support::load_model(
      tools::RandomModel{.n_layer = 1, .width = 64, .n_ffn = 64, .context = 64}, GetParam());
  Engine engine{model, {.kv_cells = 2048, .keep_prefixes = false}};

  static Request request(int32_t lanes, int32_t budget) {
    return {.prompt = {.text = "Count to four."},
            .lanes = lanes,
            .budget = budget,
            .tag = "",
            .sampling = {.temperature = 0},
            .ignore_end = true,
            .selection = {.kind = SelectionKind::none}};
  }

  TokenId end_token() const {
    for (TokenId t = 0; t < model->info().n_vocab; ++t) {
      if (model->is_end(t)) return t;
    }
    return -1;
  }
};

TEST_P(Lanes, TellTheirStoryInOrder) {
  const support::GroupRun run = support::run_group(engine, request(2, 3));
  std::string story;
  for (const Event& event : run.events) {
    story += std::string(name(event.kind)) + (event.lane < 0 ? "" : std::to_string(event.lane)) + " ";
  }
  EXPECT_EQ(
      story,
      "prompt_read lane_started0 lane_started1 token0 token1 token0 token1 token0 lane_finished0 token1 "
      "lane_finished1 group_finished ");
  EXPECT_EQ(run.result.lanes[1].finish, FinishReason::length);
  EXPECT_EQ(run.result.lanes[1].tokens.size(), 3U);
  EXPECT_EQ(run.result.clock, 2) << "the last tokens were drawn and not fed";
}

TEST_P(Lanes, SpendTheirTagFromTheirBudget) {
  Request tagged = request(2, 12);
  tagged.tag = "<lane{k}>";
  tagged.lane_texts = {"", " so"};
  const support::GroupRun run = support::run_group(engine, tagged);
  const auto tag = model->encode("<lane2> so", {.add_special = false});
  const auto tokens = run.of(EventKind::token, 1);
  ASSERT_EQ(tokens.size(), 12U);
  for (size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(tokens[i].forced, i < tag.size());
    if (i < tag.size()) {
      EXPECT_EQ(tokens[i].token, tag[i]);
    }
  }
  EXPECT_THAT(run.result.lanes[1].text, StartsWith(" so")) << "the tag is not what the lane wrote";
  EXPECT_EQ(run.result.lanes[1].generated, 12 - static_cast<int32_t>(tag.size()));
}

TEST_P(Lanes, EndAtAnEndToken) {
  Request ends = request(2, 8);
  ends.ignore_end = false;
  ends.sampling.logit_bias = {{.token = end_token(), .bias = 1000}};
  const support::GroupRun run = support::run_group(engine, ends);
  EXPECT_EQ(run.result.lanes[0].finish, FinishReason::end);
  EXPECT_EQ(run.result.lanes[0].tokens, std::vector<TokenId>{end_token()});
  EXPECT_EQ(run.result.lanes[0].text, "");
  ends.ignore_end = true;
  EXPECT_EQ(support::run_group(engine, ends).result.lanes[0].finish, FinishReason::length);
}

TEST_P(Lanes, EndBeforeAStopString) {
  const std::string whole = support::run_group(engine, request(1, 20)).result.lanes[0].text;
  ASSERT_GT(whole.size(), 20U);
  Request stops = request(1, 20);
  stops.stop = {"never said", whole.substr(9, 5)};
  const support::GroupRun run = support::run_group(engine, stops);
  EXPECT_EQ(run.result.lanes[0].finish, FinishReason::stop);
  EXPECT_EQ(run.result.lanes[0].text, whole.substr(0, whole.find(stops.stop[1])));
  std::string shown;
  for (const Event& event : run.events) shown += event.text;
  EXPECT_EQ(shown, run.result.lanes[0].text) << "nothing of it was shown and taken back";
}

TEST_P(Lanes, AreRetiredAndStayReadable) {
  support::Runner runner(engine);
  const GroupId id = engine.submit(request(3, 10));
  for (int i = 0; i < 4; ++i) runner.step();
  engine.retire(id, 1);
  EXPECT_THROW(engine.retire(id, 1), InvalidRequest);
  EXPECT_THROW(engine.retire(id, 3), InvalidRequest);
  EXPECT_THROW(engine.retire(id, -1), InvalidRequest);
  EXPECT_THROW(engine.retire(id + 1, 0), InvalidRequest);
  EXPECT_EQ(engine.state().lanes, 2);
  runner.finish();
  const GroupResult& result = runner.run(id).result;
  EXPECT_EQ(result.lanes[1].finish, FinishReason::retired);
  EXPECT_EQ(result.lanes[1].tokens.size(), 4U);
  EXPECT_EQ(result.lanes[0].tokens.size(), 10U);
}

TEST_P(Lanes, AreCancelledWithTheirGroup) {
  support::Runner runner(engine);
  const GroupId id = engine.submit(request(2, 30));
  const GroupId other = engine.submit(request(1, 30));
  for (int i = 0; i < 3; ++i) runner.step();
  engine.cancel(id);
  runner.step();
  EXPECT_TRUE(runner.finished(id));
  EXPECT_EQ(runner.run(id).result.lanes[0].finish, FinishReason::cancelled);
  EXPECT_EQ(runner.run(id).of(EventKind::group_finished)[0].finish, FinishReason::cancelled);
  EXPECT_GT(runner.run(id).result.prefill_seconds, 0);
  EXPECT_GT(runner.run(id).result.decode_seconds, 0) << "what it wrote took time";
  EXPECT_THROW(engine.cancel(id), InvalidRequest);
  runner.finish();
  EXPECT_EQ(runner.run(other).result.lanes[0].tokens.size(), 30U);
  EXPECT_EQ(engine.state().cells_used, 0);
}

TEST_P(Lanes, AreToldWhatToSay) {
  support::Runner runner(engine);
  const GroupId id = engine.submit(request(2, 16));
  EXPECT_THROW(engine.push_text(id, 0, "x"), InvalidRequest) << "it has not begun";
  for (int i = 0; i < 3; ++i) runner.step();
  engine.push_text(id, 0, " wait, then");
  EXPECT_THROW(engine.push_text(id, 0, std::string(40, 'z')), InvalidRequest) << "beyond the budget";
  runner.finish();
  const auto pushed = model->encode(" wait, then", {.add_special = false});
  const std::vector<TokenId> tokens = runner.run(id).tokens(0);
  EXPECT_EQ(std::vector<TokenId>(tokens.begin() + 3,
                                 tokens.begin() + 3 + static_cast<std::ptrdiff_t>(pushed.size())),
            pushed);
  EXPECT_THAT(runner.run(id).result.lanes[0].text, HasSubstr(" wait, then"));
  EXPECT_EQ(runner.run(id).result.lanes[0].tokens.size(), 16U);
  EXPECT_EQ(runner.run(id).result.lanes[1].generated, 16);
}

// What may become a stop string, and does not, is the lane's text all the same, whatever comes behind it.
TEST_P(Lanes, LoseNothingOfWhatAStopStringHoldsBack) {
  const support::GroupRun plain = support::run_group(engine, request(1, 20));
  std::string begun;
  for (int i = 0; i < 8; ++i) begun += plain.of(EventKind::token, 0)[i].text;
  const auto texts = [&](const std::vector<std::string>& stop) {
    support::Runner runner(engine);
    Request held = request(1, 20);
    held.stop = stop;
    held.reserved_lanes = 1;
    const GroupId id = engine.submit(held);
    for (int i = 0; i < 5; ++i) runner.step();
    engine.spawn(id, {.parent = 0});
    engine.push_text(id, 0, " wait,");
    runner.finish();
    std::vector<std::string> all;
    for (const LaneResult& lane : runner.run(id).result.lanes) all.push_back(lane.text);
    return all;
  };
  const std::vector<std::string> expected = texts({});
  EXPECT_THAT(expected[1], StartsWith(begun)) << "a fork goes on as its parent would have";
  EXPECT_EQ(texts({begun + " never said"}), expected);
}

TEST_P(Lanes, EndBeforeAStopStringThatBeganBeforeTheyWereForked) {
  const support::GroupRun plain = support::run_group(engine, request(1, 20));
  const std::string whole = plain.result.lanes[0].text;
  const std::vector<Event> tokens = plain.of(EventKind::token, 0);
  std::string stop;
  for (size_t i = 3; i < 8; ++i) stop += tokens[i].text;
  support::Runner runner(engine);
  Request stops = request(1, 20);
  stops.stop = {stop};
  stops.reserved_lanes = 1;
  const GroupId id = engine.submit(stops);
  for (int i = 0; i < 6; ++i) runner.step();
  engine.spawn(id, {.parent = 0});
  runner.finish();
  ASSERT_EQ(runner.run(id).result.lanes.size(), 2U);
  for (const LaneResult& lane : runner.run(id).result.lanes) {
    EXPECT_EQ(lane.finish, FinishReason::stop);
    EXPECT_EQ(lane.text, whole.substr(0, whole.find(stop)));
  }
}

TEST_P(Lanes, ThatAreForkedArePenalisedForWhatTheirParentWrote) {
  support::Runner runner(engine);
  Request penalised = request(1, 16);
  penalised.sampling.presence_penalty = 1000;
  penalised.reserved_lanes = 1;
  const GroupId id = engine.submit(penalised);
  for (int i = 0; i < 10; ++i) runner.step();
  engine.spawn(id, {.parent = 0});
  runner.finish();
  const std::vector<LaneResult>& lanes = runner.run(id).result.lanes;
  const auto before = static_cast<std::ptrdiff_t>(lanes[1].start_step);
  std::vector<TokenId> all(lanes[0].tokens.begin(), lanes[0].tokens.begin() + before);
  ASSERT_EQ(all.back(), lanes[0].tokens[static_cast<size_t>(before) - 1]);
  all.insert(all.end(), lanes[1].tokens.begin() + 1, lanes[1].tokens.end());
  EXPECT_GT(all.size(), 20U);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), all.size()) << "no token twice";
}

TEST_P(Lanes, AreSpawnedAtTheClock) {
  support::Runner runner(engine);
  Request reserved = request(1, 10);
  reserved.reserved_lanes = 1;
  const GroupId id = engine.submit(reserved);
  EXPECT_THROW(engine.spawn(id, {}), InvalidRequest);
  for (int i = 0; i < 5; ++i) runner.step();
  EXPECT_EQ(engine.spawn(id, {.text = "Now"}), 1);
  EXPECT_EQ(engine.spawn(id, {}), 2) << "beyond the reserve, where there is room";
  EXPECT_THROW(engine.spawn(id, {.parent = 3}), InvalidRequest);
  EXPECT_THROW(engine.spawn(id, {.parent = 0, .fork_step = 20}), InvalidRequest);
  EXPECT_THROW(engine.spawn(id, {.text = std::string(99, '!')}), InvalidRequest);
  runner.finish();
  const GroupResult& result = runner.run(id).result;
  ASSERT_EQ(result.lanes.size(), 3U);
  EXPECT_EQ(result.lanes[1].start_step, 4);
  EXPECT_EQ(result.lanes[1].tokens.size(), 10U);
  EXPECT_THAT(result.lanes[1].text, StartsWith("Now"));
}

// Of lanes that see one another the clock is the measure; what sees no other lane reads no gap.
TEST_P(Lanes, ThatSeeNoOtherStandBehindThePromptWhenTheyAreSpawned) {
  Request alone = request(1, 12);
  alone.reserved_lanes = 1;
  alone.lane_texts = {"So"};
  alone.logprobs = true;
  const auto third_logprobs = [&](CouplingKind kind) {
    alone.coupling = {.kind = kind};
    support::Runner runner(engine);
    const GroupId id = engine.submit(alone);
    for (int i = 0; i < 10; ++i) runner.step();
    engine.spawn(id, {.text = "So"});
    runner.finish();
    std::vector<std::vector<float>> drawn(2);
    for (const Event& event : runner.run(id).events)
      if (event.logprob) drawn[static_cast<size_t>(event.lane)].push_back(*event.logprob);
    return std::pair(drawn[0].at(0), drawn[1].at(0));
  };
  const auto [first, late] = third_logprobs(CouplingKind::independent);
  EXPECT_NEAR(first, late, 2e-3);
  const auto [first_open, late_open] = third_logprobs(CouplingKind::lanerope);
  EXPECT_GT(std::abs(first_open - late_open), 5e-3) << "it sees lane 0 there, and stands at the clock";
}

TEST_P(Lanes, EndAsOneWhereEnoughOfThemAgree) {
  Request agree = request(4, 20);
  agree.lane_texts = {"\\boxed{7}", "", "\\boxed{8}", "\\boxed{ 7.0 }"};
  agree.selection = {.kind = SelectionKind::vote, .consensus = 2};
  const support::GroupRun run = support::run_group(engine, agree);
  EXPECT_TRUE(run.result.consensus);
  EXPECT_EQ(run.result.selected, 0);
  EXPECT_EQ(run.result.lanes[1].finish, FinishReason::consensus);
  EXPECT_LT(run.result.lanes[1].tokens.size(), 20U);
  agree.selection.consensus = 3;
  EXPECT_FALSE(support::run_group(engine, agree).result.consensus);
}

TEST_P(Lanes, EndAtTheEndOfTheContext) {
  Request late = request(1, 16);
  late.prompt = {.tokens = support::some_tokens(48, 1)};
  late.reserved_lanes = 1;
  support::Runner runner(engine);
  const GroupId id = engine.submit(late);
  for (int i = 0; i < 11; ++i) runner.step();
  engine.spawn(id, {});
  runner.finish();
  const GroupResult& result = runner.run(id).result;
  EXPECT_EQ(result.lanes[0].tokens.size(), 16U);
  EXPECT_EQ(result.lanes[1].start_step, 10);
  EXPECT_EQ(result.lanes[1].tokens.size(), 6U) << "48 + 10 + 6 = 64";
  EXPECT_EQ(result.lanes[1].finish, FinishReason::length);
}

INSTANTIATE_TEST_SUITE_P(Paths, Lanes, testing::Values(BackEnd::ggml, BackEnd::kernels),
                         [](const auto& param_info) { return std::string(name(param_info.param)); });

}  // namespace
}  // namespace lanerope::engine
