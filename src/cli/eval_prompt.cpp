// SPDX-License-Identifier: Apache-2.0
#include "cli/eval_prompt.h"

#include <algorithm>

#include "cli/choice.h"
#include "cli/text_source.h"
#include "cli/to_request.h"
#include "eval/preset.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

constexpr auto questions_group = "Questions";
constexpr std::string_view question_alone = "{question}";

std::optional<eval::AnswerKind> kind_of(const QuestionFlags& flags) {
  if (flags.kind) return flags.kind;
  const eval::Preset* preset = eval::find_preset(flags.preset);
  // Mathematics is what any answer is read as; choices that a row has are choices all the same.
  if (preset == nullptr || preset->kind == eval::AnswerKind::any) return std::nullopt;
  return preset->kind;
}

}  // namespace

void add_question_flags(CLI::App& app, QuestionFlags& flags) {
  app.add_option(
         "--questions", flags.file,
         "JSON lines, JSON, CSV or Parquet, packed with gzip or not, or a folder of them: as they are")
      ->type_name("FILE")
      ->group(questions_group);
  std::vector<std::string> names;
  for (const eval::Preset& preset : eval::presets()) names.emplace_back(preset.name);
  add_word_choice(app, "--preset", names, [&flags](const std::string& name) { flags.preset = name; })
      ->description("Wording and kind of answers as the set is usually asked")
      ->group(questions_group);
  app.add_option("--prompt", flags.wording, "Wording; {question} stands for the question (default: it alone)")
      ->type_name("TEXT")
      ->group(questions_group);
  add_choice(app, "--kind", flags.kind)
      ->description("What answers are (default: as the rows look, which mostly is any)")
      ->group(questions_group);
  app.add_option("--question-key", flags.keys.question,
                 "Field that holds the question (default: found by its name)")
      ->type_name("KEY")
      ->group(questions_group);
  app.add_option("--answer-key", flags.keys.answer, "Field that holds the answer")
      ->type_name("KEY")
      ->group(questions_group);
  app.add_option("--shots", flags.shots, "Show so many questions of --shots-from with their answers first")
      ->type_name("N")
      ->check(CLI::Range(0, 64))
      ->capture_default_str()
      ->group(questions_group);
  app.add_option("--shots-from", flags.shots_file, "File of the examples, such as the set's training part")
      ->type_name("FILE")
      ->group(questions_group);
  auto* judge = app.add_option("--judge", flags.judge,
                               "Shell command that judges an answer, such as code with tests: a JSON line "
                               "in, a number out, above 0 for right")
                    ->type_name("CMD")
                    ->group(questions_group);
  app.add_option("--judge-timeout", flags.judge_timeout, "Seconds that it may take for a lane")
      ->type_name("S")
      ->needs(judge)
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(questions_group);
  app.add_option("--by", flags.by, "Show the scores for each value of this key of the questions as well")
      ->type_name("KEY")
      ->group(questions_group);
  app.add_option("--limit", flags.limit, "Only the first questions (0: all)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group(questions_group);
}

std::string wording_of(const QuestionFlags& flags) {
  if (!flags.wording.empty()) return flags.wording;
  const eval::Preset* preset = eval::find_preset(flags.preset);
  if (preset == nullptr) return std::string(question_alone);
  return std::string(flags.shots > 0 && !preset->with_examples.empty() ? preset->with_examples
                                                                       : preset->wording);
}

std::vector<eval::EvalQuestion> questions_of(const QuestionFlags& flags) {
  std::vector<eval::EvalQuestion> questions = eval::read_questions(
      flags.file, {.keys = flags.keys, .kind = kind_of(flags), .limit = flags.limit, .by = flags.by});
  if (questions.front().kind == eval::AnswerKind::code && flags.judge.empty()) {
    throw InvalidRequest(
        "code is judged by running it; give a command with --judge, such as \"python3 "
        "examples/judge_python.py\"");
  }
  return questions;
}

QuestionPrompt::QuestionPrompt(const QuestionFlags& flags)
    : flags_(flags.prompt), wording_(wording_of(flags)) {
  check_utf8(wording_, "--prompt");
  eval::worded(wording_, "");
  if (flags.shots == 0) {
    if (!flags.shots_file.empty())
      throw InvalidRequest("--shots-from needs --shots N, the number of examples");
    return;
  }
  if (flags.shots_file.empty())
    throw InvalidRequest("--shots needs --shots-from FILE, such as the set's training part");
  examples_ = eval::read_questions(flags.shots_file,
                                   {.keys = flags.keys, .kind = kind_of(flags), .limit = flags.shots});
  if (std::ssize(examples_) < flags.shots) {
    throw InvalidRequest(flags.shots_file + " holds " + std::to_string(examples_.size()) +
                         " examples, fewer than the " + std::to_string(flags.shots) + " of --shots");
  }
}

Prompt QuestionPrompt::operator()(const eval::EvalQuestion& question) const {
  Prompt prompt = to_prompt(flags_, eval::worded(wording_, question.text));
  if (examples_.empty()) return prompt;
  if (flags_.raw) {
    std::string shown;
    for (const eval::EvalQuestion& example : examples_) {
      shown += eval::worded(wording_, example.text);
      shown += (shown.ends_with('\n') || shown.ends_with(' ') ? "" : " ") + example.solution + "\n\n";
    }
    prompt.text = shown + prompt.text;
    return prompt;
  }
  std::vector<Message> shown;
  for (const eval::EvalQuestion& example : examples_) {
    shown.push_back({.role = "user", .content = eval::worded(wording_, example.text)});
    shown.push_back({.role = "assistant", .content = example.solution});
  }
  // Behind the system message, if there is one.
  prompt.messages.insert(prompt.messages.end() - 1, shown.begin(), shown.end());
  return prompt;
}

std::vector<std::string> QuestionPrompt::stop() const {
  if (examples_.empty() || !flags_.raw) return {};
  const std::string before = wording_.substr(0, wording_.find(question_alone));
  const size_t begin = before.find_first_not_of(" \n");
  if (begin == std::string::npos) return {"\n\n\n"};
  return {"\n" + before.substr(begin, before.find_last_not_of(" \n") + 1 - begin)};
}

}  // namespace lanerope::cli
