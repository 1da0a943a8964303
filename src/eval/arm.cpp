// SPDX-License-Identifier: Apache-2.0
#include "eval/arm.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lanerope/errors.h"
#include "lanerope/policy.h"
#include "lanerope/tool.h"

namespace lanerope::eval {

namespace {

template <typename Number>
Number parse_number(const std::string& text, const std::string& what) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw InvalidRequest("the arm's " + what + " is \"" + text + "\", which is not a number");
  return value;
}

template <typename Enum>
Enum parse_name(const std::string& text, const std::string& what) {
  const std::optional<Enum> value = parse<Enum>(text);
  if (!value) throw InvalidRequest("the arm's " + what + " is \"" + text + "\"; it is " + list_names<Enum>());
  return *value;
}

// What the names mean by themselves; keys behind them say otherwise.
void apply_preset(Arm& arm) {
  if (arm.name == "independent") arm.coupling.kind = CouplingKind::independent;
  if (arm.name == "lanerope") arm.lanes = 4;
  if (arm.name == "groupthink")
    arm = {.name = arm.name, .lanes = 4, .coupling = {.kind = CouplingKind::groupthink}};
  if (arm.name == "hogwild")
    arm = {.name = arm.name, .lanes = 4, .coupling = {.kind = CouplingKind::hogwild}};
  if (arm.name == "bridge") arm = {.name = arm.name, .lanes = 4, .coupling = {.kind = CouplingKind::bridge}};
  if (arm.name == "beam") arm.beam_width = 4;
  if (arm.name == "closed")
    arm = {.name = arm.name, .lanes = 4, .coupling = {.kind = CouplingKind::independent}};
}

void set(Arm& arm, const std::string& key, const std::string& value) {
  if (key == "n") {
    arm.lanes = parse_number<int32_t>(value, key);
  } else if (key == "total") {
    arm.lanes_total = parse_number<int32_t>(value, key);
  } else if (key == "stride") {
    arm.coupling.stride = parse_number<int32_t>(value, key);
  } else if (key == "width") {
    arm.beam_width = parse_number<int32_t>(value, key);
    if (arm.beam_width < 1) throw InvalidRequest("the arm's width must be at least 1");
  } else if (key == "temp") {
    arm.temperature = parse_number<float>(value, key);
  } else if (key == "tag") {
    arm.tag = value;
  } else if (key == "wait") {
    arm.wait = value;
  } else if (key == "ready") {
    arm.ready = value;
  } else if (key == "then") {
    if (!arm.then) arm.then.emplace();
    arm.then->text = value;
  } else if (key == "then-budget") {
    if (!arm.then) arm.then.emplace();
    arm.then->budget = parse_number<int32_t>(value, key);
  } else if (key == "model") {
    arm.model = value;
  } else if (key == "lora") {
    arm.adapters.push_back({.file = value});
  } else if (key == "policy") {
    arm.policies.push_back(resolve_policy(parse_policy(value)));
  } else if (key == "tool") {
    LaneTools known;
    add_tool(known, value);
    arm.tools.push_back(value);
  } else if (key == "coupling") {
    arm.coupling.kind = parse_name<CouplingKind>(value, key);
  } else if (key == "init") {
    arm.coupling.init = parse_name<OmegaInit>(value, key);
  } else if (key == "visibility") {
    arm.coupling.visibility = parse_name<Visibility>(value, key);
  } else if (key == "topology") {
    arm.coupling.topology = parse_name<Topology>(value, key);
  } else if (key == "prompt-lane") {
    arm.coupling.prompt_lane = parse_name<PromptLane>(value, key);
  } else if (key == "block") {
    arm.coupling.block = parse_number<int32_t>(value, key);
  } else if (key == "far-lanes") {
    arm.coupling.far_lanes = parse_name<FarLanes>(value, key);
  } else if (key == "trained-lanes") {
    arm.coupling.trained_lanes = parse_number<int32_t>(value, key);
  } else if (key == "window") {
    arm.coupling.window = parse_number<int32_t>(value, key);
  } else if (key == "sees-from") {
    arm.coupling.sees_from = parse_name<SeesFrom>(value, key);
  } else {
    throw InvalidRequest(
        "an arm has no \"" + key +
        "\"; it has n, total, coupling, init, stride, visibility, window, sees-from, topology, block, "
        "prompt-lane, far-lanes, trained-lanes, tag, wait, ready, then, then-budget, model, lora, temp, "
        "width, "
        "policy and tool");
  }
}

bool may_repeat(const std::string& key) {
  return key == "lora" || key == "policy" || key == "tool";
}

// Takes the first item off a list with commas between; a comma inside an item is written "\,".
std::string take_item(std::string& rest) {
  std::string item;
  for (size_t at = 0; at < rest.size(); ++at) {
    if (rest[at] == ',') {
      rest.erase(0, at + 1);
      return item;
    }
    if (rest.compare(at, 2, "\\,") == 0) ++at;
    item += rest[at];
  }
  rest.clear();
  return item;
}

// `keys`: those that were given.
void check_beam(const Arm& arm, const std::vector<std::string>& keys) {
  const auto refuse = [&](const std::string& why) {
    throw InvalidRequest("the arm " + arm.name + " is a beam search, " + why);
  };
  if (arm.lanes != 1 || arm.lanes_total > 1) refuse("which is one lane; it has no n and no total");
  if (!arm.policies.empty()) refuse("whose one lane has no policy");
  if (!arm.tools.empty()) refuse("whose one lane calls no tools");
  if (arm.then) refuse("which has no second stage");
  constexpr std::array<std::string_view, 5> used = {"width", "model", "lora", "n", "total"};
  for (const std::string& key : keys) {
    if (std::ranges::find(used, key) != used.end()) continue;
    refuse("which has one lane and draws nothing, and so no use for its " + key + "; leave that out");
  }
}

}  // namespace

