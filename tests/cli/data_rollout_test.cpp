// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/program.h"

namespace lanerope::cli {
namespace {

using ::testing::HasSubstr;

// One thread: the model is so small that a second one only waits.
std::vector<std::string> rollout(const std::string& questions, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"data", "rollout", "-m", tiny_model(), questions, "-n", "2",
                                        "-b",   "12",      "-t", "1",          "--seed",  "3"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string four_questions() {
  const std::string file = temporary("questions.jsonl");
  write_file(file,
             "{\"question\": \"How many legs have 3 cats?\", \"answer\": \"12\", \"parts\": 2}\n"
             "{\"question\": \"What is 7 plus 8?\", \"answer\": \"15\", \"parts\": 2}\n"
             "{\"question\": \"Two boxes hold 9 pens each. How many?\", \"answer\": \"18\", \"parts\": 2}\n"
             "{\"question\": \"What is half of 50?\", \"answer\": \"25\", \"parts\": 2}\n");
  return file;
}

TEST(DataRollout, WritesGroupsWithLabels) {
  const Outcome outcome = run_program({.arguments = rollout(four_questions(), {"--groups", "2"})});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("8 groups sampled, "));
  const std::vector<nlohmann::json> lines = json_lines(outcome.out);
  ASSERT_EQ(lines.size(), 8U);
  for (const nlohmann::json& line : lines) {
    EXPECT_EQ(line.at("lanes").size(), 2U);
    EXPECT_EQ(line.at("labels").size(), 2U);
    EXPECT_EQ(line.at("ended").size(), 2U);
    EXPECT_EQ(line.at("parts"), 2);
  }
  EXPECT_EQ(lines[0].at("question"), lines[1].at("question"));
  EXPECT_NE(lines[0].at("lanes"), lines[1].at("lanes"));
}

TEST(DataRollout, AFileThatWasCutOffIsCompleted) {
  const std::string questions = four_questions();
  const std::string file = temporary("rollout.jsonl");
  ASSERT_EQ(run_program({.arguments = rollout(questions, {"--groups", "2", "-o", file})}).status, 0);
  const std::string whole = file_text(file);
  size_t third_line = 0;
  for (int i = 0; i < 3; ++i) third_line = whole.find('\n', third_line) + 1;
  write_file(file, whole.substr(0, third_line + 40));
  const Outcome resumed = run_program({.arguments = rollout(questions, {"--groups", "2", "-o", file})});
  EXPECT_EQ(resumed.status, 0);
  EXPECT_THAT(resumed.err, HasSubstr("5 groups sampled, "));
  EXPECT_EQ(file_text(file), whole);
  const Outcome again = run_program({.arguments = rollout(questions, {"--groups", "2", "-o", file})});
  EXPECT_THAT(again.err, HasSubstr("every group is already in " + file));
  EXPECT_EQ(file_text(file), whole);
  ASSERT_EQ(run_program({.arguments = rollout(questions, {"--groups", "3", "-o", file})}).status, 0);
  EXPECT_EQ(json_lines(file_text(file)).size(), 12U);
}

TEST(DataRollout, TakesTheCouplingAndTheLimit) {
  const std::string questions = four_questions();
  const std::string coupled =
      run_program({.arguments = rollout(questions, {"--limit", "1", "--coupling", "lanerope"})}).out;
  const std::string independent = run_program({.arguments = rollout(questions, {"--limit", "1"})}).out;
  EXPECT_EQ(json_lines(independent).size(), 1U);
  EXPECT_NE(independent, coupled);
}

TEST(DataRollout, CollaborateWritesTurnsAsLanes) {
  const std::vector<std::string> arguments = {
      "data",   "collaborate", "-m", tiny_model(), four_questions(), "-n", "3",       "-b", "16",
      "--turn", "8",           "-t", "1",          "--seed",         "3",  "--limit", "2"};
  const Outcome outcome = run_program({.arguments = arguments});
  EXPECT_EQ(outcome.status, 0);
  const std::vector<nlohmann::json> lines = json_lines(outcome.out);
  ASSERT_EQ(lines.size(), 2U);
  for (const nlohmann::json& line : lines) {
    EXPECT_EQ(line.at("lanes").size(), 3U);
    EXPECT_FALSE(line.at("lanes")[0].get<std::string>().empty());
  }
  std::vector<std::string> only_right = arguments;
  only_right.push_back("--only-right");
  EXPECT_EQ(run_program({.arguments = only_right}).out, "") << "a random model is never right";
}

TEST(DataRollout, CollaborateRefusesWhatItWouldNotDo) {
  const auto refusal = [](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"data", "collaborate", "-m", tiny_model(), four_questions()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_program({.arguments = arguments});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_THAT(refusal({"-n", "0"}), HasSubstr("1 to 1024 lanes, and 0 are asked for"));
  EXPECT_THAT(refusal({"-n", "-1"}), HasSubstr("1 to 1024 lanes, and -1 are asked for"));
  EXPECT_THAT(refusal({"-b", "8", "--turn", "16"}), HasSubstr("does not go into a budget of 8"));
  for (const std::string option : {"--tag", "--wait", "--ready"})
    EXPECT_THAT(refusal({option, "x"}), HasSubstr("there is no option " + option));
}

// Groups that were left out are in no file, so that going on would sample them again.
TEST(DataRollout, OnlyRightGroupsGoIntoANewFile) {
  const std::string file = temporary("only-right.jsonl");
  const std::vector<std::string> arguments = {"data",
                                              "collaborate",
                                              "-m",
                                              tiny_model(),
                                              four_questions(),
                                              "-n",
                                              "2",
                                              "-b",
                                              "8",
                                              "--turn",
                                              "8",
                                              "-t",
                                              "1",
                                              "-s",
                                              "3",
                                              "--limit",
                                              "1",
                                              "--only-right",
                                              "-o",
                                              file};
  EXPECT_EQ(run_program({.arguments = arguments}).status, 0);
  EXPECT_EQ(run_program({.arguments = arguments}).status, 0) << "nothing was right, so nothing is there";
  const std::string held =
      R"({"question": "What is 7 plus 8?", "answer": "15", "lanes": ["#### 15"], "labels": [true]})"
      "\n";
  write_file(file, held);
  const Outcome again = run_program({.arguments = arguments});
  EXPECT_EQ(again.status, 2);
  EXPECT_THAT(again.err, HasSubstr("does not tell which groups --only-right left out; give -o a new name"));
  EXPECT_EQ(file_text(file), held);
}

TEST(DataRollout, GoesOnOnlyWithGroupsOfItsOwnKind) {
  const std::string questions = four_questions();
  const std::string asked = file_text(questions);
  const Outcome same = run_program({.arguments = rollout(questions, {"-o", questions})});
  EXPECT_EQ(same.status, 2);
  EXPECT_THAT(same.err, HasSubstr(questions + " holds the questions; give -o another name"));
  EXPECT_EQ(file_text(questions), asked);

  const std::string other = temporary("other.jsonl");
  write_file(other, asked);
  const Outcome unanswered = run_program({.arguments = rollout(questions, {"-o", other})});
  EXPECT_EQ(unanswered.status, 3);
  EXPECT_THAT(unanswered.err, HasSubstr(other + ", line 1 has no lanes, so nothing was sampled for it"));
  EXPECT_EQ(file_text(other), asked);

  const std::string of_one = R"({"question": "What is half of 50?", "answer": "25", "lanes": ["25"]})"
                             "\n";
  write_file(other, of_one);
  const Outcome fewer = run_program({.arguments = rollout(questions, {"-o", other})});
  EXPECT_EQ(fewer.status, 2);
  EXPECT_THAT(fewer.err,
              HasSubstr(other + ", line 1 has another number of lanes (1) than --lanes asks for (2)"));
  EXPECT_EQ(file_text(other), of_one);
}

TEST(DataRollout, RefusesBadFiles) {
  const std::string empty = temporary("empty.jsonl");
  write_file(empty, "");
  EXPECT_THAT(run_program({.arguments = rollout(empty, {})}).err, HasSubstr("holds no questions"));
  EXPECT_EQ(run_program({.arguments = rollout("/nowhere.jsonl", {})}).status, 5);
  EXPECT_THAT(run_program({.arguments = rollout("/", {})}).err, HasSubstr("/ is a folder"));
  write_file(empty, "{\"question\": \"Q\"}\n");
  const Outcome no_answer = run_program({.arguments = rollout(empty, {})});
  EXPECT_EQ(no_answer.status, 3);
  EXPECT_THAT(no_answer.err, HasSubstr(empty + ", line 1 has no \"answer\""));
  const std::string other = temporary("other.txt");
  write_file(other, "my notes\n");
  EXPECT_EQ(run_program({.arguments = rollout(four_questions(), {"-o", other})}).status, 3);
  EXPECT_EQ(file_text(other), "my notes\n");
  write_file(other, "my notes");
  EXPECT_EQ(run_program({.arguments = rollout(four_questions(), {"-o", other})}).status, 3);
  EXPECT_EQ(file_text(other), "my notes");
}

}  // namespace
}  // namespace lanerope::cli
