// SPDX-License-Identifier: Apache-2.0
#include "data/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace lanerope::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const KnownProblem apples = {
    "Ann has 3 apples and buys 2. How many?", "5", {"3+2=5", "She has 3 and 2, which is 5."}};
const KnownProblem pens = {"A box holds 9 pens. How many are in 2?", "18", {"9 times 2 is 18"}};
const KnownProblem days = {"How many days has a week of 7 days?", "7", {"7 it is"}};

// A token is a line break, or a space with what follows it up to the next of either.
std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens;
  for (const char c : text) {
    const bool begins = tokens.empty() || c == ' ' || c == '\n' || tokens.back() == "\n";
    if (begins) tokens.emplace_back();
    tokens.back() += c;
  }
  return tokens;
}

LaneWriting writing(int32_t lanes) {
  return {.lanes = lanes, .tag = "<lane{k}>", .count_tokens = [](std::string_view text) {
            return static_cast<int32_t>(tokens_of(text).size());
          }};
}

// The step at which the last token of `words` is written, the tag being step 0.
int32_t step_of(const std::string& lane, const std::string& words) {
  const size_t at = lane.find(words);
  EXPECT_NE(at, std::string::npos) << words << " in " << lane;
  return static_cast<int32_t>(tokens_of(std::string_view(lane).substr(0, at + words.size())).size());
}

TEST(Compose, AsksForAllAnswersInOneOfItsWordings) {
  RandomStream random(1);
  for (int i = 0; i < 20; ++i) {
    const auto composition = compose({apples, pens, days}, Ask::answers, random);
    ASSERT_TRUE(composition);
    const std::string question = question_of(*composition);
    for (const char* part : {"Ann has 3 apples", "A box holds 9 pens", "How many days", "####", "2", "3"})
      EXPECT_THAT(question, HasSubstr(part));
    EXPECT_EQ(question.find('{'), std::string::npos) << question;
    EXPECT_EQ(answer_of(*composition), "(5, 18, 7)");
    EXPECT_THAT(parts_of(*composition), ElementsAre("5", "18", "7"));
  }
}

TEST(Compose, AsksForOneNumberMadeOfTheAnswers) {
  RandomStream random(1);
  const auto answer = [&](Ask ask) { return answer_of(*compose({apples, pens, days}, ask, random)); };
  EXPECT_EQ(answer(Ask::sum), "30");
  EXPECT_EQ(answer(Ask::largest), "18");
  EXPECT_EQ(answer(Ask::difference), "13");
  EXPECT_THAT(parts_of(*compose({apples, pens}, Ask::sum, random)), IsEmpty());
  EXPECT_THAT(question_of(*compose({apples, pens}, Ask::sum, random)), HasSubstr("Add up all 2 answers"));
  KnownProblem half = days;
  half.answer = "0.5";
  EXPECT_FALSE(compose({apples, half}, Ask::sum, random)) << "no whole number";
  EXPECT_TRUE(compose({apples, half}, Ask::answers, random));
}

TEST(Compose, AChainReplacesANumberByTheAnswerBefore) {
  RandomStream random(3);
  const auto chain = compose({pens, days}, Ask::chain, random);
  ASSERT_TRUE(chain);
  const std::string question = question_of(*chain);
  EXPECT_THAT(question,
              HasSubstr("Let N be the answer to Problem 1 minus 11. How many days has a week of N days?"));
  EXPECT_EQ(answer_of(*chain), "(18, 7)") << "what is asked has not changed";
  EXPECT_THAT(chain->links, ElementsAre("", "N is 18 - 11 = 7."));
  const KnownProblem wordy = {"How many are a dozen of 1.5 kg, 20% or $12?", "12", {"12"}};
  EXPECT_FALSE(compose({pens, wordy}, Ask::chain, random)) << "it has no number to replace";
}

