// SPDX-License-Identifier: Apache-2.0
#include "data/trace_file.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "lanerope/errors.h"

namespace lanerope::data {

namespace {

using Json = nlohmann::ordered_json;

// Reads one line's fields; `where` starts the messages.
class TraceFields {
 public:
  TraceFields(const std::string& line, std::string where)
      : json_(Json::parse(line, nullptr, false)), where_(std::move(where)) {
    if (!json_.is_object()) refuse("is not a JSON object in UTF-8; each line must be one trace");
  }

  Trace read() const {
    Trace trace = {.question = question(), .answer = answer()};
    read_lanes(trace);
    trace.labels = lane_flags("labels", trace.lanes.size());
    trace.ended = lane_flags("ended", trace.lanes.size());
    read_second_stage(trace);
    read_other(trace);
    return trace;
  }

 private:
  std::string question() const {
    const auto found = json_.find("question");
    if (found == json_.end() || !found->is_string()) refuse("has no \"question\"; give it as a text");
    return found->get<std::string>();
  }

  std::string answer() const {
    const auto found = json_.find("answer");
    if (found != json_.end() && found->is_number_integer()) return found->dump();
    if (found == json_.end() || !found->is_string()) refuse("has no \"answer\"; give it as a text");
    return found->get<std::string>();
  }

  void read_lanes(Trace& trace) const {
    const auto found = json_.find("lanes");
    if (found == json_.end()) return;
    if (!found->is_array()) refuse("has \"lanes\" that are not an array of texts");
    for (const Json& lane : *found) {
      if (!lane.is_string()) refuse("has \"lanes\" that are not an array of texts");
      trace.lanes.push_back(lane.get<std::string>());
    }
  }

  // One truth a lane, or nothing.
  std::vector<bool> lane_flags(const std::string& name, size_t n_lanes) const {
    std::vector<bool> flags;
    const auto found = json_.find(name);
    if (found == json_.end()) return flags;
    const std::string fault = "has \"" + name + "\" that are not an array with one true or false a lane";
    if (!found->is_array() || found->size() != n_lanes) refuse(fault);
    for (const Json& flag : *found) {
      if (!flag.is_boolean()) refuse(fault);
      flags.push_back(flag.get<bool>());
    }
    return flags;
  }

  void read_second_stage(Trace& trace) const {
    const auto found = json_.find("second_stage");
    if (found == json_.end()) return;
    const auto text = [&](const char* key) {
      const auto at = found->find(key);
      if (at == found->end() || !at->is_string())
        refuse("has a \"second_stage\" that is not an object with the texts \"told\" and \"written\"");
      return at->get<std::string>();
    };
    if (!found->is_object() || trace.lanes.empty())
      refuse("has a \"second_stage\" that is no object, or no \"lanes\" for it to read");
    trace.second_stage = SecondStageTrace{.told = text("told"), .written = text("written")};
  }

  void read_other(Trace& trace) const {
    constexpr std::array<std::string_view, 6> known = {"question", "answer", "lanes",
                                                       "labels",   "ended",  "second_stage"};
    for (const auto& [key, value] : json_.items()) {
      if (std::ranges::find(known, key) == known.end())
        trace.other.push_back({.key = key, .json = value.dump()});
    }
  }

  [[noreturn]] void refuse(const std::string& what) const { throw BadFile(where_ + " " + what); }

  Json json_;
  std::string where_;
};

}  // namespace

std::string trace_line(const Trace& trace) {
  Json json = {{"question", trace.question}, {"answer", trace.answer}};
  if (!trace.lanes.empty()) json["lanes"] = trace.lanes;
  if (trace.second_stage)
    json["second_stage"] = {{"told", trace.second_stage->told}, {"written", trace.second_stage->written}};
  for (const OtherKey& other : trace.other) json[other.key] = Json::parse(other.json);
  if (!trace.labels.empty()) json["labels"] = trace.labels;
  if (!trace.ended.empty()) json["ended"] = trace.ended;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Trace> TraceReader::next() {
  std::string line;
  while (std::getline(lines_, line)) {
    ++line_;
    if (line.find_first_not_of(" \t\r") != std::string::npos) return TraceFields(line, where()).read();
  }
  if (lines_.bad()) throw SystemError(where() + " cannot be read to its end; check the disk it lies on");
  return std::nullopt;
}

std::string TraceReader::where() const {
  return name_ + ", line " + std::to_string(line_);
}

}  // namespace lanerope::data
