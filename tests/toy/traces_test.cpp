// SPDX-License-Identifier: Apache-2.0
#include "toy/traces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lanerope/errors.h"

namespace lanerope::toy {
namespace {

using ::testing::ElementsAre;

WordProblem five_parts() {
  return {.parts = {{28, 3, 26}, {74, 9, -94}, {59, 5, 0}, {73, 2, -66}, {88, 2, -45}}};
}

std::string waits(int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += " wait";
  return text;
}

TEST(Traces, OneLaneIsAChainOfThoughtWithARunningTotal) {
  EXPECT_THAT(write_lanes(five_parts(), 1), ElementsAre("1:28*3=60+24=84+26=110\n"
                                                        "2:74*9=630+36=666-94=572+110=682\n"
                                                        "3:59*5=250+45=295+682=977\n"
                                                        "4:73*2=140+6=146-66=80+977=1057\n"
                                                        "5:88*2=160+16=176-45=131+1057=1188\n"
                                                        "#### 1188"));
}

TEST(Traces, TensAndOnesAreWrittenEvenIfZero) {
  EXPECT_THAT(write_lanes({.parts = {{70, 4, 0}}}, 1), ElementsAre("1:70*4=280+0=280\n#### 280"));
  EXPECT_THAT(write_lanes({.parts = {{7, 4, 0}}}, 1), ElementsAre("1:7*4=0+28=28\n#### 28"));
}

// The steps are counted by hand. "1:28*3=60+24=84+26=110\n" is 23 tokens and the line below it 33, so lane 1
// ends "sum 241" at step 56 + 5 = 61, and from step 63 on the others can see that the number has ended. Lanes
// 2, 3 and 4 end their sums at 30, 23 and 27.
TEST(Traces, FourLanesCombineByDoubling) {
  EXPECT_THAT(
      write_lanes(five_parts(), 4),
      ElementsAre(
          "1:28*3=60+24=84+26=110\n5:88*2=160+16=176-45=131+110=241\n"
          "sum 241+<lane2>572=813+<lane3>375=1188\n#### 1188",
          // 31 to 62
          "2:74*9=630+36=666-94=572\nsum 572" + waits(32) + "+<lane1>241=813+<lane4>375=1188\n#### 1188",
          // 24 to 28, and lane 1 ends 813 at 70: 37 to 71
          "3:59*5=250+45=295\nsum 295" + waits(5) + "+<lane4>80=375" + waits(35) +
              "+<lane1>813=1188\n#### 1188",
          // lane 2 ends 813 at 71: 37 to 72
          "4:73*2=140+6=146-66=80\nsum 80+<lane3>295=375" + waits(36) + "+<lane2>813=1188\n#### 1188"));
}

// Here the sums end at steps 59, 63 and 23.
TEST(Traces, ThreeLanesAddTheOthersSumsInTurn) {
  EXPECT_THAT(
      write_lanes(five_parts(), 3),
      ElementsAre("1:28*3=60+24=84+26=110\n4:73*2=140+6=146-66=80+110=190\nsum 190" + waits(5) +
                      "+<lane2>703=893+<lane3>295=1188\n#### 1188",
                  "2:74*9=630+36=666-94=572\n5:88*2=160+16=176-45=131+572=703\n"
                  "sum 703+<lane3>295=998+<lane1>190=1188\n#### 1188",
                  "3:59*5=250+45=295\nsum 295" + waits(37) + "+<lane1>190=485+<lane2>703=1188\n#### 1188"));
}

TEST(Traces, ALaneWithoutPartsStartsWithSumZero) {
  EXPECT_THAT(write_lanes({.parts = {{28, 3, 26}}}, 2),
              ElementsAre("1:28*3=60+24=84+26=110\nsum 110+<lane2>0=110\n#### 110",
                          "sum 0" + waits(26) + "+<lane1>110=110\n#### 110"));
}

TEST(Traces, ASecondStageAddsUpWhatLanesHandOverToNobody) {
  const data::Trace trace = make_second_stage_trace(five_parts(), 3, "sum");
  EXPECT_THAT(trace.lanes, ElementsAre("1:28*3=60+24=84+26=110\n4:73*2=140+6=146-66=80+110=190\nsum 190",
                                       "2:74*9=630+36=666-94=572\n5:88*2=160+16=176-45=131+572=703\nsum 703",
                                       "3:59*5=250+45=295\nsum 295"));
  EXPECT_EQ(trace.second_stage,
            (data::SecondStageTrace{.told = "sum",
                                    .written = "<lane1>190+<lane2>703=893+<lane3>295=1188\n#### 1188"}));
  EXPECT_FALSE(make_second_stage_trace(five_parts(), 1, "sum").second_stage) << "one lane knows all";
}

TEST(Traces, HoldQuestionAnswerAndParts) {
  WordProblem problem = five_parts();
  problem.question = "How many?";
  const data::Trace trace = make_trace(problem, 2);
  EXPECT_EQ(trace.question, "How many?");
  EXPECT_EQ(trace.answer, "1188");
  EXPECT_EQ(trace.other, (std::vector<data::OtherKey>{{.key = "parts", .json = "5"}}));
  EXPECT_EQ(trace.lanes.size(), 2U);
  EXPECT_TRUE(make_problem_line(problem).lanes.empty());
}

TEST(Traces, RefuseLanesOutsideOneToSixtyFour) {
  EXPECT_THROW(write_lanes(five_parts(), 0), InvalidRequest);
  EXPECT_THROW(write_lanes(five_parts(), 65), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::toy
