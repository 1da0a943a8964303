// SPDX-License-Identifier: Apache-2.0
#include "toy/word_problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "lanerope/errors.h"
#include "toy/wording.h"

namespace lanerope::toy {
namespace {

using ::testing::HasSubstr;

// The numbers of the parts in one order, as text: what two splits must not share.
std::string numbers_of(const WordProblem& problem) {
  std::vector<Part> parts = problem.parts;
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const Part& part : parts) {
    text += std::to_string(part.first) + "," + std::to_string(part.second) + "," +
            std::to_string(part.third) + ";";
  }
  return text;
}

// The text with every number written as 0.
std::string form_of(const std::string& question) {
  static const std::regex number("[0-9]+");
  return std::regex_replace(question, number, "0");
}

TEST(WordProblem, TotalIsTheSumOfItsParts) {
  const WordProblem problem = {.parts = {{28, 3, 26}, {74, 9, -94}, {59, 5, 0}}};
  EXPECT_EQ(problem.total(), 110 + 572 + 295);
}

TEST(WordProblem, SplitDoesNotDependOnTheOrderOfTheParts) {
  data::RandomStream random(1);
  const WordProblemSource source({}, Split::test);
  for (int i = 0; i < 200; ++i) {
    WordProblem problem = source.draw(5, random);
    EXPECT_EQ(split_of(problem.parts), Split::test);
    const uint64_t hash = parts_hash(problem.parts);
    random.shuffle(std::span(problem.parts));
    EXPECT_EQ(parts_hash(problem.parts), hash);
  }
}

TEST(WordProblem, SplitsShareNothingEvenWhereThereAreFewProblems) {
  std::map<Split, std::set<std::string>> seen;
  for (const Split split : {Split::train, Split::dev, Split::test}) {
    data::RandomStream random(5);
    const WordProblemSource source({}, split);
    for (int i = 0; i < 20000; ++i) seen[split].insert(numbers_of(source.draw(1 + i % 2, random)));
  }
  for (const Split split : {Split::dev, Split::test}) {
    std::vector<std::string> shared;
    std::ranges::set_intersection(seen[Split::train], seen[split], std::back_inserter(shared));
    EXPECT_TRUE(shared.empty()) << shared.front();
  }
  std::vector<std::string> shared;
  std::ranges::set_intersection(seen[Split::dev], seen[Split::test], std::back_inserter(shared));
  EXPECT_TRUE(shared.empty()) << shared.front();
}

TEST(WordProblem, ASixteenthIsTestAndASixteenthIsDev) {
  std::map<Split, int> times;
  for (int64_t first = 11; first <= 99; ++first) {
    for (int64_t third = -99; third <= 99; ++third) {
      const Part parts[] = {{first, 7, third}, {31, 4, 0}};
      ++times[split_of(parts)];
    }
  }
  const double all = 89 * 199;
  EXPECT_NEAR(times[Split::test] / all, 1 / 16.0, 0.008);
  EXPECT_NEAR(times[Split::dev] / all, 1 / 16.0, 0.008);
}

TEST(WordProblem, NumbersKeepToTheDifficulty) {
  const Difficulty difficulty = {
      .first = {100, 300}, .second = {6, 12}, .third = {200, 999}, .least_value = 500};
  const WordProblemSource source(difficulty, Split::train);
  data::RandomStream random(2);
  int without_third = 0;
  for (int i = 0; i < 2000; ++i) {
    for (const Part& part : source.draw(3, random).parts) {
      EXPECT_TRUE(part.first >= 100 && part.first <= 300);
      EXPECT_TRUE(part.second >= 6 && part.second <= 12);
      EXPECT_TRUE(part.third == 0 || (std::abs(part.third) >= 200 && std::abs(part.third) <= 999));
      EXPECT_GE(part.value(), 500);
      without_third += part.third == 0 ? 1 : 0;
    }
  }
  EXPECT_NEAR(without_third / 6000.0, 0.5, 0.05);
}

TEST(WordProblem, HasThousandsOfSurfaceForms) {
  const WordProblem problem = {.parts = {{28, 3, 26}, {74, 9, -94}}};
  data::RandomStream random(3);
  std::set<std::string> forms;
  for (int i = 0; i < 20000; ++i) forms.insert(form_of(word_question(problem.parts, random)));
  EXPECT_GT(forms.size(), 15000U);
}

TEST(WordProblem, TellsThePartsInEveryOrderAndLabelsThem) {
  const Part parts[] = {{28, 3, 0}, {74, 9, 0}, {59, 5, 0}};
  data::RandomStream random(4);
  std::set<std::string> orders;
  const std::regex label(" (\\d): (\\d+)");
  const std::map<char, std::string> first = {{'1', "28"}, {'2', "74"}, {'3', "59"}};
  for (int i = 0; i < 200; ++i) {
    const std::string question = word_question(parts, random);
    std::string order;
    for (std::sregex_iterator at(question.begin(), question.end(), label), end; at != end; ++at) {
      order += (*at)[1].str();
      EXPECT_EQ((*at)[2].str(), first.at(order.back())) << question;
    }
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6U);
}

TEST(WordProblem, SentencesAreGrammatical) {
  const WordProblemSource source({}, Split::train);
  data::RandomStream random(6);
  const std::regex article(" [Aa] [aeiou]");
  const std::regex doubled("  | \\.|\\.\\.|,,|[#@$]");
  const std::regex capital_inside("[a-z] (A|The) ");
  const std::regex two_and_one("and \\w+ (buys|orders|sells|gets|finds|counts|packs|sorts|collects|checks) ");
  for (int i = 0; i < 20000; ++i) {
    const int32_t n_parts = 1 + i % 8;
    const std::string question = source.draw(n_parts, random).question;
    for (const std::regex& fault : {article, doubled, capital_inside, two_and_one}) {
      EXPECT_FALSE(std::regex_search(question, fault)) << question;
    }
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(question.front()))) << question;
    EXPECT_TRUE(question.ends_with('.') || question.ends_with('?')) << question;
    EXPECT_EQ(std::ranges::count(question, ':'), n_parts) << question;
  }
}

