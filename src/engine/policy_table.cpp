// SPDX-License-Identifier: Apache-2.0
#include "engine/policy_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/policies/adaptive.h"
#include "engine/policies/budget.h"
#include "engine/policies/conductor.h"
#include "engine/policies/consensus.h"
#include "engine/policies/finish.h"
#include "engine/policies/fork_on_doubt.h"
#include "engine/policies/nudge.h"
#include "engine/policies/prune.h"
#include "engine/policies/refill.h"
#include "lanerope/errors.h"

namespace lanerope {

namespace {

using engine::PolicySettings;

constexpr double most_tokens = 1 << 24;
constexpr double most_lanes = 1024;

struct Row {
  PolicyInfo info;
  std::unique_ptr<Policy> (*make)(const PolicySettings& settings, const ResolvedRequest& request);
  bool adds_lanes = false;  // as many as its setting `most` says
};

template <typename Made>
std::unique_ptr<Policy> make(const PolicySettings& settings, const ResolvedRequest& request) {
  return std::make_unique<Made>(settings, request);
}

// The one table.
const std::vector<Row>& rows() {
  using enum SettingKind;
  static const std::vector<Row> all = {
      {{"consensus",
        "end the group once enough lanes have given the same answer",
        {{"lanes", whole, "0", 0, most_lanes, "so many of them; 0: more than half of the lanes"}}},
       make<engine::Consensus>},
      {{"budget",
        "end the group once all of its lanes together hold so many tokens",
        {{"tokens", whole, "", 1, most_tokens, "the purse; forced tokens count too"}}},
       make<engine::Budget>},
      {{"prune",
        "retire a lane that has become less sure of itself than the others",
        {{"window", whole, "64", 1, most_tokens, "drawn tokens over which confidence is averaged"},
         {"ratio", number, "0.8", 0, 1, "retire below this share of the other lanes' mean"},
         {"keep", whole, "2", 1, most_lanes, "lanes that go on writing in any case"}}},
       make<engine::Prune>},
      {{"finish",
        "lead a lane that is about to run out of tokens to its answer",
        {{"at", whole, "48", 1, most_tokens, "tokens that it has left then, the text included"},
         {"text", text, "", 0, 0, "what it is given; empty: by the form that the prompt asks answers in"}}},
       make<engine::Finish>},
      {{"fork-on-doubt",
        "where the likeliest lane wavers between two tokens, add a lane that takes the other one",
        {{"gap", number, "0.1", 0, 1, "two tokens are near whose probabilities differ by at most this"},
         {"apart", whole, "32", 0, most_tokens, "steps before the first fork and between two"},
         {"most", whole, "2", 1, most_lanes, "forks in all"}}},
       make<engine::ForkOnDoubt>,
       true},
      {{"refill",
        "replace a lane that ended with another answer than most by a fork of the likeliest lane that writes",
        {{"votes", whole, "2", 1, most_lanes, "lanes that have agreed on the answer it deviates from"},
         {"most", whole, "2", 1, most_lanes, "forks in all"}}},
       make<engine::Refill>,
       true},
      {{"adaptive",
        "begin with the lanes asked for, and add others only while no answer has enough votes",
        {{"votes", whole, "2", 1, most_lanes,
          "lanes with the same answer that are enough; they end the group"},
         {"wave", whole, "2", 1, most_lanes, "lanes that are added at a time, when all others have ended"},
         {"most", whole, "6", 1, most_lanes, "lanes added in all"}}},
       make<engine::Adaptive>,
       true},
      {{"conductor",
        "push the lines \"@3: text\" of one lane to the lane that they name",
        {{"lane", whole, "1", 1, most_lanes, "the lane that conducts, from 1"}}},
       make<engine::Conductor>},
      {{"nudge",
        "give each lane a text every so many tokens, such as the question whether it does what others do",
        {{"every", whole, "256", 1, most_tokens, "tokens that it draws before the first and between two"},
         {"text", text, "", 0, 0, "what it is given; empty: Hogwild!'s question for redundant work"}}},
       make<engine::Nudge>},
  };
  return all;
}

const Row& row_of(const PolicyChoice& choice) {
  const auto found = std::ranges::find(rows(), choice.name, [](const Row& row) { return row.info.name; });
  if (found != rows().end()) return *found;
  std::string names;
  for (const Row& row : rows()) names += (names.empty() ? "" : ", ") + std::string(row.info.name);
  throw InvalidRequest("there is no policy \"" + choice.name + "\"; there are " + names);
}

std::optional<double> to_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string shown(double number) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, number);
  return {buffer, end};
}

