// SPDX-License-Identifier: Apache-2.0
#include "eval/question_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/preset.h"
#include "lanerope/errors.h"

namespace lanerope::eval {
namespace {

using answers::AnswerKind;
using testing::HasSubstr;

AskedRow read(const std::string& json, std::optional<AnswerKind> kind = {}, const QuestionKeys& keys = {}) {
  return read_row({.fields = nlohmann::json::parse(json), .where = "set, line 7"}, keys, kind);
}

// Rows as the sets have them, each with the question and the answer that it comes to.
struct OfSet {
  const char* set;
  const char* row;
  const char* text;
  const char* truth;
};

TEST(QuestionReader, ReadsTheUsualSetsAsTheyAre) {
  for (
      const OfSet& of : std::vector<OfSet>{
          {"GSM8K", R"j({"question": "How many?", "answer": "2+2=<<2+2=4>>4\n#### 1,004"})j", "How many?",
           "1004"},
          {"MATH",
           R"j({"problem": "p", "level": "Level 5", "type": "Algebra", "solution": "so $\\boxed{\\frac12}$."})j",
           "p", "\\frac12"},
          {"MATH-500",
           R"j({"problem": "p", "solution": "\\boxed{9} or so", "answer": "10", "subject": "x", "unique_id": "u"})j",
           "p", "10"},
          {"AIME 2024", R"j({"ID": "2024-I-1", "Problem": "p", "Solution": "long", "Answer": 33})j", "p",
           "33"},
          {"AIME 2025", R"j({"problem": "p", "answer": "070", "id": 1})j", "p", "070"},
          {"AMC 2023", R"j({"id": 0, "problem": "p", "answer": 27.0, "url": "u"})j", "p", "27"},
          {"OlympiadBench",
           R"j({"question": "q", "context": null, "solution": ["long"], "final_answer": ["2", "-1"], "unit": null})j",
           "q", "2, -1"},
          {"SVAMP",
           R"j({"ID": "c-1", "Body": "Ann has 3 pens.", "Question": "How many?", "Equation": "( 3 )", "Answer": 3.0})j",
           "Ann has 3 pens.\nHow many?", "3"},
          {"ASDiv",
           R"j({"body": "Seven apples.", "question": "How many?", "answer": "7 (apples)", "formula": "7=7"})j",
           "Seven apples.\nHow many?", "7"},
          {"MAWPS", R"j({"iIndex": 1, "sQuestion": "q", "lEquations": ["x=2"], "lSolutions": [2.5]})j", "q",
           "2.5"},
          {"Minerva", R"j({"question": "q", "answer": "4.5e33", "type": "x"})j", "q", "4.5e33"},
          {"a chat set", R"j({"prompt": "q", "ground_truth": "\\boxed{7}"})j", "q", "7"}}) {
    const AskedRow asked = read(of.row);
    EXPECT_EQ(asked.text, of.text) << of.set;
    EXPECT_EQ(asked.truth, of.truth) << of.set;
    EXPECT_EQ(asked.kind, AnswerKind::any) << of.set;
  }
}

TEST(QuestionReader, PutsChoicesBehindTheQuestion) {
  for (
      const OfSet& of : std::vector<OfSet>{
          {"MMLU",
           R"j({"question": "q", "subject": "s", "choices": ["one", "two", "three", "four"], "answer": 2})j",
           "q\n(A) one\n(B) two\n(C) three\n(D) four", "(C) three"},
          {"MMLU-Pro",
           R"j({"question": "q", "options": ["one", "two", "three"], "answer": "B", "answer_index": 1})j",
           "q\n(A) one\n(B) two\n(C) three", "(B) two"},
          {"ARC",
           R"j({"question": "q", "choices": {"text": ["one", "two"], "label": ["1", "2"]}, "answerKey": "2"})j",
           "q\n(A) one\n(B) two", "(B) two"},
          {"MMLU's CSV",
           R"j({"question": "q", "A": "one", "B": "two", "C": "three", "D": "four", "answer": "D"})j",
           "q\n(A) one\n(B) two\n(C) three\n(D) four", "(D) four"},
          {"AQuA",
           R"j({"question": "q", "options": ["A)21", "B)22"], "rationale": "because", "correct": "B"})j",
           "q\n(A) 21\n(B) 22", "(B) 22"},
          {"letters", R"j({"question": "q", "options": {"A": "one", "B": "two"}, "answer": "A"})j",
           "q\n(A) one\n(B) two", "(A) one"},
          {"several", R"j({"question": "q", "choices": ["one", "two", "three"], "answer": "C, A"})j",
           "q\n(A) one\n(B) two\n(C) three", "(A), (C)"},
          {"a list", R"j({"question": "q", "choices": ["one", "two", "three"], "answer": ["B", "C"]})j",
           "q\n(A) one\n(B) two\n(C) three", "(B), (C)"},
          {"the text", R"j({"question": "q", "choices": ["one", "two"], "answer": "two"})j",
           "q\n(A) one\n(B) two", "(B) two"}}) {
    const AskedRow asked = read(of.row);
    EXPECT_EQ(asked.text, of.text) << of.set;
    EXPECT_EQ(asked.truth, of.truth) << of.set;
    EXPECT_EQ(asked.kind, AnswerKind::choice) << of.set;
  }
  EXPECT_THROW(read(R"j({"question": "q", "choices": ["one", "two"], "answer": "three"})j"), BadFile);
}

