// SPDX-License-Identifier: Apache-2.0
#include "eval/question_file.h"

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

std::vector<EvalQuestion> read_questions(const std::string& file, int64_t limit) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw SystemError(file + " cannot be read; check the name and its permissions");
  std::vector<EvalQuestion> questions;
  std::string line;
  for (int64_t number = 1; std::getline(stream, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (limit > 0 && std::ssize(questions) >= limit) break;
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
    if (const auto parts = json.find("parts"); parts != json.end() && parts->is_number_integer())
      question.parts = parts->get<int32_t>();
    questions.push_back(std::move(question));
  }
  if (questions.empty()) throw InvalidRequest(file + " holds no questions; give one a line");
  return questions;
}

}  // namespace lanerope::eval
