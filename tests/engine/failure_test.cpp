// SPDX-License-Identifier: Apache-2.0
// An error in one group ends that group alone: the others go on, to the bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

using ::testing::HasSubstr;

// No token can be drawn, so the first draw throws: what is added makes every logit -inf, and no single number
// of it says so.
Request poisoned(const Model& model, int32_t lanes) {
  Request request{.prompt = {.text = "How many beams?"}, .lanes = lanes, .budget = 24};
  for (TokenId token = 0; token < model.info().n_tokens; ++token) {
    for (int i = 0; i < 2; ++i)
      request.sampling.logit_bias.push_back({.token = token, .bias = std::numeric_limits<float>::lowest()});
  }
  return request;
}

Request healthy() {
  return {.prompt = {.text = "How many beams are there?"},
          .lanes = 3,
          .budget = 20,
          .sampling = {.seed = 7},
          .ignore_end = true};
}

// Throws from the so-manieth time on that a step comes to a point of the bad group. A batch that failed is
// run again, group by group, so an error in one must stay one.
class Injection final : public StepWatch {
 public:
  Injection(StepPoint point, int time) : point_(point), time_(time) {}
  void at(StepPoint point, GroupId group) override {
    if (point == point_ && group == bad && ++seen_ >= time_) throw std::runtime_error("injected");
  }
  GroupId bad = 0;

 private:
  StepPoint point_;
  int time_;
  int seen_ = 0;
};