TEST(WordProblem, TheSameSeedDrawsTheSameProblems) {
  const WordProblemSource source({}, Split::train);
  data::RandomStream one(7);
  data::RandomStream same(7);
  data::RandomStream other(8);
  int equal = 0;
  for (int i = 0; i < 100; ++i) {
    const WordProblem problem = source.draw(4, one);
    EXPECT_EQ(problem.question, source.draw(4, same).question);
    equal += problem.question == source.draw(4, other).question ? 1 : 0;
  }
  EXPECT_EQ(equal, 0);
}

// Files written with one version must be written again by the next.
TEST(WordProblem, ASeedMeansThisProblem) {
  data::RandomStream random(1);
  EXPECT_EQ(
      WordProblemSource({}, Split::test).draw(2, random).question,
      "Nora and Marco order sand in 2 stores. Store 1: 81 bags with 7 kg each without 25 spoilt kg. Store "
      "2: 27 boxes of 5 kg each. How many kg are there in all?");
}

TEST(WordProblem, RefusesWhatCannotBeDrawn) {
  data::RandomStream random(1);
  const WordProblemSource source({}, Split::train);
  EXPECT_THROW(source.draw(0, random), InvalidRequest);
  EXPECT_THROW(source.draw(17, random), InvalidRequest);
  EXPECT_THROW(WordProblemSource({.first = {20, 10}}, Split::train), InvalidRequest);
  EXPECT_THROW(WordProblemSource({.second = {1, 9}}, Split::train), InvalidRequest);
  EXPECT_THROW(WordProblemSource({.least_value = 1000}, Split::train), InvalidRequest);
  const Difficulty one_problem = {.first = {11, 11}, .second = {2, 2}, .third = {11, 11}};
  int refused = 0;
  for (const Split split : {Split::train, Split::dev, Split::test}) {
    try {
      WordProblemSource(one_problem, split).draw(1, random);
    } catch (const InvalidRequest& error) {
      EXPECT_THAT(error.what(), HasSubstr("so narrow"));
      ++refused;
    }
  }
  EXPECT_GE(refused, 1);
}

}  // namespace
}  // namespace lanerope::toy
