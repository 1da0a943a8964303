// SPDX-License-Identifier: Apache-2.0
#include "eval/results_folder.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lanerope/errors.h"

namespace lanerope::eval {

namespace {

using Json = nlohmann::ordered_json;

std::string path_in(const std::string& folder, std::string_view name) {
  return folder + "/" + std::string(name);
}

std::vector<EvalQuestion> read_written_questions(const std::string& folder) {
  const std::string file = path_in(folder, questions_name);
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw SystemError(file +
                      " is missing; run the same lanerope eval again, which writes it and samples nothing");
  }
  std::vector<EvalQuestion> questions;
  for (std::string line; std::getline(stream, line);) {
    const Json json = Json::parse(line, nullptr, false);
    const BadFile refusal(file + ", line " + std::to_string(questions.size() + 1) +
                          " is no question of lanerope eval; run it again");
    if (!json.is_object()) throw refusal;
    try {
      const auto kind = parse<answers::AnswerKind>(json.value("kind", "any"));
      if (!kind) throw refusal;
      questions.push_back({.text = json.at("question").get<std::string>(),
                           .truth = json.at("answer").get<std::string>(),
                           .kind = *kind});
    } catch (const Json::exception&) {
      throw refusal;
    }
  }
  return questions;
}

std::string list_of(const RecordContents& contents) {
  std::string list;
  for (const auto& [name, settings] : contents.arms) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

void write_questions(const std::string& folder, std::span<const EvalQuestion> questions) {
  const std::string file = path_in(folder, questions_name);
  std::ofstream stream(file, std::ios::binary);
  for (const EvalQuestion& question : questions) {
    Json json = {{"question", question.text}, {"answer", question.truth}};
    if (question.kind != answers::AnswerKind::any) json["kind"] = name(question.kind);
    stream << json.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  }
  stream.flush();
  if (!stream) throw SystemError(file + " cannot be written; check the disk");
}

std::string ArmResults::setting(std::string_view name) const {
  const auto found = std::ranges::find(settings, name, &RunSettings::value_type::first);
  return found == settings.end() ? "" : found->second;
}

int32_t ArmResults::budget() const {
  const std::string text = setting("budget");
  int32_t budget = 0;
  std::from_chars(text.data(), text.data() + text.size(), budget);
  if (budget > 0) return budget;
  for (const EvalRecord& record : records) budget = std::max(budget, record.steps);
  return budget;
}

ArmResults read_arm(const std::string& text) {
  ArmResults results{.folder = text};
  if (const size_t colon = text.rfind(':');
      colon != std::string::npos && !std::filesystem::is_directory(text)) {
    results.folder = text.substr(0, colon);
    results.arm = text.substr(colon + 1);
  }
  RecordContents contents = read_records(path_in(results.folder, records_name));
  if (results.arm.empty()) {
    if (contents.arms.size() != 1) {
      throw InvalidRequest(results.folder + " holds the arms " + list_of(contents) + "; name one, as in " +
                           results.folder + ":" + (contents.arms.empty() ? "ARM" : contents.arms[0].first));
    }
    results.arm = contents.arms[0].first;
  }
  const auto known =
      std::ranges::find(contents.arms, results.arm, &decltype(contents.arms)::value_type::first);
  if (known == contents.arms.end()) {
    throw InvalidRequest(results.folder + " holds no arm " + results.arm + "; it has " + list_of(contents));
  }
  results.settings = known->second;
  for (EvalRecord& record : contents.records) {
    if (record.arm == results.arm) results.records.push_back(std::move(record));
  }
  results.questions = read_written_questions(results.folder);
  return results;
}

}  // namespace lanerope::eval
