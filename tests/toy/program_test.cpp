// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/cli/program.h"

namespace lanerope::toy {
namespace {

using cli::file_text;
using cli::json_lines;
using cli::Outcome;
using cli::run_in_terminal;
using cli::run_program;
using cli::temporary;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Program, ProblemsHaveExactCountsOfParts) {
  const Outcome outcome =
      run_program({.arguments = {"problems", "--count", "60", "--parts", "2:10,5:20,8:30"}});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  std::map<int, int> times;
  std::vector<int> in_order;
  for (const nlohmann::json& line : json_lines(outcome.out)) {
    EXPECT_FALSE(line.contains("lanes"));
    in_order.push_back(line.at("parts").get<int>());
    ++times[in_order.back()];
  }
  EXPECT_EQ(times, (std::map<int, int>{{2, 10}, {5, 20}, {8, 30}}));
  EXPECT_FALSE(std::ranges::is_sorted(in_order)) << "the first lines must be a fair sample";
}

TEST(Program, TracesAreMixedAndPassTheCheck) {
  const std::string file = temporary("traces.jsonl");
  const Outcome written = run_program({.arguments = {"traces", "--count", "400", "--lanes", "1:0.5,4:0.5",
                                                     "--parts", "1-8", "--seed", "7", "-o", file}});
  EXPECT_EQ(written.status, 0);
  EXPECT_EQ(written.out + written.err, "");
  std::map<size_t, int> lanes;
  for (const nlohmann::json& line : json_lines(file_text(file))) ++lanes[line.at("lanes").size()];
  EXPECT_EQ(lanes.size(), 2U);
  EXPECT_NEAR(lanes[1], 200, 60);
  EXPECT_NEAR(lanes[4], 200, 60);
  const Outcome checked = run_program({.arguments = {"check", file}});
  EXPECT_EQ(checked.status, 0);
  EXPECT_EQ(checked.out, file + ": 400 traces are right\n");
}

TEST(Program, TheSeedDecidesEveryByte) {
  const auto written = [](const std::string& seed) {
    return run_program({.arguments = {"traces", "--count", "20", "--lanes", "1-5", "--seed", seed}}).out;
  };
  EXPECT_EQ(written("3"), written("3"));
  EXPECT_NE(written("3"), written("4"));
}

TEST(Program, SplitsDiffer) {
  std::set<std::string> questions;
  for (const std::string split : {"train", "dev", "test"}) {
    const Outcome outcome =
        run_program({.arguments = {"problems", "--count", "50", "--split", split, "--parts", "2-8"}});
    for (const nlohmann::json& line : json_lines(outcome.out)) questions.insert(line.at("question"));
  }
  EXPECT_EQ(questions.size(), 150U);
}

TEST(Program, CheckNamesFileLineAndFault) {
  const std::string right = run_program({.arguments = {"traces", "--count", "2", "--lanes", "2"}}).out;
  std::string wrong = right;
  const size_t answer = wrong.rfind("#### ");
  wrong[answer + 5] = wrong[answer + 5] == '9' ? '8' : '9';
  const Outcome outcome = run_program({.arguments = {"check", "-"}, .input = right + wrong});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, AllOf(StartsWith("lanerope-toy: error: standard input, line 4: lane 2 at step "),
                                 HasSubstr(" where the answer is ")));
  EXPECT_EQ(run_program({.arguments = {"check", "/nowhere/x.jsonl"}}).status, 5);
  EXPECT_EQ(run_program({.arguments = {"check", "-"}, .input = "{}"}).status, 3);
}

TEST(Program, RefusesWhatMakesNoSense) {
  const std::map<std::string, std::vector<std::string>> refusals = {
      {"--count is 3, but the counts of --parts are 5", {"--count", "3", "--parts", "2:5"}},
      {"17 is not within 1 to 16", {"--parts", "2-17"}},
      {"--lanes does not take '65'", {"--lanes", "65"}},
      {"'wide' is not a range", {"--first", "wide"}},
      {"the range of the second number, 9 to 2, is empty", {"--second", "9-2"}},
      {"'all' is none of train, dev, test", {"--split", "all"}},
  };
  for (const auto& [message, flags] : refusals) {
    std::vector<std::string> arguments = {"traces"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const Outcome outcome = run_program({.arguments = arguments});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
  }
}

TEST(Program, AFullDiskIsASystemError) {
  const Outcome outcome = run_program({.arguments = {"problems", "--count", "9", "-o", "/dev/full"}});
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.err, HasSubstr("/dev/full cannot be written"));
}

TEST(Program, ProgressIsOnlyForTerminals) {
  const std::vector<std::string> arguments = {"traces", "--count", "200000", "-o", "/dev/null"};
  EXPECT_EQ(run_program({.arguments = arguments}).err, "");
  EXPECT_THAT(run_in_terminal({.arguments = arguments}).out, HasSubstr(" of 200000 traces"));
}

TEST(Program, ABadLineIsOneSentence) {
  const Outcome outcome = run_program({.arguments = {"walk"}});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "lanerope-toy: error: there is no command walk; see lanerope-toy --help\n");
  EXPECT_THAT(run_program({.arguments = {"check"}}).err,
              HasSubstr("FILE is required; see lanerope-toy check --help"));
}

}  // namespace
}  // namespace lanerope::toy
