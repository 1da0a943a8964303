// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/cli/program.h"

namespace lanerope::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string three_questions() {
  const std::string file = temporary("questions.jsonl");
  write_file(file,
             "{\"question\": \"What is six plus one?\", \"answer\": \"Six and one.\\n#### 7\"}\n"
             "{\"question\": \"What is half of one?\", \"answer\": \"1/2\"}\n"
             "{\"question\": \"And a dozen?\", \"answer\": \"12\"}\n");
  return file;
}

// One thread: the model is so small that a second one only waits.
std::vector<std::string> eval(const std::string& questions, const std::string& out,
                              const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"eval", "-m", tiny_model(), "--questions", questions, "--out",
                                        out,    "-t", "1",          "--budgets",   "8,12"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

size_t records_in(const std::string& folder) {
  const auto lines = json_lines(file_text(folder + "/records.jsonl"));
  return static_cast<size_t>(
      std::ranges::count_if(lines, [](const auto& line) { return line.contains("lanes"); }));
}

TEST(Eval, ReportsEveryArm) {
  const std::string out = temporary("arms");
  const Outcome outcome =
      run_program({.arguments = eval(three_questions(), out,
                                     {"--arm", "independent", "--arm", "lanerope:n=2", "--arm", "closed:n=4",
                                      "--arm", "groupthink:n=4", "--arm", "hogwild:n=2", "--arm",
                                      "trained:n=2,lora=" + adapter(), "--arm", "beam:width=2"})});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("3 questions"));
  EXPECT_THAT(outcome.out, HasSubstr("maj@4"));
  EXPECT_THAT(outcome.err, HasSubstr("wrote " + out + "/report.html"));
  const auto report = nlohmann::json::parse(file_text(out + "/report.json"));
  std::vector<std::string> names;
  for (const auto& arm : report.at("arms")) {
    names.push_back(arm.at("arm"));
    EXPECT_EQ(arm.at("questions"), 3);
    EXPECT_EQ(arm.at("lanes_total"), names.back() == "beam" ? 1 : 4);
    ASSERT_EQ(arm.at("budgets").size(), 2U);
    EXPECT_EQ(arm.at("budgets")[1].at("budget"), 12);
    EXPECT_GT(arm.at("cost").at("seconds"), 0);
    EXPECT_GT(arm.at("cost").at("tokens"), 0);
    EXPECT_GT(arm.at("cost").at("milliseconds_a_step"), 0);
  }
  EXPECT_THAT(names,
              ElementsAre("independent", "lanerope", "closed", "groupthink", "hogwild", "trained", "beam"));
  EXPECT_EQ(records_in(out), 12U + 6 + 3 + 3 + 6 + 6 + 3);
  EXPECT_THAT(file_text(out + "/report.html"), HasSubstr("\"hogwild\""));
}

TEST(Eval, GoesOnWhereItWasCutOff) {
  const std::string out = temporary("resumed");
  const auto arguments = eval(three_questions(), out, {"--arm", "independent"});
  ASSERT_EQ(run_program({.arguments = arguments}).status, 0);
  const std::string whole = file_text(out + "/records.jsonl");
  const auto report = nlohmann::json::parse(file_text(out + "/report.json"));
  size_t fifth_line = 0;
  for (int i = 0; i < 5; ++i) fifth_line = whole.find('\n', fifth_line) + 1;
  write_file(out + "/records.jsonl", whole.substr(0, fifth_line + 30));
  ASSERT_EQ(run_program({.arguments = arguments}).status, 0);
  EXPECT_EQ(file_text(out + "/records.jsonl").substr(0, fifth_line), whole.substr(0, fifth_line));
  EXPECT_EQ(records_in(out), 12U);
  const auto again = nlohmann::json::parse(file_text(out + "/report.json"));
  EXPECT_EQ(again.at("arms")[0].at("budgets"), report.at("arms")[0].at("budgets"));

  ASSERT_EQ(
      run_program({.arguments = eval(three_questions(), out, {"--arm", "independent", "--arm", "closed"})})
          .status,
      0)
      << "another arm is added to the file";
  EXPECT_EQ(records_in(out), 15U);
}

