// SPDX-License-Identifier: Apache-2.0
// One more lane, which begins when all others have ended and reads what they wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "lanerope/errors.h"
#include "lanerope/page.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"
#include "tests/support/refusal.h"
#include "tests/support/small_model.h"

namespace lanerope::engine {
namespace {

using support::GroupRun;
using support::refusal;
using testing::HasSubstr;

Request request_of(uint64_t seed = 5) {
  return {.prompt = {.tokens = support::some_tokens(11, 1)},
          .lanes = 3,
          .budget = 20,
          .tag = "",
          .lane_texts = {"", "ab"},
          .sampling = {.temperature = 1.2F, .top_k = 0, .top_p = 1, .min_p = 0, .seed = seed},
          .ignore_end = true,
          .then = SecondStage{.text = "All {n} of you:", .budget = 9},
          .logprobs = true};
}

class SecondStageTest : public testing::Test {
 protected:
  std::shared_ptr<const Model> model =
      support::load_model(support::write_model(support::small_model()), BackEnd::kernels);

  GroupRun run(const Request& request) const {
    Engine engine(model, {.kv_cells = 2048});
    return support::run_group(engine, request);
  }
};

TEST_F(SecondStageTest, GivesTheAnswer) {
  const GroupRun done = run(request_of());
  ASSERT_EQ(done.result.lanes.size(), 4U);
  const LaneResult& last = done.result.lanes.back();
  EXPECT_EQ(done.result.then_lane, 3);
  EXPECT_EQ(done.result.selected, 3);
  EXPECT_EQ(done.result.confidence.kind, ConfidenceKind::mean_probability);
  EXPECT_EQ(last.generated, 9) << "a budget of its own";
  const std::vector<TokenId> told(last.tokens.begin(), last.tokens.end() - 9);
  EXPECT_EQ(model->decode(told), "All 3 of you:");
  EXPECT_THAT(last.text, testing::Not(HasSubstr("of you"))) << "what it was told is no part of the answer";
  for (size_t m = 0; m < 3; ++m) EXPECT_EQ(done.result.lanes[m].tokens.size(), 20U);
  const auto started = done.of(EventKind::lane_started);
  ASSERT_EQ(started.size(), 4U);
  EXPECT_FALSE(started[2].second_stage);
  EXPECT_TRUE(started[3].second_stage);
}

TEST_F(SecondStageTest, LeavesTheLanesWhatTheyWere) {
  Request without = request_of();
  without.then.reset();
  const GroupRun plain = run(without);
  const GroupRun with = run(request_of());
  for (size_t m = 0; m < 3; ++m) EXPECT_EQ(with.result.lanes[m].tokens, plain.result.lanes[m].tokens);
}

// Prompt, lane, text and answer are one text then, whatever the coupling is called.
TEST_F(SecondStageTest, BehindOneLaneIsThePlainModel) {
  Request request = request_of();
  request.lanes = 1;
  request.lane_texts = {};
  request.sampling.temperature = 0;
  const GroupRun done = run(request);
  ASSERT_EQ(done.result.lanes.size(), 2U);
  const LaneResult& then = done.result.lanes[1];
  Request plain = request;
  plain.then.reset();
  plain.budget = 9;
  for (const std::vector<TokenId>& part :
       {done.result.lanes[0].tokens, std::vector<TokenId>(then.tokens.begin(), then.tokens.end() - 9)})
    plain.prompt.tokens.insert(plain.prompt.tokens.end(), part.begin(), part.end());
  const GroupRun expected = run(plain);
  EXPECT_EQ(std::vector<TokenId>(then.tokens.end() - 9, then.tokens.end()), expected.result.lanes[0].tokens);
  const std::vector<float> found = done.logprobs(1);
  for (size_t i = 0; i < 9; ++i) EXPECT_NEAR(found[i], expected.logprobs(0)[i], 1e-3) << i;
}

TEST_F(SecondStageTest, IsToldItsTextInOnePass) {
  Engine engine(model, {.kv_cells = 2048});
  Request request = request_of();
  request.then->text = std::string(100, 'x');
  const GroupRun done = support::run_group(engine, request);
  EXPECT_EQ(done.result.clock, 20 + 100 + 9 - 1) << "the steps that it takes on the clock";
  EXPECT_LT(engine.state().steps, 40) << "its 100 tokens take one or two passes";
}

TEST_F(SecondStageTest, WritesTheSameWhereItsGroupIsPutBack) {
  Request request = request_of();
  request.budget = 70;
  request.then->budget = 70;
  std::vector<GroupRun> alone;
  for (const uint64_t seed : {1, 2}) {
    request.sampling.seed = seed;
    alone.push_back(run(request));
  }
  Engine engine(model, {.kv_cells = 14 * page_cells});
  support::Runner runner(engine);
  std::vector<GroupId> ids;
  for (const uint64_t seed : {1, 2}) {
    request.sampling.seed = seed;
    ids.push_back(engine.submit(request));
  }
  runner.finish();
  EXPECT_GT(engine.state().put_back, 0);
  for (size_t g = 0; g < 2; ++g) {
    const GroupRun& done = runner.run(ids[g]);
    ASSERT_EQ(done.result.lanes.size(), 4U);
    for (size_t m = 0; m < 4; ++m)
      EXPECT_EQ(done.result.lanes[m].tokens, alone[g].result.lanes[m].tokens) << "lane " << m;
  }
}

TEST_F(SecondStageTest, CanBeEndedAndTakesNoMoreLanes) {
  Engine engine(model, {.kv_cells = 2048});
  support::Runner runner(engine);
  Request request = request_of();
  request.reserved_lanes = 1;
  const GroupId id = engine.submit(request);
  while (runner.step() && runner.run(id).of(EventKind::lane_started).size() < 4) {
  }
  EXPECT_THAT(refusal([&] { engine.spawn(id, {}); }), HasSubstr("second stage"));
  engine.retire(id, 3);
  runner.finish();
  EXPECT_EQ(runner.run(id).result.lanes.back().finish, FinishReason::retired);
}

TEST_F(SecondStageTest, IsNotWatchedByPolicies) {
  Request request = request_of();
  request.policies = {parse_policy("budget:tokens=12")};
  const GroupRun done = run(request);
  ASSERT_EQ(done.result.then_lane, 3);
  EXPECT_EQ(done.result.lanes.back().generated, 9) << "the purse of the lanes was empty by then";
  for (size_t m = 0; m < 3; ++m) EXPECT_LT(done.result.lanes[m].tokens.size(), 20U);
}

TEST_F(SecondStageTest, RefusesWhatDoesNotGoWithIt) {
  const std::vector<std::pair<std::function<void(Request&)>, const char*>> bad = {
      {[](Request& r) { r.then->text = ""; }, "needs a text"},
      {[](Request& r) { r.then->budget = 0; }, "at least one token"},
      {[](Request& r) { r.then->budget = 500; }, "lower a budget"},
      {[](Request& r) { r.selection.kind = SelectionKind::first; }, "nothing is selected by first"},
      {[](Request& r) { r.selection.weight = VoteWeight::logprob; }, "no weight"},
      {[](Request& r) { r.format.kind = FormatKind::json; }, "format"},
      {[](Request& r) { r.then.reset(), r.selection.kind = SelectionKind::then; }, "give its text"},
  };
  for (const auto& [change, words] : bad) {
    Request request = request_of();
    change(request);
    EXPECT_THAT(refusal([&] { resolve(*model, request); }), HasSubstr(words));
  }
}

}  // namespace
}  // namespace lanerope::engine
