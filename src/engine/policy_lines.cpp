// SPDX-License-Identifier: Apache-2.0
#include "engine/policy_lines.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "lanerope/errors.h"
#include "lanerope/model.h"

namespace lanerope::engine {

namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// JSON has no infinities.
Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

Json drawn_json(const DrawnToken& drawn) {
  return {{"token", drawn.token},
          {"logprob", number(drawn.logprob)},
          {"likeliest", {{"token", drawn.likeliest.token}, {"logprob", number(drawn.likeliest.logprob)}}},
          {"second", {{"token", drawn.second.token}, {"logprob", number(drawn.second.logprob)}}},
          {"entropy", number(drawn.entropy)},
          {"confidence", number(drawn.confidence)}};
}

Json lane_json(const GroupStatus& group, int32_t index, size_t& shown) {
  const LaneStatus lane = group.lane(index);
  // The text of a lane can only have grown.
  const std::string text(lane.text.substr(std::min(shown, lane.text.size())));
  shown = lane.text.size();
  const std::optional<std::string> answer = group.answer(index);
  Json json = {{"lane", index},
               {"text", text},
               {"finish", lane.live() ? Json() : Json(name(lane.finish))},
               {"answer", answer ? Json(*answer) : Json()},
               {"tokens", lane.tokens},
               {"generated", lane.generated},
               {"left", lane.left},
               {"forced", lane.forced},
               {"start_step", lane.start_step},
               {"mean_logprob", number(lane.mean_logprob)}};
  if (lane.drawn) json["drawn"] = drawn_json(*lane.drawn);
  return json;
}

// The keys that an act of a kind has beside "act" and "reason".
std::vector<std::string_view> keys_of(ActKind kind) {
  switch (kind) {
    case ActKind::retire:
      return {"lane"};
    case ActKind::push:
      return {"lane", "text"};
    case ActKind::fork:
      return {"lane", "step", "text"};
    case ActKind::spawn:
      return {"text"};
    case ActKind::end:
      break;
  }
  return {};
}

int32_t whole(const Json& act, const char* key) {
  const Json& value = act.at(key);
  if (!value.is_number_integer() || value.get<int64_t>() < 0 || value.get<int64_t>() > (1 << 24))
    throw InvalidRequest(std::string("an act whose \"") + key + "\" is no whole number from 0");
  return value.get<int32_t>();
}

std::string text_of(const Json& act, const char* key) {
  if (!act.contains(key)) return {};
  if (!act.at(key).is_string())
    throw InvalidRequest(std::string("an act whose \"") + key + "\" is no string");
  return act.at(key).get<std::string>();
}

AskedAct read_act(const Json& json) {
  if (!json.is_object()) throw InvalidRequest("an act that is no object");
  const std::string word = text_of(json, "act");
  const std::optional<ActKind> kind = parse<ActKind>(word);
  if (!kind) throw InvalidRequest("the act \"" + word + "\"; an act is " + list_names<ActKind>());
  const std::vector<std::string_view> keys = keys_of(*kind);
  for (const auto& [key, value] : json.items()) {
    if (key != "act" && key != "reason" && std::ranges::find(keys, key) == keys.end())
      throw InvalidRequest("the key \"" + key + "\", which the act " + word + " does not have");
  }
  const bool of_lane = std::ranges::find(keys, "lane") != keys.end();
  if (of_lane && !json.contains("lane")) throw InvalidRequest("the act " + word + " without its lane");
  AskedAct asked{.act = {.kind = *kind, .text = text_of(json, "text"), .reason = text_of(json, "reason")}};
  if (*kind == ActKind::fork) {
    asked.act.parent = whole(json, "lane");
    if (json.contains("step")) asked.fork_step = whole(json, "step");
  } else if (of_lane) {
    asked.act.lane = whole(json, "lane");
  }
  if (*kind == ActKind::push && asked.act.text.empty()) throw InvalidRequest("the act push without its text");
  return asked;
}

}  // namespace

std::string start_line(const ResolvedRequest& request) {
  return line_of({{"kind", "start"},
                  {"prompt", request.model->decode(request.prompt)},
                  {"lanes", request.n_lanes()},
                  {"reserved", request.reserved_lanes},
                  {"budget", request.budget},
                  {"coupling", name(request.coupling.kind)},
                  {"seed", request.seed}});
}

std::string step_line(const GroupStatus& group, std::vector<size_t>& shown,
                      const std::vector<PolicyAct>& refused) {
  shown.resize(static_cast<size_t>(group.n_lanes()), 0);
  Json lanes = Json::array();
  for (int32_t m = 0; m < group.n_lanes(); ++m) lanes.push_back(lane_json(group, m, shown[m]));
  Json votes = Json::array();
  for (const Vote& vote : group.votes()) votes.push_back({{"answer", vote.answer}, {"count", vote.count}});
  Json json = {{"kind", "step"}, {"clock", group.clock()}, {"lanes", lanes}, {"votes", votes}};
  for (const PolicyAct& act : refused)
    json["refused"].push_back({{"act", name(act.kind)}, {"lane", act.lane}, {"why", act.refused}});
  return line_of(json);
}

std::vector<AskedAct> read_acts(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_array()) throw InvalidRequest("a line that is no JSON list of acts");
  std::vector<AskedAct> acts;
  for (const Json& act : json) acts.push_back(read_act(act));
  return acts;
}

}  // namespace lanerope::engine
