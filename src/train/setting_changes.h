// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lanerope::train {

// A setting that has another value in one configuration than in another.
struct SettingChange {
  std::string key = {};  // as `-s` has it: "omega.stride"
  nlohmann::json before = {};
  nlohmann::json now = {};
};

// All of them, by their keys. Both configurations are as to_json() gives them; a list is one value.
std::vector<SettingChange> setting_changes(const nlohmann::json& before, const nlohmann::json& now);

}  // namespace lanerope::train
