// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "answers/kinds.h"
#include "eval/question_lanes.h"
#include "eval/row_file.h"

namespace lanerope::eval {

// Which fields of a row are the question and its answer; empty: those whose names are known.
struct QuestionKeys {
  std::string question = {};
  std::string answer = {};
};

// What a row asks.
struct AskedRow {
  std::string text =
      {};  // the question, with the passage before it and the choices behind it where a row has them
  std::string truth = {};  // the answer alone
  std::string solution =
      {};  // the answer as the row has it, worked out or not: what an example of a few shows
  AnswerKind kind = AnswerKind::any;
  std::vector<std::string> parts = {};  // "parts", a list: each of several answers that are asked for
};

// Reads a row of the usual sets: GSM8K, MATH and MATH-500, AIME, AMC, OlympiadBench, Minerva, SVAMP, ASDiv,
// MAWPS, MMLU, ARC, BoolQ, HumanEval and those made like them. `kind` says what answers are where it is known
// beforehand; a row with choices has choices, and one whose answer is a truth value yes or no. Throws
// BadFile, with the names that the row has, where none is known to be the question or the answer.
AskedRow read_row(const Row& row, const QuestionKeys& keys, std::optional<AnswerKind> kind);

}  // namespace lanerope::eval
