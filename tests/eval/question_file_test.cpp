// SPDX-License-Identifier: Apache-2.0
#include "eval/question_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "lanerope/errors.h"
#include "tests/support/random_models.h"

namespace lanerope::eval {
namespace {

std::string file_of(const std::string& text) {
  std::string file = support::new_file(".jsonl");
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

std::vector<EvalQuestion> questions_of(const std::string& text, int64_t limit = 0) {
  return read_questions(file_of(text), {.limit = limit});
}

template <typename Error>
std::string refusal(const std::string& file) {
  try {
    read_questions(file, {});
  } catch (const Error& error) {
    return error.what();
  }
  return "(not refused)";
}

TEST(QuestionFile, ReadsGsm8k) {
  const auto questions = questions_of(
      R"({"question": "Natalia sold 48 clips, then half as many. How many?", "answer": "Then 48/2 = <<48/2=24>>24.\nIn all <<48+24=72>>72.\n#### 72"})"
      "\n"
      R"({"question": "And in a year?", "answer": "A lot.\n#### 1,200"})"
      "\n");
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_EQ(questions[0].text, "Natalia sold 48 clips, then half as many. How many?");
  EXPECT_EQ(questions[0].truth, "72");
  EXPECT_EQ(questions[1].truth, "1200");
}

TEST(QuestionFile, ReadsOtherNamesAndWholeSolutions) {
  const auto questions = questions_of(
      "{\"problem\": \"a\", \"solution\": \"so \\\\boxed{\\\\frac{1}{2}}.\"}\n"
      "{\"prompt\": \"b\", \"gold\": 7}\n\n"
      "{\"question\": \"c\", \"answer\": \"12 apples\", \"parts\": 3, \"other\": []}\r\n"
      "{\"problem\": \"d\", \"answer\": \"(1, 2)\", \"solution\": \"long\"}");
  ASSERT_EQ(questions.size(), 4U);
  EXPECT_EQ(questions[0].truth, "\\frac{1}{2}");
  EXPECT_EQ(questions[1].truth, "7");
  EXPECT_EQ(questions[2].truth, "12 apples") << "an answer alone is taken as it is";
  EXPECT_EQ(questions[3].truth, "(1, 2)");
}

TEST(QuestionFile, TellsQuestionsApartByAKey) {
  const std::string file = file_of(
      "{\"question\": \"a\", \"answer\": \"1\", \"level\": \"Level 5\", \"parts\": 3}\n"
      "{\"question\": \"b\", \"answer\": \"2\"}\n");
  EXPECT_EQ(read_questions(file, {.by = "level"})[0].by, "Level 5");
  EXPECT_EQ(read_questions(file, {.by = "parts"})[0].by, "3");
  EXPECT_EQ(read_questions(file, {.by = "parts"})[1].by, "");
  EXPECT_EQ(read_questions(file, {})[0].by, "");
  EXPECT_THROW(read_questions(file, {.by = "depth"}), InvalidRequest);
}

TEST(QuestionFile, StopsAtTheLimit) {
  const std::string lines =
      "{\"question\":\"a\",\"answer\":\"1\"}\n{\"question\":\"b\",\"answer\":\"2\"}\nnot read";
  EXPECT_EQ(questions_of(lines, 2).size(), 2U);
  EXPECT_EQ(questions_of(lines, 1)[0].text, "a");
}

TEST(QuestionFile, SaysWhichLineIsBad) {
  const std::string file = file_of("{\"question\":\"a\",\"answer\":\"1\"}\n[1]\n");
  EXPECT_EQ(refusal<BadFile>(file), file + ", line 2 is not a JSON object; write one question a line");
  const std::string half = file_of("{\"question\":\"a\"}\n");
  EXPECT_EQ(refusal<BadFile>(half),
            half +
                ", line 1 has the key \"question\", of which none is known to be the answer; name it with "
                "--answer-key");
  EXPECT_THAT(refusal<InvalidRequest>(file_of("\n \n")), testing::HasSubstr("is empty"));
  EXPECT_THAT(refusal<SystemError>("/nowhere.jsonl"), testing::HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace lanerope::eval
