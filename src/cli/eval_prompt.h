// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/request_flags.h"
#include "eval/question_file.h"
#include "lanerope/prompt.h"

namespace lanerope::cli {

// Options that say what questions are and how they are put.
struct QuestionFlags {
  PromptFlags prompt;
  std::string file;
  eval::QuestionKeys keys;
  std::optional<eval::AnswerKind> kind;
  std::string preset;
  std::string wording;
  int32_t shots = 0;
  std::string shots_file;
  std::string judge;
  double judge_timeout = 30;
  int64_t limit = 0;
  std::string by;
};

void add_question_flags(CLI::App& app, QuestionFlags& flags);

// The wording in force: that of --prompt, of the preset, or the question alone.
std::string wording_of(const QuestionFlags& flags);

// The questions of the file. Throws as eval::read_questions, and InvalidRequest where code has nothing to
// judge it.
std::vector<eval::EvalQuestion> questions_of(const QuestionFlags& flags);

// Puts questions into words: behind examples, with the wording around each, as a conversation or, with --raw,
// as text.
class QuestionPrompt {
 public:
  // Reads the examples. Throws InvalidRequest where there are too few of them or options do not go together.
  explicit QuestionPrompt(const QuestionFlags& flags);

  Prompt operator()(const eval::EvalQuestion& question) const;
  // What ends a lane that would go on with a question of its own, as models without a template do.
  std::vector<std::string> stop() const;

 private:
  PromptFlags flags_;
  std::string wording_;
  std::vector<eval::EvalQuestion> examples_;
};

}  // namespace lanerope::cli
