// SPDX-License-Identifier: Apache-2.0
#include "answers/kinds.h"

#include <gtest/gtest.h>

namespace lanerope::answers {
namespace {

std::string said(AnswerKind kind, std::string_view text, bool ended = true) {
  const auto answer = lane_answer_of(text, ended, kind);
  return answer ? answer->text : "-";
}

TEST(Kinds, CodeIsTheLastFencedBlockOrTheText) {
  EXPECT_EQ(said(AnswerKind::code, "So:\n```python\ndef f():\n  return 1\n```\nDone."),
            "def f():\n  return 1\n");
  EXPECT_EQ(said(AnswerKind::code, "```\na\n```\nbetter:\n```py\nb\n```"), "b\n");
  EXPECT_EQ(said(AnswerKind::code, "```\nnever closed"), "never closed");
  EXPECT_EQ(said(AnswerKind::code, "    return 1\n"), "    return 1\n") << "a function's body, as it is";
  EXPECT_EQ(said(AnswerKind::code, " \n"), "-");
  EXPECT_EQ(said(AnswerKind::code, "```\na\n```\n", false), "-") << "it may go on";
  EXPECT_EQ(said(AnswerKind::code, "```"), "```");
}

TEST(Kinds, ExactIsWhatIsMarkedOrTheLastLine) {
  EXPECT_EQ(said(AnswerKind::exact, "Hmm, 3 or 4.\nParis, France"), "Paris, France");
  EXPECT_EQ(said(AnswerKind::exact, "so \\boxed{Paris}\nand that is all"), "Paris");
  EXPECT_EQ(said(AnswerKind::exact, "The answer is Paris."), "Paris");
  EXPECT_EQ(said(AnswerKind::exact, "Paris", false), "-");
  EXPECT_TRUE(answers_equal("Paris", "Paris", AnswerKind::exact));
  EXPECT_FALSE(answers_equal("paris", "Paris", AnswerKind::exact));
  EXPECT_FALSE(answers_equal("0.5", "1/2", AnswerKind::exact));
}

TEST(Kinds, ChoicesAreLettersOrTheTextBehindTheRightOne) {
  const auto right = [](std::string_view text) {
    const auto answer = lane_answer_of(text, true, AnswerKind::choice);
    return answer && answers_equal(answer->text, "(B) 9 metres", AnswerKind::choice);
  };
  for (const char* text : {"The answer is (B).", "The answer is B", "\\boxed{B}", "\\boxed{\\text{(B)}}", "B",
                           "Answer: B. 9 metres", "The answer is 9 metres.", "故选：B。"})
    EXPECT_TRUE(right(text)) << text;
  for (const char* text :
       {"The answer is (C).", "The answer is (A) 9 metres.", "\\boxed{A}", "The answer is 8 metres."})
    EXPECT_FALSE(right(text)) << text;
  EXPECT_TRUE(answers_equal("A, C", "AC", AnswerKind::choice));
  EXPECT_FALSE(answers_equal("A", "AC", AnswerKind::choice));
}

TEST(Kinds, YesAndNo) {
  const auto right = [](std::string_view text) {
    const auto answer = lane_answer_of(text, true, AnswerKind::yes_no);
    return answer && answers_equal(answer->text, "yes", AnswerKind::yes_no);
  };
  for (const char* text :
       {"Yes.", "Yes, 97 is prime.", "The answer is yes.", "So the final answer is **Yes**.", "True",
        "The answer is true.", "\\boxed{\\text{Yes}}"})
    EXPECT_TRUE(right(text)) << text;
  for (const char* text : {"No.", "The answer is no.", "\\boxed{No}", "97"})
    EXPECT_FALSE(right(text)) << text;
}

TEST(Kinds, HaveNames) {
  EXPECT_EQ(parse<AnswerKind>("yes-no"), AnswerKind::yes_no);
  EXPECT_EQ(list_names<AnswerKind>(), "any, choice, yes-no, exact or code");
}

}  // namespace
}  // namespace lanerope::answers
