// SPDX-License-Identifier: Apache-2.0
#include "eval/eval_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/lane_view.h"

namespace lanerope::eval {

using Json = nlohmann::ordered_json;

namespace {

Json lane_json(const EvalLane& lane) {
  Json json = {{"text", lane.text},
               {"answer", nullptr},
               {"ended", lane.ended},
               {"length", lane.length},
               {"mean_logprob", lane.mean_logprob},
               {"settled", Json::array()}};
  if (lane.start_step > 0) json["start_step"] = lane.start_step;
  if (lane.counted_from > 0) json["counted_from"] = lane.counted_from;
  if (lane.read_tokens > 0) json["read_tokens"] = lane.read_tokens;
  for (const Sleep& sleep : lane.sleeps) json["sleeps"].push_back({sleep.token, sleep.steps});
  if (lane.answer) json["answer"] = *lane.answer;
  if (lane.answer_from) json["answer_from"] = name(*lane.answer_from);
  if (lane.certainty) {
    json["self_certainty"] = lane.certainty->self_certainty;
    json["lowest_window"] = lane.certainty->lowest_window;
  }
  if (lane.verifier_score) json["verifier_score"] = *lane.verifier_score;
  if (lane.passed) json["passed"] = *lane.passed;
  for (const SettledAnswer& settled : lane.settled)
    json["settled"].push_back({settled.length, settled.answer});
  return json;
}

// Nothing where it is missing, or was no finite number when it was written.
std::optional<double> number_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

EvalLane lane_of(const Json& json) {
  EvalLane lane{.text = json.at("text").get<std::string>(),
                .ended = json.at("ended").get<bool>(),
                .length = json.at("length").get<int32_t>(),
                .start_step = json.value("start_step", 0),
                .counted_from = json.value("counted_from", 0),
                .read_tokens = json.value("read_tokens", 0),
                .mean_logprob = json.at("mean_logprob").get<double>()};
  if (!json.at("answer").is_null()) lane.answer = json.at("answer").get<std::string>();
  if (json.contains("answer_from"))
    lane.answer_from = parse<AnswerFrom>(json["answer_from"].get<std::string>());
  const std::optional<double> self_certainty = number_of(json, "self_certainty");
  const std::optional<double> lowest_window = number_of(json, "lowest_window");
  if (self_certainty && lowest_window)
    lane.certainty = {.self_certainty = *self_certainty, .lowest_window = *lowest_window};
  lane.verifier_score = number_of(json, "verifier_score");
  if (json.contains("passed")) lane.passed = json["passed"].get<bool>();
  for (const Json& item : json.value("sleeps", Json::array()))
    lane.sleeps.push_back({.token = item.at(0).get<int32_t>(), .steps = item.at(1).get<int32_t>()});
  for (const Json& item : json.at("settled")) {
    lane.settled.push_back({.length = item.at(0).get<int32_t>(), .answer = item.at(1).get<std::string>()});
  }
  return lane;
}

}  // namespace

int32_t EvalLane::tokens_within(int32_t budget) const {
  return read_tokens +
         core::cells_before(
             {.segment = {.length = length - start_step}, .start_step = start_step, .sleeps = sleeps},
             std::min(length, end_of(budget)));
}

std::string to_line(const EvalRecord& record) {
  Json lanes = Json::array();
  for (const EvalLane& lane : record.lanes) lanes.push_back(lane_json(lane));
  const Json json = {{"arm", record.arm},         {"question", record.question}, {"group", record.group},
                     {"seconds", record.seconds}, {"steps", record.steps},       {"lanes", lanes}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<EvalRecord> parse_record(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    EvalRecord record{.arm = json.at("arm").get<std::string>(),
                      .question = json.at("question").get<int64_t>(),
                      .group = json.at("group").get<int32_t>(),
                      .seconds = json.at("seconds").get<double>(),
                      .steps = json.at("steps").get<int32_t>()};
    for (const Json& item : json.at("lanes")) record.lanes.push_back(lane_of(item));
    if (record.question < 0 || record.group < 0 || record.lanes.empty()) return std::nullopt;
    return record;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace lanerope::eval
