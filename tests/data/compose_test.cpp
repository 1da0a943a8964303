// SPDX-License-Identifier: Apache-2.0
#include "data/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/sleepers.h"

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

std::vector<TokenId> encode(std::string_view text) {
  static std::map<std::string, TokenId> ids;
  std::vector<TokenId> tokens;
  for (const std::string& token : tokens_of(text))
    tokens.push_back(ids.try_emplace(token, static_cast<TokenId>(ids.size())).first->second);
  return tokens;
}

LaneWriting writing(int32_t lanes) {
  return {.lanes = lanes, .tag = "<lane{k}>", .wait = " await", .ready = " ok", .encode = encode};
}

// Each lane's tokens, its tag in front and an end behind, and the steps in which they are fed.
struct Played {
  std::vector<std::vector<TokenId>> tokens;
  std::vector<std::vector<int32_t>> steps;

  explicit Played(const std::vector<std::string>& lanes) {
    std::vector<std::span<const TokenId>> views;
    for (size_t m = 0; m < lanes.size(); ++m) {
      tokens.push_back(encode("<lane" + std::to_string(m + 1) + ">"));
      for (const TokenId token : encode(lanes[m])) tokens.back().push_back(token);
      tokens.back().push_back(-2);
    }
    views.assign(tokens.begin(), tokens.end());
    const Coupling coupling;
    steps = core::lane_steps(
        views, {}, core::Sleepers({.wait = encode(" await")[0], .ready = encode(" ok")[0]}, coupling));
  }
  // The steps of the lane's tokens that say `word`.
  std::vector<int32_t> of(size_t lane, const std::string& word) const {
    std::vector<int32_t> found;
    for (size_t i = 0; i < tokens[lane].size(); ++i) {
      if (tokens[lane][i] == encode(word)[0]) found.push_back(steps[lane][i]);
    }
    return found;
  }
};

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

TEST(Compose, AsksAPlainQuestionAsItStands) {
  RandomStream random(1);
  std::set<std::string> questions;
  for (int i = 0; i < 30; ++i) {
    const auto composition = compose({apples}, Ask::plain, random);
    ASSERT_TRUE(composition);
    questions.insert(question_of(*composition));
    EXPECT_EQ(answer_of(*composition), "5");
    EXPECT_THAT(parts_of(*composition), IsEmpty());
  }
  EXPECT_EQ(questions.size(), n_plain_wordings);
  EXPECT_EQ(questions.count(apples.question), 1U);
  for (const std::string& question : questions) EXPECT_THAT(question, testing::StartsWith(apples.question));
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
  for (const int32_t n : {2, 3, 4, 5}) {
    const auto composition = compose({apples, pens, days}, Ask::answers, random);
    const auto lanes = lanes_of(*composition, writing(n), random);
    ASSERT_TRUE(lanes);
    ASSERT_EQ(std::ssize(*lanes), n);
    const Played played(*lanes);
    int32_t all_done = 0;
    for (size_t m = 0; m < lanes->size(); ++m) {
      for (const int32_t step : played.of(m, " ok")) all_done = std::max(all_done, step);
    }
    int32_t earliest = INT32_MAX;
    for (size_t m = 0; m < lanes->size(); ++m) {
      EXPECT_TRUE((*lanes)[m].ends_with("\n#### (5, 18, 7)")) << (*lanes)[m];
      const int32_t mark = played.of(m, "####").front();
      EXPECT_GT(mark, all_done) << n << " lanes: " << (*lanes)[m];
      EXPECT_LE(mark, all_done + 2) << "a line break in between";
      EXPECT_LE(played.of(m, " await").size(), 4U) << "one for each time that another is ready";
      earliest = std::min(earliest, mark);
    }
    EXPECT_LE(earliest, all_done + 2);
  }
}