TEST(Compose, LanesShareTheProblems) {
  using Plan = std::vector<std::vector<size_t>>;
  EXPECT_EQ(share_out(4, 4), (Plan{{0}, {1}, {2}, {3}}));
  EXPECT_EQ(share_out(3, 1), (Plan{{0, 1, 2}}));
  EXPECT_EQ(share_out(5, 2), (Plan{{0, 2, 4}, {1, 3, 4}})) << "the last one is done twice";
  EXPECT_EQ(share_out(2, 4), (Plan{{0}, {1}, {0}, {1}}));
}

TEST(Compose, LanesWriteResultsOnlyWhenTheyCanBeRead) {
  RandomStream random(1);
  for (const int32_t n : {2, 3, 4}) {
    const auto composition = compose({apples, pens, days}, Ask::answers, random);
    const std::vector<std::string> lanes = lanes_of(*composition, writing(n), random);
    ASSERT_EQ(std::ssize(lanes), n);
    int32_t all_done = 0;
    for (const std::string& lane : lanes) {
      for (const char* result : {"Answer 1: 5\n", "Answer 2: 18\n", "Answer 3: 7\n"}) {
        if (lane.find(result) != std::string::npos) all_done = std::max(all_done, step_of(lane, result));
      }
    }
    int32_t earliest = INT32_MAX;
    for (const std::string& lane : lanes) {
      EXPECT_TRUE(lane.ends_with("\n#### (5, 18, 7)")) << lane;
      const int32_t mark = step_of(lane, "####");
      EXPECT_GT(mark, all_done) << n << " lanes: " << lane;
      EXPECT_LE(mark, all_done + 2) << "a line break behind the waiting";
      earliest = std::min(earliest, mark);
    }
    EXPECT_EQ(earliest, all_done + 1) << "whoever is last does not wait";
  }
}

TEST(Compose, LanesOfAChainWaitForTheNumberThatTheyNeed) {
  RandomStream random(3);
  const auto chain = compose({pens, days}, Ask::chain, random);
  const std::vector<std::string> lanes = lanes_of(*chain, writing(2), random);
  EXPECT_THAT(lanes[1], HasSubstr(" wait\nProblem 2:\nN is 18 - 11 = 7.\n7 it is\nAnswer 2: 7\n"));
  EXPECT_GT(step_of(lanes[1], "Problem"), step_of(lanes[0], "Answer 1: 18\n"));
}

TEST(Compose, ALaneThatIsAloneDoesAllInTurnAndNeverWaits) {
  RandomStream random(1);
  const auto composition = compose({pens, days}, Ask::answers, random);
  EXPECT_EQ(lanes_of(*composition, writing(1), random)[0],
            "Problem 1:\n9 times 2 is 18\nAnswer 1: 18\nProblem 2:\n7 it is\nAnswer 2: 7\n#### (18, 7)");
  EXPECT_EQ(lanes_of(*compose({pens}, Ask::answers, random), writing(1), random)[0], "9 times 2 is 18")
      << "one problem, as any model is asked";
}

TEST(Compose, LanesThatDoTheSameProblemTakeOtherSolutionsWhileThereAreSome) {
  RandomStream random(1);
  KnownProblem twice = apples;
  twice.solutions = {"a", "b", "c", "long"};  // the shorter half is a and b
  const std::vector<std::string> lanes =
      lanes_of(*compose({twice}, Ask::answers, random), writing(3), random);
  const auto says = [&](const std::string& text) {
    return std::ranges::count_if(lanes,
                                 [&](const std::string& lane) { return lane.starts_with(text + "\n"); });
  };
  EXPECT_EQ(says("a") + says("b"), 3);
  EXPECT_GE(says("a"), 1);
  EXPECT_GE(says("b"), 1);
}

TEST(Compose, ASolutionThatLooksLikeAResultIsNotFit) {
  EXPECT_TRUE(is_fit("So the answer is 5. Problem solved."));
  for (const char* text : {"", " \n", "#### 5", "Answer 1: 5", "see Problem 2", "as <lane2> says"})
    EXPECT_FALSE(is_fit(text)) << text;
}

}  // namespace
}  // namespace lanerope::data
