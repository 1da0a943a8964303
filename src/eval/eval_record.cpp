// SPDX-License-Identifier: Apache-2.0
#include "eval/eval_record.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace lanerope {

using Json = nlohmann::ordered_json;

std::string to_line(const EvalRecord& record) {
  Json lanes = Json::array();
  for (const EvalLane& lane : record.lanes) {
    Json json = {{"text", lane.text},
                 {"answer", nullptr},
                 {"ended", lane.ended},
                 {"length", lane.length},
                 {"mean_logprob", lane.mean_logprob}};
    if (lane.answer) json["answer"] = *lane.answer;
    lanes.push_back(std::move(json));
  }
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
    for (const Json& item : json.at("lanes")) {
      EvalLane lane{.text = item.at("text").get<std::string>(),
                    .ended = item.at("ended").get<bool>(),
                    .length = item.at("length").get<int32_t>(),
                    .mean_logprob = item.at("mean_logprob").get<double>()};
      if (!item.at("answer").is_null()) lane.answer = item.at("answer").get<std::string>();
      record.lanes.push_back(std::move(lane));
    }
    return record;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::vector<EvalRecord> read_records(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::vector<EvalRecord> records;
  for (std::string line; std::getline(stream, line);) {
    if (auto record = parse_record(line)) records.push_back(std::move(*record));
  }
  return records;
}

}  // namespace lanerope