TEST(Compose, LanesOfAChainWaitForTheNumberThatTheyNeed) {
  RandomStream random(3);
  const auto chain = compose({pens, days}, Ask::chain, random);
  const auto lanes = lanes_of(*chain, writing(2), random);
  ASSERT_TRUE(lanes);
  EXPECT_EQ((*lanes)[1], " await\nProblem 2:\nN is 18 - 11 = 7.\n7 it is\nAnswer 2: 7 ok\n#### (18, 7)");
  EXPECT_EQ((*lanes)[0], "Problem 1:\n9 times 2 is 18\nAnswer 1: 18 ok\n await\n#### (18, 7)");
  const Played played(*lanes);
  EXPECT_EQ(played.of(1, " await"), played.of(0, " ok")) << "the token that was held back is fed beside it";
  EXPECT_EQ(played.of(0, " await"), played.of(1, " ok"));
}

TEST(Compose, ALaneThatIsAloneDoesAllInTurnAndNeverWaits) {
  RandomStream random(1);
  const auto composition = compose({pens, days}, Ask::answers, random);
  EXPECT_EQ(
      lanes_of(*composition, writing(1), random)->at(0),
      "Problem 1:\n9 times 2 is 18\nAnswer 1: 18 ok\nProblem 2:\n7 it is\nAnswer 2: 7 ok\n#### (18, 7)");
  EXPECT_EQ(lanes_of(*compose({pens}, Ask::answers, random), writing(1), random)->at(0), "9 times 2 is 18")
      << "one problem, as any model is asked";
}

TEST(Compose, LanesOfAPlainQuestionWriteASolutionAndNoMore) {
  RandomStream random(1);
  const auto composition = compose({pens}, Ask::plain, random);
  for (const int32_t n : {1, 3}) {
    const auto lanes = lanes_of(*composition, writing(n), random);
    ASSERT_TRUE(lanes);
    EXPECT_EQ(*lanes, std::vector<std::string>(static_cast<size_t>(n), "9 times 2 is 18"));
  }
  KnownProblem twice = apples;
  twice.solutions = {"a", "b", "c", "long"};
  const auto drawn = *lanes_of(*compose({twice}, Ask::plain, random), writing(4), random);
  EXPECT_EQ(std::set<std::string>(drawn.begin(), drawn.end()), (std::set<std::string>{"a", "b"}));
}

TEST(Compose, LanesWhoseTextsDoNotFallIntoTokensAreNotMade) {
  RandomStream random(1);
  LaneWriting merging = writing(2);
  // A line break goes into the token before it.
  merging.encode = [](std::string_view text) {
    std::vector<TokenId> tokens;
    for (const TokenId token : encode(text)) {
      if (token == encode("\n")[0] && !tokens.empty()) {
        tokens.back() += 100000;
      } else {
        tokens.push_back(token);
      }
    }
    return tokens;
  };
  EXPECT_FALSE(lanes_of(*compose({pens, days}, Ask::answers, random), merging, random));
}

TEST(Compose, LanesThatDoTheSameProblemTakeOtherSolutionsWhileThereAreSome) {
  RandomStream random(1);
  KnownProblem twice = apples;
  twice.solutions = {"a", "b", "c", "long"};  // the shorter half is a and b
  const std::vector<std::string> lanes =
      *lanes_of(*compose({twice}, Ask::answers, random), writing(3), random);
  const auto says = [&](const std::string& text) {
    return std::ranges::count_if(lanes,
                                 [&](const std::string& lane) { return lane.starts_with(text + "\n"); });
  };
  EXPECT_EQ(says("a") + says("b"), 3);
  EXPECT_GE(says("a"), 1);
  EXPECT_GE(says("b"), 1);
}

TEST(Compose, ASolutionThatLooksLikeAResultIsNotFit) {
  EXPECT_TRUE(is_fit("So the answer is 5. Problem solved.", writing(2)));
  for (const char* text : {"", " \n", "#### 5", "Answer 1: 5", "see Problem 2", "as <lane2> says",
                           "They await 5 guests.", "That is ok."})
    EXPECT_FALSE(is_fit(text, writing(2))) << text;
}

}  // namespace
}  // namespace lanerope::data
