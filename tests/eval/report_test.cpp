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
  first.by_votes = {.error = 0.125, .bins = {{.confidence = 0.5, .right = 0.25, .count = 4}}};
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
  EXPECT_EQ(arm.at("calibration").at("votes").at("error"), 0.125);
  EXPECT_TRUE(arm.at("calibration").at("logprob").at("bins").empty());
}

TEST(Report, TextHasTables) {
  const std::string text = report_text(two_arms());
  EXPECT_THAT(text, HasSubstr("maj@4"));
  EXPECT_THAT(text, HasSubstr("50.0 [30.0, 70.0]"));
  EXPECT_THAT(text, HasSubstr("ms a step"));
  EXPECT_THAT(report_text({}), HasSubstr("No question"));
}

TEST(Report, TextSaysThatArmsDifferInTheirLanes) {
  std::vector<ArmScore> scores = two_arms();
  scores[1].lanes_total = 8;
  EXPECT_THAT(report_text(scores), HasSubstr("maj@lanes"));
}

TEST(Report, PageHoldsItsDataAndNeedsNoNetwork) {
  const std::string page = report_page(two_arms(), {.title = "a </script> \"set\""});
  EXPECT_THAT(page, HasSubstr("\"budget\":32"));
  EXPECT_THAT(page, testing::Not(HasSubstr("LANEROPE_")));
  EXPECT_THAT(page, testing::Not(HasSubstr("</script><b>"))) << "names cannot close the script";
  EXPECT_THAT(page, testing::Not(HasSubstr("http")));
  EXPECT_THAT(report_page({}, {.title = "none"}), HasSubstr("\"arms\":[]"));
}

}  // namespace
}  // namespace lanerope::eval
