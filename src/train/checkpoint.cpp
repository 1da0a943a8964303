// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "lanerope/errors.h"
#include "train/setting_changes.h"

namespace lanerope::train {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using torch::Tensor;

// What may be another when a run goes on: how long it is (the rate then follows the new length), what it runs
// on and what it tells, not what it learns from.
constexpr std::array<std::string_view, 11> free_settings = {
    "steps", "threads", "device", "recompute_above", "dev", "dev_groups", "dev_every", "checkpoint_every",
    "out",   "run",     "name"};

void put(torch::serialize::OutputArchive& archive, const std::string& prefix,
         const std::map<std::string, Tensor>& tensors) {
  std::string names;
  for (const auto& [name, tensor] : tensors) {
    // Names in an archive are attributes of a module and have no dots.
    archive.write(prefix + std::to_string(std::ranges::count(names, '\n')), tensor.detach().cpu());
    names += name + "\n";
  }
  archive.write(prefix + "names", c10::IValue(names));
}

std::map<std::string, Tensor> take(torch::serialize::InputArchive& archive, const std::string& prefix) {
  c10::IValue names;
  archive.read(prefix + "names", names);
  std::istringstream lines(names.toStringRef());
  std::map<std::string, Tensor> tensors;
  size_t number = 0;
  for (std::string name; std::getline(lines, name); ++number)
    archive.read(prefix + std::to_string(number), tensors[name]);
  return tensors;
}

// Runs move with their files: another path is no change where both lead to one file, or where nothing is left
// at the old one and the name is the same.
void equate_file(Json& before, const Json& now) {
  const fs::path old = before.get<std::string>();
  const fs::path path = now.get<std::string>();
  std::error_code error;
  const bool same =
      fs::exists(old, error) ? fs::equivalent(old, path, error) : old.filename() == path.filename();
  if (same) before = now;
}

void equate_files(Json& before, const Json& now) {
  for (const char* key : {"vocabulary", "base", "adapter"}) equate_file(before.at(key), now.at(key));
  Json& old = before.at("data");
  const Json& data = now.at("data");
  for (size_t i = 0; i < std::min(old.size(), data.size()); ++i)
    equate_file(old.at(i).at("file"), data.at(i).at("file"));
}

// The first setting that must not change and did.
std::optional<SettingChange> forbidden_change(const std::string& text, const TrainConfig& config) {
  Json before = to_json(TrainConfig());  // what a checkpoint does not know is as by default
  before.merge_patch(Json::parse(text));
  const Json now = to_json(config);
  equate_files(before, now);
  for (SettingChange& change : setting_changes(before, now)) {
    if (std::ranges::find(free_settings, change.key) == free_settings.end()) return std::move(change);
  }
  return std::nullopt;
}

}  // namespace

void check_goes_on(const Checkpoint& checkpoint, const TrainConfig& config) {
  const std::string folder = config.run_folder();
  const std::string other_run = "name another out or run, or delete " + folder;
  try {
    if (const auto change = forbidden_change(checkpoint.config, config)) {
      throw InvalidRequest("the checkpoint in " + folder + " was made with " + change->key + " " +
                           change->before.dump() + ", and the configuration has " + change->now.dump() +
                           "; set it back, " + other_run);
    }
  } catch (const Json::exception&) {
    throw BadFile("the checkpoint in " + folder + " is none of this version; delete it to start again");
  }
  if (checkpoint.step > config.steps) {
    throw InvalidRequest("the checkpoint in " + folder + " has " + std::to_string(checkpoint.step) +
                         " steps behind it, and the configuration's steps are " +
                         std::to_string(config.steps) + "; set more, " + other_run);
  }
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  const nlohmann::json facts = {
      {"step", checkpoint.step},     {"tokens", checkpoint.tokens},           {"seconds", checkpoint.seconds},
      {"config", checkpoint.config}, {"source", checkpoint.source.to_json()}, {"lanes", checkpoint.lanes}};
  torch::serialize::OutputArchive archive;
  archive.write("facts", c10::IValue(facts.dump()));
  put(archive, "parameter", checkpoint.parameters);
  put(archive, "optimizer", checkpoint.optimizer);
  const std::string partial = path + ".part";
  try {
    archive.save_to(partial);
    fs::rename(partial, path);
  } catch (const c10::Error&) {
    throw SystemError("cannot write the checkpoint " + path + "; check the disk");
  } catch (const fs::filesystem_error&) {
    throw SystemError("cannot write the checkpoint " + path + "; check the disk");
  }
}

std::optional<Checkpoint> read_checkpoint(const std::string& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(path);
    c10::IValue text;
    archive.read("facts", text);
    const auto facts = nlohmann::json::parse(text.toStringRef());
    return Checkpoint{.step = facts.at("step").get<int64_t>(),
                      .tokens = facts.at("tokens").get<int64_t>(),
                      .seconds = facts.at("seconds").get<double>(),
                      .config = facts.at("config").get<std::string>(),
                      .source = GroupSourceState::from_json(facts.at("source")),
                      .lanes = facts.value("lanes", std::vector<int32_t>()),
                      .parameters = take(archive, "parameter"),
                      .optimizer = take(archive, "optimizer")};
  } catch (const c10::Error&) {
    throw BadFile(path + " is no checkpoint of lanerope-train, or damaged; delete it to start again");
  } catch (const nlohmann::json::exception&) {
    throw BadFile(path + " is no checkpoint of this version; delete it to start again");
  }
}

}  // namespace lanerope::train
