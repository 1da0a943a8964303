// SPDX-License-Identifier: Apache-2.0
#include "cli/card_examples.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace lanerope::cli {

std::vector<server::Example> card_examples(const std::string& file) {
  using Json = nlohmann::json;
  const std::filesystem::path path(file);
  std::ifstream stream(path.parent_path() / "model.json");
  if (!stream) return {};
  std::vector<server::Example> examples;
  try {
    const Json card = Json::parse(stream);
    const bool named = std::ranges::any_of(
        card.at("files"), [&](const Json& entry) { return entry.at("name") == path.filename().string(); });
    if (!named || !card.contains("examples")) return {};
    for (const Json& example : card.at("examples")) {
      examples.push_back(
          {.name = example.at("name"), .prompt = example.at("prompt"), .budget = example.at("budget")});
    }
  } catch (const Json::exception&) {
    return {};  // another program's model.json
  }
  return examples;
}

}  // namespace lanerope::cli