void check(const PolicyInfo& policy, const PolicySetting& setting, const std::string& value) {
  if (setting.kind == SettingKind::text) return;
  const std::string of = std::string(setting.name) + " of the policy " + std::string(policy.name);
  const std::string what = setting.kind == SettingKind::whole ? "a whole number" : "a number";
  const std::string range = what + " from " + shown(setting.least) + " to " + shown(setting.most);
  if (value.empty()) throw InvalidRequest(of + " must be given; it is " + range);
  const std::optional<double> number = to_number(value);
  const bool whole = setting.kind != SettingKind::whole || (number && *number == std::floor(*number));
  if (!number || !whole || *number < setting.least || *number > setting.most)
    throw InvalidRequest(of + " is \"" + value + "\"; it must be " + range);
}

std::string setting_names(const PolicyInfo& policy) {
  std::string names;
  for (const PolicySetting& setting : policy.settings)
    names += (names.empty() ? "" : ", ") + std::string(setting.name);
  return names;
}

void check_names(const PolicyInfo& info, const PolicyChoice& choice) {
  for (auto given = choice.settings.begin(); given != choice.settings.end(); ++given) {
    if (std::ranges::find(info.settings, given->name, &PolicySetting::name) == info.settings.end())
      throw InvalidRequest("the policy " + choice.name + " has no \"" + given->name + "\"; it has " +
                           setting_names(info));
    if (std::find_if(choice.settings.begin(), given,
                     [&](const PolicyValue& other) { return other.name == given->name; }) != given)
      throw InvalidRequest("the policy " + choice.name + " is told its " + given->name + " twice");
  }
}

}  // namespace

std::span<const PolicyInfo> policies() {
  static const std::vector<PolicyInfo> all = [] {
    std::vector<PolicyInfo> infos;
    for (const Row& row : rows()) infos.push_back(row.info);
    return infos;
  }();
  return all;
}

PolicyChoice resolve_policy(const PolicyChoice& choice) {
  if (choice.make) {
    if (choice.name.empty())
      throw InvalidRequest("a policy of one's own needs a name, which its acts are told by");
    return choice;
  }
  const PolicyInfo& info = row_of(choice).info;
  check_names(info, choice);
  PolicyChoice resolved{.name = choice.name};
  for (const PolicySetting& setting : info.settings) {
    const auto given = std::ranges::find(choice.settings, setting.name, &PolicyValue::name);
    const bool is_given = given != choice.settings.end();
    resolved.settings.push_back(
        {.name = std::string(setting.name), .value = is_given ? given->value : std::string(setting.usual)});
    check(info, setting, resolved.settings.back().value);
  }
  return resolved;
}

namespace engine {

double PolicySettings::number(std::string_view name) const {
  return to_number(text(name)).value();
}

const std::string& PolicySettings::text(std::string_view name) const {
  return std::ranges::find(choice_.settings, name, &PolicyValue::name)->value;
}

int32_t lanes_added_by(const PolicyChoice& resolved) {
  if (resolved.make || !row_of(resolved).adds_lanes) return 0;
  return PolicySettings(resolved).whole("most");
}

std::unique_ptr<Policy> make_policy(const PolicyChoice& resolved, const ResolvedRequest& request) {
  if (resolved.make) return resolved.make(request);
  return row_of(resolved).make(PolicySettings(resolved), request);
}

}  // namespace engine

}  // namespace lanerope
