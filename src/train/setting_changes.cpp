// SPDX-License-Identifier: Apache-2.0
#include "train/setting_changes.h"

namespace lanerope::train {

namespace {

using Json = nlohmann::json;

void add_changes(const std::string& prefix, const Json& before, const Json& now,
                 std::vector<SettingChange>& changes) {
  for (const auto& [key, value] : now.items()) {
    const Json& old = before.at(key);
    if (value.is_object() && old.is_object()) {
      add_changes(prefix + key + ".", old, value, changes);
    } else if (old != value) {
      changes.push_back({.key = prefix + key, .before = old, .now = value});
    }
  }
}

}  // namespace

std::vector<SettingChange> setting_changes(const Json& before, const Json& now) {
  std::vector<SettingChange> changes;
  add_changes("", before, now, changes);
  return changes;
}

}  // namespace lanerope::train
