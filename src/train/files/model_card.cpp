// SPDX-License-Identifier: Apache-2.0
#include "train/files/model_card.h"

#include <array>
#include <ctime>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "hub/digest.h"
#include "lanerope/errors.h"
#include "text/utf8.h"
#include "train/files/whole_file.h"

namespace lanerope::train {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

bool stays_below(const std::string& name) {
  const fs::path path(name);
  if (name.empty() || path.is_absolute()) return false;
  for (const fs::path& part : path) {
    if (part == "..") return false;
  }
  return true;
}

std::string beside(const std::string& folder, const std::string& name) {
  return (fs::path(folder) / name).string();
}

Json to_json(const CardFile& file) {
  return {{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}};
}

Json to_json(const CardStage& stage) {
  return {{"begun", stage.begun},
          {"finished", stage.finished},
          {"seconds", stage.seconds},
          {"tokens", stage.tokens},
          {"config", stage.config}};
}

CardFile card_file(const Json& json) {
  CardFile file{.name = json.at("name"), .bytes = json.at("bytes"), .sha256 = json.at("sha256")};
  if (!stays_below(file.name)) throw std::out_of_range("a name that leaves the folder");
  return file;
}

CardStage card_stage(const Json& json) {
  return {.config = json.at("config"),
          .tokens = json.at("tokens"),
          .seconds = json.at("seconds"),
          .begun = json.at("begun"),
          .finished = json.at("finished")};
}

// The first line of a file of git, without the line break; empty where there is no such file.
std::string first_line(const fs::path& path) {
  if (!fs::is_regular_file(path)) return {};
  const std::string text = read_whole_file(path.string());
  return text.substr(0, text.find('\n'));
}

std::string packed_commit(const fs::path& git, const std::string& reference) {
  if (!fs::is_regular_file(git / "packed-refs")) return {};
  const std::string text = read_whole_file((git / "packed-refs").string());
  const size_t at = text.find(" " + reference + "\n");
  if (at == std::string::npos) return {};
  const size_t before = text.rfind('\n', at);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  return text.substr(begin, at - begin);
}

}  // namespace

std::vector<CardFile> describe_files(const std::string& folder, const std::vector<std::string>& names) {
  std::vector<CardFile> files;
  for (const std::string& name : names) {
    if (!stays_below(name)) {
      throw InvalidRequest(text::quoted(name) + " is not a file below the folder of the card; move it there");
    }
    hub::FileDigest digest = hub::digest_file(beside(folder, name));
    files.push_back({.name = name, .bytes = digest.bytes, .sha256 = std::move(digest.sha256)});
  }
  return files;
}

void write_model_card(const std::string& path, const ModelCard& card) {
  Json files = Json::array();
  for (const CardFile& file : card.files) files.push_back(to_json(file));
  Json stages = Json::array();
  for (const CardStage& stage : card.stages) stages.push_back(to_json(stage));
  Json json = {{"name", card.name}, {"commit", card.commit}, {"files", std::move(files)}};
  if (!card.examples.is_null()) json["examples"] = card.examples;
  json["stages"] = std::move(stages);
  write_whole_file(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

ModelCard read_model_card(const std::string& path) {
  const std::string text = read_whole_file(path);
  try {
    const Json json = Json::parse(text);
    ModelCard card{.name = json.at("name"), .commit = json.at("commit")};
    for (const Json& file : json.at("files")) card.files.push_back(card_file(file));
    if (json.contains("examples")) card.examples = json.at("examples");
    for (const Json& stage : json.at("stages")) card.stages.push_back(card_stage(stage));
    return card;
  } catch (const std::exception&) {
    throw BadFile(path + " is not a model card as lanerope-train writes it; restore it from where it came");
  }
}

std::vector<std::string> verify_model_card(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  std::vector<std::string> problems;
  for (const CardFile& file : read_model_card(path).files) {
    const std::string place = beside(folder, file.name);
    if (!fs::is_regular_file(place)) {
      problems.push_back(place + " is missing; restore it");
      continue;
    }
    const hub::FileDigest digest = hub::digest_file(place);
    if (digest.bytes == file.bytes && digest.sha256 == file.sha256) continue;
    problems.push_back(place + " has " + std::to_string(digest.bytes) + " bytes with SHA-256 " +
                       digest.sha256 + ", and its card says " + std::to_string(file.bytes) + " with " +
                       file.sha256 + "; restore the file, or write the card anew if the change was meant");
  }
  return problems;
}

std::string utc_text(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  std::array<char, 64> text;
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

std::string git_commit(const std::string& folder) {
  fs::path place = fs::absolute(folder).lexically_normal();
  while (!fs::is_directory(place / ".git")) {
    if (place == place.parent_path()) return {};
    place = place.parent_path();
  }
  const fs::path git = place / ".git";
  std::string head = first_line(git / "HEAD");
  constexpr std::string_view link = "ref: ";
  if (!head.starts_with(link)) return head;
  const std::string reference = head.substr(link.size());
  const std::string loose = first_line(git / reference);
  return loose.empty() ? packed_commit(git, reference) : loose;
}

}  // namespace lanerope::train
