// SPDX-License-Identifier: Apache-2.0
#include "eval/question_file.h"

#include <algorithm>

#include "lanerope/errors.h"

namespace lanerope::eval {

std::vector<Truth> truths_of(std::span<const EvalQuestion> questions) {
  std::vector<Truth> truths;
  for (const EvalQuestion& question : questions)
    truths.push_back({.answer = question.truth, .kind = question.kind, .parts = question.parts});
  return truths;
}

std::vector<EvalQuestion> read_questions(const std::string& path, const ReadOptions& options) {
  std::vector<EvalQuestion> questions;
  for (Row& row : read_rows(path, options.limit)) {
    AskedRow asked = read_row(row, options.keys, options.kind);
    EvalQuestion question{.text = std::move(asked.text),
                          .truth = std::move(asked.truth),
                          .kind = asked.kind,
                          .parts = std::move(asked.parts),
                          .solution = std::move(asked.solution)};
    if (const auto by = row.fields.find(options.by); by != row.fields.end() && !options.by.empty())
      question.by = by->is_string() ? by->get<std::string>() : by->dump();
    question.row = std::move(row.fields);
    questions.push_back(std::move(question));
  }
  if (questions.empty()) throw InvalidRequest(path + " holds no questions; give one a line");
  if (!options.by.empty() &&
      std::ranges::all_of(questions, [](const EvalQuestion& question) { return question.by.empty(); }))
    throw InvalidRequest("no question of " + path + " has the key \"" + options.by + "\" that --by names");
  return questions;
}

}  // namespace lanerope::eval