TEST(QuestionReader, AsksYesOrNoWhereTheAnswerIsATruthValue) {
  const AskedRow asked = read(R"j({"question": "is it so", "passage": "It is so.", "answer": true})j");
  EXPECT_EQ(asked.text, "It is so.\nis it so");
  EXPECT_EQ(asked.truth, "yes");
  EXPECT_EQ(asked.kind, AnswerKind::yes_no);
}

TEST(QuestionReader, KeepsTheSolutionForExamples) {
  EXPECT_EQ(read(R"j({"question": "q", "answer": "2+2=4\n#### 4"})j").solution, "2+2=4\n#### 4");
  EXPECT_EQ(read(R"j({"problem": "q", "answer": "4", "solution": "so \\boxed{4}"})j").solution,
            "so \\boxed{4}");
  EXPECT_EQ(read(R"j({"question": "q", "choices": ["a", "b"], "answer": 1})j").solution,
            "The answer is (B).");
}

TEST(QuestionReader, ReadsTheAnswersOfAQuestionThatAsksForSeveral) {
  const AskedRow asked = read(R"j({"question": "q", "answer": "#### (5, 1200)", "parts": ["5", "1,200"]})j");
  EXPECT_EQ(asked.truth, "(5, 1200)");
  EXPECT_EQ(asked.parts, (std::vector<std::string>{"5", "1200"}));
  EXPECT_TRUE(read(R"j({"question": "q", "answer": "5"})j").parts.empty());
  EXPECT_TRUE(read(R"j({"question": "q", "answer": "5", "parts": ["5"]})j").parts.empty())
      << "one is no list";
  EXPECT_THROW(read(R"j({"question": "q", "answer": "(5, 6)", "parts": ["6", "5"]
  })j"),
               BadFile);
}

TEST(QuestionReader, NeedsNoAnswerForCode) {
  const AskedRow asked = read(
      R"j({"task_id": "T/0", "prompt": "def f():\n", "test": "def check(f): pass", "entry_point": "f"})j",
      AnswerKind::code);
  EXPECT_EQ(asked.text, "def f():\n");
  EXPECT_EQ(asked.kind, AnswerKind::code);
}

std::string refusal(const std::string& json, const QuestionKeys& keys = {}) {
  try {
    read(json, {}, keys);
  } catch (const BadFile& error) {
    return error.what();
  }
  return "(not refused)";
}

TEST(QuestionReader, TakesTheKeysThatItIsGiven) {
  const std::string row = R"j({"frage": "q", "antwort": "7", "answer": "8", "leer": " "})j";
  const AskedRow asked = read(row, {}, {.question = "frage", .answer = "antwort"});
  EXPECT_EQ(asked.text, "q");
  EXPECT_EQ(asked.truth, "7");
  EXPECT_EQ(refusal(row, {.question = "fragen"}),
            "set, line 7 has no \"fragen\"; it has the keys \"answer\", \"antwort\", \"frage\" and \"leer\"");
  EXPECT_THAT(refusal(row, {.question = "leer"}), HasSubstr("has nothing under \"leer\""));
  EXPECT_EQ(refusal(row),
            "set, line 7 has the keys \"answer\", \"antwort\", \"frage\" and \"leer\", of which none is "
            "known to be "
            "the question; name it with --question-key");
}

TEST(Preset, SaysWhereTheQuestionStands) {
  for (const Preset& preset : presets()) {
    EXPECT_THAT(worded(preset.wording, "Q?"), HasSubstr("Q?")) << preset.name;
    EXPECT_EQ(find_preset(preset.name), &preset);
  }
  EXPECT_EQ(find_preset("none"), nullptr);
  EXPECT_EQ(worded("Question: {question}\nAnswer:", "why {question}?"), "Question: why {question}?\nAnswer:");
  EXPECT_THROW(worded("no place", "Q"), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::eval
