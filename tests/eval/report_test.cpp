// SPDX-License-Identifier: Apache-2.0
#include "eval/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lanerope::eval {
namespace {

using testing::HasSubstr;

std::vector<ArmScore> two_arms() {
  ArmScore first{.arm = "independent", .questions = 3, .lanes = 1, .lanes_total = 4, .tokens = 99};
  first.budgets = {{.budget = 16, .majority = {0.25, 0.1, 0.4}}, {.budget = 32, .majority = {0.5, 0.3, 0.7}}};
  first.gain = {{}, {}};
  first.ways = {{.right = {0.5, 0.3, 0.7},
                 .reliability = {.error = 0.125, .bins = {{.confidence = 0.5, .right = 0.25, .count = 4}}}}};
  first.sources = {{.from = AnswerFrom::frame, .lanes = 5, .right = 3}};
  first.timing = {
      .arm = "independent", .seconds = 2, .steps = 9, .at = {{.lanes = 4, .steps = 9, .milliseconds = 3}}};
  ArmScore second = first;
  second.arm = "</script><b>";
  second.lanes = 4;
  std::vector<ArmScore> scores = {first, second};
  add_timing(scores, std::vector{first.timing, first.timing});
  return scores;
}

TEST(Report, JsonHoldsEverything) {
  const auto json = report_json(two_arms());
  ASSERT_EQ(json.at("arms").size(), 2U);
  const auto& arm = json.at("arms")[0];
  EXPECT_EQ(arm.at("budgets")[1].at("maj").at("value"), 0.5);
  EXPECT_EQ(arm.at("budgets")[1].at("maj").at("high"), 0.7);
  EXPECT_EQ(arm.at("cost").at("milliseconds_a_step"), 3);
  EXPECT_EQ(arm.at("cost").at("step_ratio"), 1);
  EXPECT_EQ(arm.at("cost").at("tokens"), 99);
  EXPECT_EQ(arm.at("ways")[0].at("way"), "vote");
  EXPECT_EQ(arm.at("ways")[0].at("reliability").at("error"), 0.125);
  EXPECT_EQ(arm.at("answers_from")[0].at("from"), "frame");
  EXPECT_EQ(arm.at("answers_from")[0].at("right"), 3);
}

TEST(Report, TextHasTables) {
  const std::string text = report_text(two_arms());
  EXPECT_THAT(text, HasSubstr("maj@4"));
  EXPECT_THAT(text, HasSubstr("50.0 [30.0, 70.0]"));
  EXPECT_THAT(text, HasSubstr("ms a step"));
  EXPECT_THAT(text, HasSubstr("50.0 (12.5)")) << "the vote, and how far its confidence is off";
  EXPECT_THAT(text, HasSubstr("3/5")) << "answers found in a frame";
  EXPECT_THAT(report_text({}), HasSubstr("No question"));
}

TEST(Report, TextSaysThatArmsDifferInTheirLanes) {
  std::vector<ArmScore> scores = two_arms();
  scores[1].lanes_total = 8;
  EXPECT_THAT(report_text(scores), HasSubstr("maj@lanes"));
}

TEST(Report, PageHoldsItsDataAndNeedsNoNetwork) {
  const ReportQuestions questions{
      .arms = {"independent", "other"},
      .questions = {{.index = 4,
                     .text = "Is <!--<script> one?",
                     .truth = "1",
                     .lanes = {{{.answer = "1", .from = "box", .right = true, .length = 7}}, {{}}}}}};
  const std::string page = report_page(two_arms(), questions, {.title = "a </script> \"set\""});
  EXPECT_THAT(page, HasSubstr("\"budget\":32"));
  EXPECT_THAT(page, testing::Not(HasSubstr("LANEROPE_")));
  EXPECT_THAT(page, testing::Not(HasSubstr("</script><b>"))) << "names cannot close the script";
  EXPECT_THAT(page, testing::Not(HasSubstr("http")));
  EXPECT_THAT(page, testing::Not(HasSubstr("<!--<script>")));
  EXPECT_THAT(page, HasSubstr("[\"1\",\"box\",1,7]"));
  EXPECT_THAT(report_page({}, {}, {.title = "none"}), HasSubstr("\"arms\":[]"));
}

}  // namespace
}  // namespace lanerope::eval