std::string sentence_of(const GroupResult& result) {
  try {
    rethrow_failure(result);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "(no failure)";
}

class Failure : public ::testing::Test {
 protected:
  std::shared_ptr<const Model> model =
      support::load_model(tools::RandomModel{.width = 64, .n_ffn = 96, .n_vocab = 300}, BackEnd::kernels);
};

TEST_F(Failure, EndsItsGroupAloneWhereverTheStepIs) {
  Engine alone(model, {.kv_cells = 4096});
  const support::GroupRun expected = support::run_group(alone, healthy());

  // At the first draw behind the prompt; and at a later step, behind forced tokens, while other groups
  // decode.
  std::vector<Request> bad = {poisoned(*model, 2), poisoned(*model, 2)};
  bad[1].lane_texts = {"The answer is 12.", "Let us see."};
  for (const Request& request : bad) {
    Engine engine(model, {.kv_cells = 8192});
    support::Runner runner(engine);
    const GroupId good = engine.submit(healthy());
    const GroupId poisoned_group = engine.submit(request);
    const GroupId later = engine.submit(healthy());
    runner.finish();

    const support::GroupRun& failed = runner.run(poisoned_group);
    EXPECT_EQ(failed.of(EventKind::group_finished).front().finish, FinishReason::failed);
    EXPECT_THAT(sentence_of(failed.result), HasSubstr("bans every token"));
    EXPECT_THROW(rethrow_failure(failed.result), InvalidRequest)
        << "of the kind that the caller would have met";
    for (const LaneResult& lane : failed.result.lanes) EXPECT_EQ(lane.finish, FinishReason::failed);
    for (const GroupId id : {good, later}) {
      EXPECT_EQ(sentence_of(runner.run(id).result), "(no failure)");
      for (int32_t m = 0; m < 3; ++m) EXPECT_EQ(runner.run(id).tokens(m), expected.tokens(m)) << "lane " << m;
    }
    EXPECT_EQ(engine.state().groups, 0);
    EXPECT_EQ(engine.state().cells_used, 0) << "the failed group's cells are given back";
  }
}

// An error in any group at any point of any step: the other group's text, to the bit, and an engine that goes
// on.
TEST_F(Failure, AtAnyPointOfAnyStepEndsOneGroup) {
  Engine alone(model, {.kv_cells = 4096});
  const support::GroupRun expected = support::run_group(alone, healthy());
  for (const StepPoint point :
       {StepPoint::start, StepPoint::rows, StepPoint::compute, StepPoint::take, StepPoint::select}) {
    const int last = point == StepPoint::start || point == StepPoint::select ? 1 : 5;
    for (int at = 1; at <= last; ++at) {
      SCOPED_TRACE("point " + std::to_string(static_cast<int>(point)) + ", time " + std::to_string(at));
      Injection watch(point, at);
      // Chunks of eight rows: prompts take several steps, and a group decodes while another one's is read.
      Engine engine(model, {.kv_cells = 8192, .batch_rows = 8, .watch = &watch});
      support::Runner runner(engine);
      Request short_lived = healthy();
      short_lived.budget = 6;
      // A verifier's verdict is waited for, so there is a choice to fail at.
      short_lived.selection = {.kind = SelectionKind::verifier,
                               .verifier_command = "cat > /dev/null; echo 1"};
      const GroupId good = engine.submit(healthy());
      const GroupId bad = watch.bad = engine.submit(short_lived);
      const GroupId later = engine.submit(healthy());
      runner.finish();
      EXPECT_EQ(sentence_of(runner.run(bad).result), "injected");
      EXPECT_EQ(runner.run(bad).events.back().finish, FinishReason::failed);
      for (const GroupId id : {good, later}) {
        EXPECT_EQ(sentence_of(runner.run(id).result), "(no failure)");
        for (int32_t m = 0; m < 3; ++m)
          EXPECT_EQ(runner.run(id).tokens(m), expected.tokens(m)) << "lane " << m;
      }
      EXPECT_EQ(engine.state().groups + engine.state().queued_groups, 0);
      EXPECT_EQ(engine.state().cells_used, 0) << "the failed group's cells are given back";
      watch.bad = 0;
      EXPECT_EQ(support::run_group(engine, healthy()).tokens(0), expected.tokens(0)) << "the engine goes on";
    }
  }
}

TEST_F(Failure, OfABanOnEveryTokenIsARefusal) {
  Engine engine(model, {.kv_cells = 4096});
  Request request = healthy();
  for (TokenId token = 0; token < model->info().n_tokens; ++token)
    request.sampling.logit_bias.push_back({.token = token, .bias = -std::numeric_limits<float>::infinity()});
  EXPECT_THROW(engine.submit(request), InvalidRequest);
  request.sampling.logit_bias.pop_back();
  const support::GroupRun run = support::run_group(engine, request);
  for (const TokenId token : run.tokens(0)) EXPECT_EQ(token, model->info().n_tokens - 1) << "what is left";
}

// Rows of the vocabulary behind its tokens, which quantisers and trainers add for round numbers.
TEST_F(Failure, PaddedRowsAreNeverDrawnNorListed) {
  const tools::RandomModel padded{.width = 64, .n_ffn = 96, .n_vocab = 300, .padding = 40};
  for (const BackEnd back_end : {BackEnd::kernels, BackEnd::ggml}) {
    const auto with_padding = support::load_model(padded, back_end);
    ASSERT_EQ(with_padding->info().n_vocab, 340);
    ASSERT_EQ(with_padding->info().n_tokens, 300);
    Engine engine(with_padding, {.kv_cells = 4096});
    for (const float temperature : {0.0F, 1e-38F, 1.0F, 50.0F}) {
      Request request = healthy();
      request.sampling.temperature = temperature;
      request.sampling.top_k = 0;
      request.sampling.top_p = 1;
      request.sampling.min_p = 0;
      request.top_logprobs = 20;
      const support::GroupRun run = support::run_group(engine, request);
      EXPECT_EQ(sentence_of(run.result), "(no failure)");
      for (const Event& event : run.of(EventKind::token)) {
        EXPECT_LT(event.token, 300);
        double listed = 0;
        for (const Alternative& other : event.top) {
          EXPECT_LT(other.token, 300);
          listed += std::exp(other.logprob);
        }
        EXPECT_LE(listed, 1.0001) << "probabilities are those of the tokens alone";
        EXPECT_GT(listed, 0.05);
      }
    }
    Request bias = healthy();
    bias.sampling.logit_bias = {{.token = 300, .bias = 1}};
    EXPECT_THROW(engine.submit(bias), InvalidRequest);
    Request prompt = healthy();
    prompt.prompt = {.tokens = {300}};
    EXPECT_THROW(engine.submit(prompt), InvalidRequest);
  }
}

TEST_F(Failure, OfALaneThatIsSpawnedLeavesItsGroupAsItWas) {
  Engine engine(model, {.kv_cells = 4096});
  support::Runner runner(engine);
  Request request = poisoned(*model, 1);
  request.lane_texts = {"It begins with a text that was put into it, so that no token is drawn at first."};
  request.reserved_lanes = 1;
  request.budget = 64;
  const GroupId group = engine.submit(request);
  runner.step();
  EXPECT_THROW(engine.spawn(group, {.text = ""}), InvalidRequest) << "its first token cannot be drawn";
  EXPECT_EQ(engine.state().lanes, 1);
  EXPECT_EQ(engine.spawn(group, {.text = "Begin."}), 1) << "the place of the one that failed is free";
}

}  // namespace
}  // namespace lanerope::engine
