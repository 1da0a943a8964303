// SPDX-License-Identifier: Apache-2.0
#include "eval/results_folder.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "lanerope/errors.h"

namespace lanerope::eval {

namespace {

using Json = nlohmann::ordered_json;

std::string path_in(const std::string& folder, std::string_view name) {
  return folder + "/" + std::string(name);
}

constexpr auto text_key = "question";
constexpr auto truth_key = "answer";
constexpr auto kind_key = "kind";
constexpr auto parts_key = "parts";

std::string line_of(const EvalQuestion& question) {
  Json json = {{text_key, question.text}, {truth_key, question.truth}};
  if (question.kind != answers::AnswerKind::any) json[kind_key] = name(question.kind);
  if (!question.parts.empty()) json[parts_key] = question.parts;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Nothing for a line that is no question, such as one that was cut off.
std::optional<EvalQuestion> parse_question(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    const auto kind = parse<answers::AnswerKind>(json.value(kind_key, "any"));
    if (!kind) return std::nullopt;
    return EvalQuestion{.text = json.at(text_key).get<std::string>(),
                        .truth = json.at(truth_key).get<std::string>(),
                        .kind = *kind,
                        .parts = json.value(parts_key, std::vector<std::string>{})};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

// What is no UTF-8 is written as something else.
EvalQuestion as_written(const EvalQuestion& question) {
  return *parse_question(line_of(question));
}

struct WrittenQuestions {
  std::vector<EvalQuestion> questions = {};  // up to the first line that is none
  bool whole = true;
};

WrittenQuestions read_lines(std::istream& stream) {
  WrittenQuestions written;
  for (std::string line; written.whole && std::getline(stream, line);) {
    std::optional<EvalQuestion> question = parse_question(line);
    written.whole = question.has_value();
    if (question) written.questions.push_back(std::move(*question));
  }
  return written;
}

std::vector<EvalQuestion> read_written_questions(const std::string& folder) {
  const std::string file = path_in(folder, questions_name);
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw SystemError(file +
                      " is missing; run the same lanerope eval again, which writes it and samples nothing");
  }
  WrittenQuestions written = read_lines(stream);
  if (!written.whole) {
    throw BadFile(file + ", line " + std::to_string(written.questions.size() + 1) +
                  " is no question of lanerope eval; run it again");
  }
  return std::move(written.questions);
}

std::string list_of(const RecordContents& contents) {
  std::string list;
  for (const auto& [name, settings] : contents.arms) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

std::string_view differing_key(const EvalQuestion& there, const EvalQuestion& asked) {
  if (there.text != asked.text) return text_key;
  if (there.truth != asked.truth) return truth_key;
  if (there.kind != asked.kind) return kind_key;
  return there.parts.empty() || there.parts == asked.parts ? "" : parts_key;
}

void write_questions(const std::string& folder, std::span<const EvalQuestion> questions) {
  const std::string file = path_in(folder, questions_name);
  std::ifstream before(file, std::ios::binary);
  const std::vector<EvalQuestion> known = read_lines(before).questions;
  before.close();
  std::string text;
  for (size_t i = 0; i < std::max(known.size(), questions.size()); ++i) {
    text += line_of(i < questions.size() ? questions[i] : known[i]) + "\n";
    if (i >= std::min(known.size(), questions.size())) continue;
    const std::string_view key = differing_key(known[i], as_written(questions[i]));
    if (key.empty()) continue;
    throw InvalidRequest(file + " holds other questions (number " + std::to_string(i) + " has another \"" +
                         std::string(key) +
                         "\"), and the records beside it are scored by these; give another folder with "
                         "--out, or the same questions");
  }
  // Not in place, so that one of the two is whole at any time.
  const std::string fresh = file + ".new";
  std::ofstream stream(fresh, std::ios::binary);
  stream << text;
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(fresh, file, error);
  if (!stream || error) throw SystemError(file + " cannot be written; check the disk");
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
