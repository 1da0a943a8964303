// SPDX-License-Identifier: Apache-2.0
#include "rollout/lane_score.h"

#include <gtest/gtest.h>

#include "tests/rollout/biased_model.h"
#include "tests/support/engine_run.h"

namespace lanerope::rollout {
namespace {

TEST(LaneScore, TheTruthIsTheAnswerOfASolutionOrTheLineItself) {
  EXPECT_EQ(true_answer("1188"), "1188");
  EXPECT_EQ(true_answer("She has 5 - 2 = 3 pens.\n#### 1,188"), "1188");
  EXPECT_EQ(true_answer("so the area is \\boxed{\\frac{1}{2}}."), "\\frac{1}{2}");
  EXPECT_EQ(true_answer("\\frac{1}{2}"), "\\frac{1}{2}") << "the last number would be 2";
}

TEST(LaneScore, ALaneThatEndedIsRightIfItsAnswerIsTheTruth) {
  EXPECT_TRUE(is_right("so #### 1188", false, "1188"));
  EXPECT_TRUE(is_right("so it is 1,188.", false, "1188"));
  EXPECT_TRUE(is_right("\\boxed{0.5}", false, "\\frac{1}{2}"));
  EXPECT_FALSE(is_right("so #### 1187", false, "1188"));
  EXPECT_FALSE(is_right("no idea", false, "1188"));
}

TEST(LaneScore, ALaneThatWasCutOffNeedsAMarkedAnswerOnAnEndedLine) {
  EXPECT_FALSE(is_right("then 572+110=1188", true, "1188")) << "it may have gone on";
  EXPECT_FALSE(is_right("#### 118", true, "118")) << "more digits may have followed";
  EXPECT_TRUE(is_right("#### 1188\nand", true, "1188"));
}

TEST(LaneScore, WrittenTextHasNoTagNoForcedTextAndNoEndToken) {
  const std::shared_ptr<const Model> model = speaking_model();
  Engine engine(model, {.kv_cells = 256});
  Request request = {.prompt = {.text = "Hello"}, .lanes = 2, .budget = 32};
  request.lane_texts = {"Yes:", "No:"};
  request.sampling = {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 5};
  request.sampling.logit_bias = {{token_of(*model, "7"), 1000}, {end_token(*model), 999}};
  const GroupResult result = support::run_group(engine, request).result;
  for (const LaneResult& lane : result.lanes) {
    const std::string text = written_text(*model, lane, {});
    EXPECT_EQ(text.find_first_not_of('7'), std::string::npos) << text;
    const int32_t ends = lane.finish == FinishReason::end ? 1 : 0;
    EXPECT_EQ(static_cast<int32_t>(text.size()), lane.generated - ends);
  }
}

TEST(LaneScore, WrittenTextEndsBeforeTheStopStringThatEndedTheLane) {
  const std::shared_ptr<const Model> model = speaking_model();
  const std::vector<std::string> stop = {"\nQ:", "\nAssistant "};
  const auto written = [&](const std::string& text, FinishReason finish) {
    LaneResult lane{.tokens = model->encode(text, {.add_special = false}), .finish = finish};
    lane.generated = static_cast<int32_t>(lane.tokens.size());
    return written_text(*model, lane, stop);
  };
  EXPECT_EQ(written("it is 7\nAssistant ", FinishReason::stop), "it is 7");
  EXPECT_EQ(written("it is 7\nAssistant 2", FinishReason::stop), "it is 7") << "in the middle of a token";
  EXPECT_EQ(written("it is 7\nQ:", FinishReason::stop), "it is 7");
  EXPECT_EQ(written("\nQ:", FinishReason::stop), "");
  EXPECT_EQ(written("it is 7\nAssist", FinishReason::length), "it is 7\nAssist");
}

}  // namespace
}  // namespace lanerope::rollout
