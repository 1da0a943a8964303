// SPDX-License-Identifier: Apache-2.0
#include "cli/event_json.h"

#include <cmath>

namespace lanerope::cli {

namespace {

// JSON has no infinities, and a banned token's log-probability is one.
nlohmann::ordered_json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

nlohmann::ordered_json act_json(const PolicyAct& act) {
  nlohmann::ordered_json json = {{"policy", act.policy}, {"act", name(act.kind)}};
  if (act.parent >= 0) json["parent"] = act.parent;
  if (!act.text.empty()) json["text"] = act.text;
  json["reason"] = act.reason;
  if (!act.refused.empty()) json["refused"] = act.refused;
  return json;
}

}  // namespace

nlohmann::ordered_json to_json(const GroupResult& result) {
  nlohmann::ordered_json lanes = nlohmann::ordered_json::array();
  for (const LaneResult& lane : result.lanes) {
    nlohmann::ordered_json entry = {{"text", lane.text},
                                    {"tokens", lane.tokens},
                                    {"finish", name(lane.finish)},
                                    {"answer", nullptr},
                                    {"answer_from", nullptr},
                                    {"generated", lane.generated},
                                    {"mean_logprob", number(lane.mean_logprob)},
                                    {"start_step", lane.start_step}};
    if (lane.answer) entry["answer"] = *lane.answer;
    for (const Sleep& sleep : lane.sleeps)
      entry["sleeps"].push_back({{"token", sleep.token}, {"steps", sleep.steps}});
    if (lane.answer_from) entry["answer_from"] = name(*lane.answer_from);
    if (lane.certainty) {
      entry["self_certainty"] = number(lane.certainty->self_certainty);
      entry["lowest_window"] = number(lane.certainty->lowest_window);
    }
    if (lane.verifier_score) entry["verifier_score"] = number(*lane.verifier_score);
    lanes.push_back(std::move(entry));
  }
  nlohmann::ordered_json votes = nlohmann::ordered_json::array();
  for (const Vote& vote : result.votes) {
    votes.push_back({{"answer", vote.answer}, {"count", vote.count}});
    if (vote.weight != vote.count) votes.back()["weight"] = number(vote.weight);
  }
  nlohmann::ordered_json json = {{"selected", nullptr},
                                 {"confidence", number(result.confidence.value)},
                                 {"confidence_kind", name(result.confidence.kind)},
                                 {"votes", std::move(votes)},
                                 {"consensus", result.consensus},
                                 {"lanes", std::move(lanes)},
                                 {"prompt_tokens", result.prompt_tokens},
                                 {"cached_prompt_tokens", result.cached_prompt_tokens},
                                 {"clock", result.clock},
                                 {"prefill_seconds", result.prefill_seconds},
                                 {"decode_seconds", result.decode_seconds}};
  if (result.selected >= 0) json["selected"] = result.selected;
  if (result.then_lane >= 0) json["then_lane"] = result.then_lane;
  for (const PolicyAct& act : result.acts) {
    nlohmann::ordered_json entry = {{"step", act.step}};
    if (act.lane >= 0) entry["lane"] = act.lane;
    entry.update(act_json(act));
    json["acts"].push_back(std::move(entry));
  }
  if (!result.note.empty()) json["note"] = result.note;
  return json;
}

nlohmann::ordered_json to_json(const Event& event) {
  nlohmann::ordered_json json = {{"kind", name(event.kind)}, {"group", event.group}, {"step", event.step}};
  if (event.lane >= 0) json["lane"] = event.lane;
  if (event.second_stage) json["second_stage"] = true;
  if (event.kind == EventKind::token) {
    json["token"] = event.token;
    json["text"] = event.text;
    json["forced"] = event.forced;
    if (event.logprob) json["logprob"] = number(*event.logprob);
    if (!event.top.empty()) {
      nlohmann::ordered_json top = nlohmann::ordered_json::array();
      for (const Alternative& other : event.top) {
        top.push_back({{"token", other.token}, {"logprob", number(other.logprob)}});
      }
      json["top"] = std::move(top);
    }
  } else if (event.kind == EventKind::lane_finished) {
    if (!event.text.empty()) json["text"] = event.text;
    json["finish"] = name(event.finish);
  }
  if (event.act) json.update(act_json(*event.act));
  if (event.result) json["result"] = to_json(*event.result);
  return json;
}

}  // namespace lanerope::cli
