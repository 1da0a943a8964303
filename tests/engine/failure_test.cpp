// SPDX-License-Identifier: Apache-2.0
// An error in one group ends that group alone: the others go on, to the bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

using ::testing::HasSubstr;

// No token may be drawn, so the first draw throws.
Request poisoned(const Model& model, int32_t lanes) {
  Request request{.prompt = "How many beams?", .lanes = lanes, .budget = 24};
  for (TokenId token = 0; token < model.info().n_vocab; ++token)
    request.sampling.logit_bias.push_back({.token = token, .bias = -std::numeric_limits<float>::infinity()});
  return request;
}

Request healthy() {
  return {.prompt = "How many beams are there?",
          .lanes = 3,
          .budget = 20,
          .sampling = {.seed = 7},
          .ignore_end = true};
}

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
  Engine alone(model, {.kv_cells = 512});
  const support::GroupRun expected = support::run_group(alone, healthy());

  // At the first draw behind the prompt; and at a later step, behind forced tokens, while other groups
  // decode.
  std::vector<Request> bad = {poisoned(*model, 2), poisoned(*model, 2)};
  bad[1].lane_texts = {"The answer is 12.", "Let us see."};
  for (const Request& request : bad) {
    Engine engine(model, {.kv_cells = 1024});
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

TEST_F(Failure, OfALaneThatIsSpawnedLeavesItsGroupAsItWas) {
  Engine engine(model, {.kv_cells = 512});
  support::Runner runner(engine);
  Request request = poisoned(*model, 1);
  request.lane_texts = {
      "The lane writes a long text that was put into it, so that no token is drawn for a while."};
  request.reserved_lanes = 1;
  request.budget = 64;
  const GroupId group = engine.submit(request);
  for (int i = 0; i < 3; ++i) runner.step();
  EXPECT_THROW(engine.spawn(group, {.text = ""}), InvalidRequest) << "its first token cannot be drawn";
  EXPECT_EQ(engine.state().lanes, 1);
  EXPECT_EQ(engine.spawn(group, {.text = "Begin."}), 1) << "the place of the one that failed is free";
}

}  // namespace
}  // namespace lanerope::engine
