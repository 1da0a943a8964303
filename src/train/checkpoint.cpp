// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <torch/torch.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "lanerope/errors.h"

namespace lanerope::train {

namespace {

using torch::Tensor;

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

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  namespace fs = std::filesystem;
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