Arm parse_arm(std::string_view text) {
  constexpr std::array<std::string_view, 7> known = {"independent", "lanerope", "closed", "groupthink",
                                                     "hogwild",     "bridge",   "beam"};
  const size_t colon = text.find(':');
  Arm arm{.name = std::string(text.substr(0, colon))};
  if (arm.name.empty()) throw InvalidRequest("an arm needs a name, as in independent or mine:n=4");
  if (colon == std::string_view::npos && std::ranges::find(known, text) == known.end()) {
    throw InvalidRequest(
        "there is no arm " + arm.name +
        "; there are independent, lanerope, closed, groupthink, hogwild, bridge and beam, and any name "
        "that is told what to do, as in mine:n=4");
  }
  apply_preset(arm);
  std::string rest = colon == std::string_view::npos ? "" : std::string(text.substr(colon + 1));
  std::vector<std::string> keys;
  while (!rest.empty()) {
    const std::string item = take_item(rest);
    const size_t equals = item.find('=');
    if (equals == std::string::npos)
      throw InvalidRequest("the arm's \"" + item +
                           "\" must have the form key=value; a comma inside a value is written \\,");
    const std::string key = item.substr(0, equals);
    if (std::ranges::find(keys, key) != keys.end() && !may_repeat(key))
      throw InvalidRequest("the arm's " + key + " is said twice; say it once");
    keys.push_back(key);
    set(arm, key, item.substr(equals + 1));
  }
  if (arm.beam_width > 0) check_beam(arm, keys);
  if (arm.lanes < 1) throw InvalidRequest("the arm " + arm.name + " needs at least one lane");
  if (arm.lanes_total != 0 && (arm.lanes_total < arm.lanes || arm.lanes_total % arm.lanes != 0))
    throw InvalidRequest("the arm " + arm.name + " needs a total that is a multiple of its n");
  return arm;
}

}  // namespace lanerope::eval