TEST(Eval, FewerQuestionsOrLanesAreReadFromALargerRun) {
  const std::string out = temporary("larger");
  ASSERT_EQ(run_program({.arguments = eval(three_questions(), out, {"--arm", "independent"})}).status, 0);
  ASSERT_EQ(run_program({.arguments = eval(three_questions(), out,
                                           {"--arm", "independent", "--limit", "2", "--lanes-total", "2"})})
                .status,
            0);
  EXPECT_EQ(records_in(out), 12U);
  const auto report = nlohmann::json::parse(file_text(out + "/report.json"));
  EXPECT_EQ(report.at("arms")[0].at("questions"), 2);
  EXPECT_EQ(report.at("arms")[0].at("lanes_total"), 2);
}

TEST(Eval, DoesNotMixRuns) {
  const std::string out = temporary("mixed");
  ASSERT_EQ(run_program({.arguments = eval(three_questions(), out, {"--arm", "independent"})}).status, 0);
  const std::string whole = file_text(out + "/records.jsonl");
  const auto refusal = [&](const std::vector<std::string>& more) {
    const Outcome outcome = run_program({.arguments = eval(three_questions(), out, more)});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_EQ(file_text(out + "/records.jsonl"), whole);
    return outcome.err;
  };
  EXPECT_THAT(
      refusal({"--arm", "independent", "--seed", "2"}),
      HasSubstr("holds the arm independent with seed 1, and this run has 2; give another folder with --out"));
  EXPECT_THAT(refusal({"--arm", "independent:model=" + other_model()}), HasSubstr("with model "));
  EXPECT_THAT(refusal({"--arm", "independent", "--temp", "0.1"}), HasSubstr("with temperature 0.6"));
  EXPECT_THAT(refusal({"--arm", "independent", "--budgets", "99"}),
              HasSubstr("with budget 12, and this run has 99"));
  EXPECT_THAT(refusal({"--arm", "independent:n=2"}), HasSubstr("with n 1"));
  EXPECT_THAT(refusal({"--arm", "independent", "--system", "Be brief."}), HasSubstr("system text"));
}

TEST(Eval, RefusesWithOneSentence) {
  const auto refusal = [&](int status, const std::string& questions, const std::vector<std::string>& more) {
    const Outcome outcome = run_program({.arguments = eval(questions, temporary("refused"), more)});
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    return outcome.err;
  };
  const std::string good = three_questions();
  EXPECT_THAT(refusal(5, "/nowhere.jsonl", {}), HasSubstr("/nowhere.jsonl cannot be read"));
  EXPECT_THAT(refusal(5, good, {"--arm", "mine:model=/nowhere.gguf"}),
              HasSubstr("/nowhere.gguf cannot be read"));
  EXPECT_THAT(refusal(2, good, {"--arm", "lanerpoe"}), HasSubstr("there is no arm lanerpoe"));
  EXPECT_THAT(refusal(2, good, {"--arm", "three:n=3"}),
              HasSubstr("has 3 lanes, which do not divide the 4 lanes"));
  EXPECT_THAT(refusal(2, good, {"--arm", "closed", "--arm", "closed:n=2"}),
              HasSubstr("two arms are called closed"));
  EXPECT_THAT(refusal(2, good, {"--budgets", "0,8"}), HasSubstr("--budgets must be positive"));
  const std::string bad = temporary("bad.jsonl");
  write_file(bad, "{\"question\": \"Q\"}\n");
  EXPECT_THAT(refusal(3, bad, {}), HasSubstr(bad + ", line 1 needs a question and an answer"));
}

TEST(Eval, RefusesAFolderThatIsNone) {
  const std::string file = temporary("a-file");
  write_file(file, "text");
  const Outcome outcome = run_program({.arguments = eval(three_questions(), file, {})});
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.err, HasSubstr("cannot be made"));
}

}  // namespace
}  // namespace lanerope::cli
