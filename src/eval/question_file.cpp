// SPDX-License-Identifier: Apache-2.0
#include "eval/question_file.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "answers/extract.h"
#include "lanerope/errors.h"

namespace lanerope::eval {

namespace {

using Json = nlohmann::json;

std::string text_of(const Json& json, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const auto found = json.find(key);
    if (found == json.end()) continue;
    if (found->is_string()) return found->get<std::string>();
    if (found->is_number()) return found->dump();
  }
  return {};
}

}  // namespace

std::vector<EvalQuestion> read_questions(const std::string& file, const QuestionFileOptions& options) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw SystemError(file + " cannot be read; check the name and its permissions");
  std::vector<EvalQuestion> questions;
  std::string line;
  for (int64_t number = 1; std::getline(stream, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (options.limit > 0 && std::ssize(questions) >= options.limit) break;
    const Json json = Json::parse(line, nullptr, false);
    const std::string where = file + ", line " + std::to_string(number);
    if (!json.is_object()) throw BadFile(where + " is not a JSON object; write one question a line");
    EvalQuestion question{.text = text_of(json, {"question", "prompt", "problem"})};
    const std::string answer = text_of(json, {"answer", "gold", "solution"});
    if (question.text.empty() || answer.empty()) throw BadFile(where + " needs a question and an answer");
    const bool marked = answer.find("####") != std::string::npos ||
                        answer.find("\\boxed") != std::string::npos ||
                        answer.find("\\fbox") != std::string::npos;
    question.truth = marked ? answers::extract_answer(answer).value_or(answer) : answer;
    if (const auto by = json.find(options.by); by != json.end() && !options.by.empty())
      question.by = by->is_string() ? by->get<std::string>() : by->dump();
    questions.push_back(std::move(question));
  }
  if (questions.empty()) throw InvalidRequest(file + " holds no questions; give one a line");
  if (!options.by.empty() &&
      std::ranges::all_of(questions, [](const EvalQuestion& q) { return q.by.empty(); }))
    throw InvalidRequest("no question of " + file + " has the key \"" + options.by + "\" that --by names");
  return questions;
}

}  // namespace lanerope::eval
