// SPDX-License-Identifier: Apache-2.0
#include "server/lanes_reply.h"

#include <cmath>

namespace lanerope::server {

AttentionSummary summarise(const AttentionRecord& record) {
  AttentionSummary summary{.n_lanes = record.n_lanes, .rows = record.rows};
  const auto width = static_cast<size_t>(1 + record.n_lanes);
  const size_t heads = static_cast<size_t>(record.n_layer) * static_cast<size_t>(record.n_head);
  summary.shares.assign(width * record.rows.size(), 0.0F);
  for (size_t row = 0; row < record.rows.size(); ++row) {
    for (size_t head = 0; head < heads; ++head) {
      const float* from = &record.shares[(row * heads + head) * width];
      for (size_t k = 0; k < width; ++k)
        summary.shares[row * width + k] += from[k] / static_cast<float>(heads);
    }
  }
  return summary;
}

namespace {

Json votes_json(const std::vector<Vote>& votes) {
  Json list = Json::array();
  for (const Vote& vote : votes) {
    list.push_back({{"answer", vote.answer}, {"count", vote.count}});
    if (vote.weight != vote.count) list.back()["weight"] = finite(vote.weight);
  }
  return list;
}

Json lane_json(const LaneResult& lane, int32_t index, int32_t budget) {
  Json json = {{"index", index},
               {"finish", name(lane.finish)},
               {"answer", nullptr},
               {"answer_from", nullptr},
               {"generated", lane.generated},
               {"used", lane.tokens.size()},
               {"budget", budget},
               {"mean_logprob", finite(lane.mean_logprob)},
               {"start_step", lane.start_step}};
  if (lane.answer) json["answer"] = *lane.answer;
  for (const Sleep& sleep : lane.sleeps)
    json["sleeps"].push_back({{"token", sleep.token}, {"steps", sleep.steps}});
  if (lane.answer_from) json["answer_from"] = name(*lane.answer_from);
  if (lane.certainty) {
    json["self_certainty"] = finite(lane.certainty->self_certainty);
    json["lowest_window"] = finite(lane.certainty->lowest_window);
  }
  if (lane.verifier_score) json["verifier_score"] = finite(*lane.verifier_score);
  return json;
}

Json act_json(const PolicyAct& act) {
  Json json = {{"policy", act.policy}, {"act", name(act.kind)}, {"reason", act.reason}};
  if (act.parent >= 0) json["parent"] = act.parent;
  if (!act.text.empty()) json["text"] = act.text;
  if (!act.refused.empty()) json["refused"] = act.refused;
  return json;
}

Json tool_json(const ToolRun& run) {
  Json json = {{"call", run.number}, {"name", run.tool}, {"arguments", run.arguments}};
  if (run.note) json["note"] = true;
  if (!run.returned) return json;
  json["result"] = run.result;
  json["failed"] = run.failed;
  json["milliseconds"] = finite(run.milliseconds);
  return json;
}

}  // namespace

Json finite(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

Json rounded(float value) {
  return std::isfinite(value) ? std::round(value * 1e4) / 1e4 : 0.0;
}

const char* openai_finish(FinishReason reason) {
  return reason == FinishReason::length ? "length" : "stop";
}

Json coupling_json(const Coupling& coupling) {
  Json json = {{"kind", name(coupling.kind)}};
  if (!sees_other_lanes(coupling.kind)) return json;
  if (coupling.kind == CouplingKind::lanerope) json["init"] = name(coupling.init);
  json["stride"] = coupling.stride;
  json["window"] = coupling.window;
  json["visibility"] = name(coupling.visibility);
  json["sees_from"] = name(coupling.sees_from);
  json["topology"] = name(coupling.topology);
  if (coupling.topology == Topology::blocks) json["block"] = coupling.block;
  if (coupling.far_lanes != FarLanes::extrapolated) {
    json["far_lanes"] = name(coupling.far_lanes);
    json["trained_lanes"] = coupling.trained_lanes;
  }
  return json;
}

Json lanes_reply(const GroupResult& result, const ResolvedRequest& request) {
  Json lanes = Json::array();
  for (size_t m = 0; m < result.lanes.size(); ++m) {
    const bool is_then = static_cast<int32_t>(m) == result.then_lane;
    lanes.push_back(lane_json(result.lanes[m], static_cast<int32_t>(m),
                              is_then ? request.then->n_cells() : request.budget));
  }
  Json json = {{"selected", nullptr},
               {"confidence", finite(result.confidence.value)},
               {"confidence_kind", name(result.confidence.kind)},
               {"select", name(request.selection.kind)},
               {"vote_weight", name(request.selection.weight)},
               {"votes", votes_json(result.votes)},
               {"consensus", result.consensus},
               {"clock", result.clock},
               {"coupling", coupling_json(request.coupling)},
               {"tag", request.tag},
               {"seed", request.seed},
               {"lanes", std::move(lanes)},
               {"prompt_ms", finite(result.prefill_seconds * 1000)},
               {"predicted_ms", finite(result.decode_seconds * 1000)}};
  if (result.selected >= 0) json["selected"] = result.selected;
  if (result.then_lane >= 0) json["then_lane"] = result.then_lane;
  for (const PolicyAct& act : result.acts) {
    Json entry = act_json(act);
    entry["step"] = act.step;
    if (act.lane >= 0) entry["lane"] = act.lane;
    json["acts"].push_back(std::move(entry));
  }
  for (const ToolRun& run : result.tool_runs) {
    Json entry = tool_json(run);
    entry["step"] = run.step;
    entry["lane"] = run.lane;
    json["tool_runs"].push_back(std::move(entry));
  }
  if (!result.note.empty()) json["note"] = result.note;
  return json;
}

Json event_json(const Event& event, const ResolvedRequest& request) {
  Json json = {{"kind", name(event.kind)}, {"step", event.step}};
  if (event.lane >= 0) json["lane"] = event.lane;
  if (event.second_stage) json["second_stage"] = true;
  if (event.kind == EventKind::token) {
    json["token"] = event.token;
    json["forced"] = event.forced;
    if (event.logprob) json["logprob"] = finite(*event.logprob);
    if (!event.top.empty()) {
      Json top = Json::array();
      for (const Alternative& other : event.top) {
        top.push_back({{"token", other.token}, {"logprob", finite(other.logprob)}});
      }
      json["top"] = std::move(top);
    }
  }
  const bool has_text = event.kind == EventKind::token || event.kind == EventKind::lane_started ||
                        event.kind == EventKind::lane_finished;
  if (has_text) json["text"] = event.text;
  if (event.kind == EventKind::lane_finished) json["finish"] = name(event.finish);
  if (event.act) json.update(act_json(*event.act));
  if (event.tool) json.update(tool_json(*event.tool));
  if (event.result) {
    json["finish"] = name(event.finish);
    json["prompt_tokens"] = event.result->prompt_tokens;
    json["cached_tokens"] = event.result->cached_prompt_tokens;
    json["lanes"] = lanes_reply(*event.result, request);
  }
  return json;
}

Json attention_json(const AttentionSummary& summary) {
  Json rows = Json::array();
  const auto width = static_cast<size_t>(1 + summary.n_lanes);
  for (size_t r = 0; r < summary.rows.size(); ++r) {
    Json row = {summary.rows[r].lane, summary.rows[r].step};
    for (size_t k = 0; k < width; ++k) row.push_back(rounded(summary.shares[r * width + k]));
    rows.push_back(std::move(row));
  }
  return {{"kind", "attention"}, {"n_lanes", summary.n_lanes}, {"rows", std::move(rows)}};
}

}  // namespace lanerope::server
