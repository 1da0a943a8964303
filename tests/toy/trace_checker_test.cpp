// SPDX-License-Identifier: Apache-2.0
#include "toy/trace_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "toy/traces.h"
#include "toy/word_problem.h"

namespace lanerope::toy {
namespace {

using ::testing::HasSubstr;

constexpr auto question =
    "Eva buys pens in 3 shops. Shop 3: 59 tins of 5 pens. Shop 1: 28 boxes of 3 pens plus 26 loose pens. "
    "Shop 2: 74 bags, each with 9 pens, but 94 pens are missing. Find the total number of pens.";

std::string waits(int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += " wait";
  return text;
}

// Written by hand: lane 1 ends "sum 405" at step 54, lane 2 "sum 572" at 30.
data::Trace right_trace() {
  return {.question = question,
          .answer = "977",
          .lanes = {"1:28*3=60+24=84+26=110\n3:59*5=250+45=295+110=405\nsum 405+<lane2>572=977\n#### 977",
                    "2:74*9=630+36=666-94=572\nsum 572" + waits(25) + "+<lane1>405=977\n#### 977"},
          .other = {{.key = "parts", .json = "3"}}};
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what << " is not in " << text;
  return text.replace(at, what.size(), by);
}

TEST(TraceChecker, FindsNothingInATraceWrittenByHand) {
  EXPECT_EQ(find_fault(right_trace()), std::nullopt);
}

struct LaneFault {
  size_t lane = 0;
  std::string what = {};
  std::string by = {};
  std::string fault = {};
};

TEST(TraceChecker, NamesEachKindOfFaultInALane) {
  const LaneFault faults[] = {
      {0, "84+26", "85+26", "lane 1 at step 14 writes 85 where 28*3 is 84"},
      {0, "=60+24", "=50+34", "lane 1 at step 8 writes 50 where 20*3 is 60"},
      {0, "+24=", "+25=", "lane 1 at step 11 writes 25 where 8*3 is 24"},
      {0, "26=110", "26=111", "lane 1 at step 20 writes 111 where part 1 is 110"},
      {0, "1:28", "1:29", "lane 1 at step 3 writes 29 where the first number of part 1 is 28"},
      {0, "28*3", "28*4", "the second number of part 1 is 3"},
      {1, "-94", "-93", "the third number of part 2 is 94"},
      {1, "-94", "+94", "lane 2 at step 18 writes '+' where '-' must stand"},
      {0, "3:59", "2:59", "the label of its next part is 3"},
      {0, "+110=405", "+111=405", "the running total is 110"},
      {0, "+110=405", "+110=406", "writes 406 where 295+110 is 405"},
      {0, "sum 405", "sum 404", "the sum of its own parts is 405"},
      {0, "572=977", "573=977", "lane 1 at step 57 writes 573 where the total of lane 2 is 572"},
      {0, "<lane2>", "<lane1>", "writes '<lane1>' where '<lane2>' must stand"},
      {1, "405=977", "405=978", "lane 2 at step 62 writes 978 where 572+405 is 977"},
      {0, "#### 977", "#### 978", "writes 978 where the answer is 977"},
      {0, "#### 977", "#### 977\n", "goes on behind the answer"},
      {0, "#### 977", "####", "lane 1 at step 66 ends where ' ' must follow"},
      {0, "\n#### 977", "", "lane 1 at step 64 ends where a line break must follow"},
      {1, waits(25), waits(24), "lane 2 at step 55 goes on before the total 405 of lane 1 is readable"},
      {1, waits(25), waits(26), "lane 2 at step 56 waits although the total 405 of lane 1 is readable"},
      {0, "+<lane2>", " wait+<lane2>",
       "lane 1 at step 55 waits although the total 572 of lane 2 is readable"},
      {1, "2:74", " wait2:74", "lane 2 at step 1 writes ' wait' where a number"},
      {0, "sum 405", "so 405", "'so 405+<la' starts with no token of a trace"},
      {0, "28*3", "028*3", "writes '0' where a number"},
      {0, "60+24", "60000000000000000+24", "where a number of at most 15 digits"},
  };
  for (const LaneFault& planted : faults) {
    data::Trace trace = right_trace();
    trace.lanes[planted.lane] = replaced(trace.lanes[planted.lane], planted.what, planted.by);
    EXPECT_THAT(find_fault(trace).value_or("no fault found"), HasSubstr(planted.fault));
  }
}

// The same problem, by lanes that see nothing of one another.
data::Trace second_stage_trace() {
  data::Trace trace = right_trace();
  trace.lanes = {"1:28*3=60+24=84+26=110\n3:59*5=250+45=295+110=405\nsum 405",
                 "2:74*9=630+36=666-94=572\nsum 572"};
  trace.second_stage = {.told = "sum", .written = "<lane1>405+<lane2>572=977\n#### 977"};
  return trace;
}

TEST(TraceChecker, NamesEachKindOfFaultInASecondStage) {
  EXPECT_EQ(find_fault(second_stage_trace()), std::nullopt);
  struct WrittenFault {
    std::string what;
    std::string by;
    std::string fault;
  };
  const WrittenFault faults[] = {
      {"405", "406", "lane 3 at step 2 writes 406 where the sum of lane 1 is 405"},
      {"<lane2>", "<lane1>", "lane 3 at step 6 writes '<lane1>' where '<lane2>' must stand"},
      {"=977", "=978", "lane 3 at step 11 writes 978 where 405+572 is 977"},
      {"#### 977", "#### 405", "lane 3 at step 17 writes 405 where the answer is 977"},
      {"#### 977", "#### 977\n", "lane 3 at step 20 goes on behind the answer"},
  };
  for (const auto& [what, by, fault] : faults) {
    data::Trace trace = second_stage_trace();
    trace.second_stage->written = replaced(trace.second_stage->written, what, by);
    EXPECT_EQ(find_fault(trace), fault);
  }
  data::Trace handed_over = second_stage_trace();
  handed_over.lanes[1] += "+<lane1>405=977";
  EXPECT_EQ(find_fault(handed_over),
            "lane 2 at step 31 goes on behind its sum, which the second stage reads");
}

TEST(TraceChecker, NamesEachKindOfFaultInTheRest) {
  const std::map<std::string, std::pair<std::string, std::string>> faults = {
      {"the answer is given as 977 where the question comes to 978", {"26 loose", "27 loose"}},
      {"announces 4 parts and has 3", {"3 shops", "4 shops"}},
      {"announces 3 parts and has 3, or their labels are not 1, 2, 3", {"Shop 3:", "Shop 4:"}},
      {"the label 1 is there twice", {"Shop 3:", "Shop 1:"}},
      {"does not say whether its last number is added", {"plus 26", "with 26"}},
      {"has 4 numbers in place of 2 or 3", {"loose", "loose 8"}},
      {"has no label", {"Shop 3: 59", "Also 59"}},
      {"the first sentence does not say how many", {"3 shops", "shops"}},
      {"the last sentence holds a number", {"the total", "the 3 total"}},
      {"does not end with . or ?", {"of pens.", "of pens"}},
  };
  for (const auto& [fault, change] : faults) {
    data::Trace trace = right_trace();
    if (change.first == "of pens.")
      trace.question.pop_back();
    else
      trace.question = replaced(trace.question, change.first, change.second);
    EXPECT_THAT(find_fault(trace).value_or("no fault found"), HasSubstr(fault));
  }
  data::Trace trace = right_trace();
  trace.other[0].json = "4";
  EXPECT_EQ(find_fault(trace), "parts is 4 where the question has 3");
  trace = right_trace();
  trace.answer = "9770";
  EXPECT_THAT(find_fault(trace).value_or(""), HasSubstr("given as 9770"));
}

TEST(TraceChecker, ChecksTheAnswerOfAProblemWithoutLanes) {
  data::Trace trace = right_trace();
  trace.lanes.clear();
  EXPECT_EQ(find_fault(trace), std::nullopt);
  trace.answer = "976";
  EXPECT_NE(find_fault(trace), std::nullopt);
}

TEST(TraceChecker, ComparesOnlyTheAnswersOfLabelledLanes) {
  data::Trace trace = {
      .question = "Any question", .answer = "1188", .lanes = {"so #### 1,188", "#### 11", "no"}};
  trace.labels = {true, false, false};
  EXPECT_EQ(find_fault(trace), std::nullopt);
  trace.labels = {true, true, false};
  EXPECT_THAT(find_fault(trace).value_or(""), HasSubstr("lane 2 is labelled right and ends with 11"));
}

// The question and the number of lanes fix every token, so no change of a token may pass.
TEST(TraceChecker, FindsAnyChangedMissingOrAddedCharacter) {
  data::RandomStream random(11);
  const WordProblemSource source({}, Split::train);
  const std::string characters = "0123456789:*=+-\n #";
  for (int i = 0; i < 20000; ++i) {
    data::Trace trace = make_trace(source.draw(1 + i % 8, random), 1 + i % 9);
    std::string& lane = trace.lanes[random.below(trace.lanes.size())];
    const std::string before = lane;
    const size_t at = random.below(lane.size());
    const char character = random.pick(characters);
    const uint64_t kind = random.below(3);
    if (kind == 0) lane[at] = character;
    if (kind == 1) lane.erase(at, 1);
    if (kind == 2) lane.insert(lane.begin() + static_cast<std::ptrdiff_t>(at), character);
    if (lane == before) continue;
    EXPECT_NE(find_fault(trace), std::nullopt) << "was:\n" << before << "\nis:\n" << lane;
  }
}

TEST(TraceChecker, FindsLanesInTheWrongOrder) {
  data::RandomStream random(12);
  const WordProblemSource source({}, Split::train);
  for (int i = 0; i < 100; ++i) {
    data::Trace trace = make_trace(source.draw(4, random), 4);
    std::swap(trace.lanes[0], trace.lanes[1 + random.below(3)]);
    EXPECT_NE(find_fault(trace), std::nullopt);
  }
}

TEST(TraceChecker, AHundredThousandTracesOfAllSizesAreRight) {
  data::RandomStream random(13);
  const Difficulty hard = {.first = {100, 999}, .second = {2, 99}, .third = {2, 999}};
  const WordProblemSource sources[] = {
      {{}, Split::train}, {{}, Split::dev}, {{}, Split::test}, {hard, Split::train}};
  std::set<std::pair<int, int>> sizes;
  for (int i = 0; i < 100000; ++i) {
    const auto n_parts = static_cast<int32_t>(random.between(1, 10));
    const auto n_lanes = static_cast<int32_t>(random.between(1, 9));
    const data::Trace trace = make_trace(sources[i % 4].draw(n_parts, random), n_lanes);
    ASSERT_EQ(find_fault(trace), std::nullopt) << trace.question << "\n" << trace.lanes[0];
    sizes.emplace(n_parts, n_lanes);
  }
  EXPECT_EQ(sizes.size(), 90U);
}

TEST(TraceChecker, ThirtyTwoLanesAndSixteenPartsAreRight) {
  data::RandomStream random(14);
  const WordProblemSource source({}, Split::train);
  for (const int32_t n_lanes : {16, 31, 32, 64}) {
    EXPECT_EQ(find_fault(make_trace(source.draw(16, random), n_lanes)), std::nullopt) << n_lanes;
  }
}

}  // namespace
}  // namespace lanerope::toy
