// SPDX-License-Identifier: Apache-2.0
#include "eval/results_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "lanerope/errors.h"
#include "tests/support/random_models.h"

namespace lanerope::eval {
namespace {

using testing::HasSubstr;

std::string new_folder() {
  const std::string folder = support::new_file(".results");
  std::filesystem::create_directories(folder);
  return folder;
}

const std::vector<EvalQuestion> questions = {{.text = "Why \"so\"?\n", .truth = "7"},
                                             {.text = "é?", .truth = "1/2"}};

std::string folder_with(const std::vector<std::string>& arms) {
  const std::string folder = new_folder();
  RecordFile file(folder + "/records.jsonl");
  for (const std::string& arm : arms) {
    file.begin_arm(arm, {{"budget", "32"}, {"n", "1"}});
    file.add({.arm = arm, .question = 1, .lanes = {{.text = arm, .length = 5}}, .steps = 5});
  }
  write_questions(folder, questions);
  return folder;
}

std::string refusal(const std::string& text) {
  try {
    read_arm(text);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(ResultsFolder, HasOneArmByItself) {
  const std::string folder = folder_with({"alone"});
  for (const std::string& text : {folder, folder + ":alone"}) {
    const ArmResults results = read_arm(text);
    EXPECT_EQ(results.arm, "alone");
    EXPECT_EQ(results.budget(), 32);
    EXPECT_EQ(results.setting("n"), "1");
    ASSERT_EQ(results.records.size(), 1U);
    EXPECT_EQ(results.records[0].lanes[0].text, "alone");
    ASSERT_EQ(results.questions.size(), 2U);
    EXPECT_EQ(results.questions[0].text, questions[0].text);
    EXPECT_EQ(results.questions[1].truth, "1/2");
  }
}

TEST(ResultsFolder, OfSeveralArmsWantsAName) {
  const std::string folder = folder_with({"x", "y"});
  EXPECT_EQ(read_arm(folder + ":y").records[0].lanes[0].text, "y");
  EXPECT_THAT(refusal(folder), HasSubstr("holds the arms x, y; name one, as in " + folder + ":x"));
  EXPECT_THAT(refusal(folder + ":z"), HasSubstr("holds no arm z; it has x, y"));
}

TEST(ResultsFolder, SaysWhatIsMissing) {
  EXPECT_THAT(refusal("/nowhere"), HasSubstr("/nowhere/records.jsonl cannot be read"));
  const std::string folder = folder_with({"x"});
  std::filesystem::remove(folder + "/questions.jsonl");
  EXPECT_THAT(refusal(folder), HasSubstr("run the same lanerope eval again"));
}

TEST(ResultsFolder, IsOnlyRead) {
  const std::string folder = folder_with({"x"});
  std::ofstream(folder + "/records.jsonl", std::ios::app) << "{\"arm\": \"x\", \"que";
  const auto size = std::filesystem::file_size(folder + "/records.jsonl");
  EXPECT_EQ(read_arm(folder).records.size(), 1U);
  EXPECT_EQ(std::filesystem::file_size(folder + "/records.jsonl"), size)
      << "half a line may still be written to";
}

std::string refusal_of(const std::string& folder, const std::vector<EvalQuestion>& asked) {
  try {
    write_questions(folder, asked);
  } catch (const InvalidRequest& error) {
    return error.what();
  }
  return "(not refused)";
}

TEST(ResultsFolder, KeepsWhatItsRecordsAreScoredBy) {
  const std::string folder = folder_with({"x"});
  const std::string file = folder + "/questions.jsonl";
  EvalQuestion other = questions[1];
  other.truth = "1/3";
  EXPECT_THAT(refusal_of(folder, {questions[0], other}),
              HasSubstr(file + " holds other questions (number 1 has another \"answer\")"));
  EXPECT_THAT(refusal_of(folder, {questions[1]}), HasSubstr("number 0 has another \"question\""));
  other = questions[0];
  other.kind = AnswerKind::exact;
  EXPECT_THAT(refusal_of(folder, {other}), HasSubstr("number 0 has another \"kind\""));
  EXPECT_EQ(read_arm(folder).questions[1].truth, "1/2") << "what was refused changed nothing";
}

TEST(ResultsFolder, OnlyGrows) {
  const std::string folder = folder_with({"x"});
  write_questions(folder, std::span(questions).first(1));
  EXPECT_EQ(read_arm(folder).questions.size(), 2U) << "the record of the second question is still there";
  std::vector<EvalQuestion> more = questions;
  more.push_back({.text = "Who?", .truth = "9"});
  write_questions(folder, more);
  EXPECT_EQ(read_arm(folder).questions.back().text, "Who?");
}

TEST(ResultsFolder, IsMendedWhereAQuestionWasCutOff) {
  const std::string folder = folder_with({"x"});
  const std::string file = folder + "/questions.jsonl";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 5);
  EXPECT_THAT(refusal(folder), HasSubstr("line 2 is no question of lanerope eval; run it again"));
  write_questions(folder, questions);
  EXPECT_EQ(read_arm(folder).questions[1].truth, "1/2");
}

TEST(ResultsFolder, KnowsThePlacesOfLists) {
  const std::string folder = folder_with({"x"});
  const EvalQuestion list{.text = "Which?", .truth = "(5, 18)", .parts = {"5", "18"}};
  EvalQuestion one_answer = list;
  one_answer.parts = {};
  std::vector<EvalQuestion> asked = questions;
  asked.push_back(one_answer);
  write_questions(folder, asked);
  EXPECT_TRUE(read_arm(folder).questions[2].parts.empty());
  asked[2] = list;
  write_questions(folder, asked);
  EXPECT_EQ(read_arm(folder).questions[2].parts, list.parts) << "a folder from before gets them";
  asked[2] = one_answer;
  EXPECT_THAT(refusal_of(folder, asked), HasSubstr("number 2 has another \"parts\""));
}

TEST(ResultsFolder, TellsQuestionsApartAsTheyWereWritten) {
  const std::string folder = folder_with({"x"});
  std::vector<EvalQuestion> asked = questions;
  asked.push_back({.text = "caf\xe9?", .truth = "9"});  // Latin-1: no UTF-8
  write_questions(folder, asked);
  write_questions(folder, asked);
  EXPECT_EQ(read_arm(folder).questions.size(), 3U);
}

}  // namespace
}  // namespace lanerope::eval
