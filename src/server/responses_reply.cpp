// SPDX-License-Identifier: Apache-2.0
#include "server/responses_reply.h"

#include <algorithm>
#include <utility>

#include "lanerope/service.h"
#include "server/lanes_reply.h"
#include "server/reply.h"

namespace lanerope::server {

ResponsesReply::ResponsesReply(ReplyContext context, Json body)
    : context_(std::move(context)), body_(std::move(body)), id_(new_public_id("resp_")) {}

ResponsesReply::Lane& ResponsesReply::lane_of(int32_t index) {
  while (lanes_.size() <= static_cast<size_t>(index))
    lanes_.push_back({.reader = AnswerReader(*context_.api, *context_.groups.front())});
  return lanes_[static_cast<size_t>(index)];
}

void ResponsesReply::event(const char* type, const Json& fields) {
  Json json = {{"type", type}, {"sequence_number", sequence_++}};
  json.update(fields);
  text_ += sse(type, json);
}

Json ResponsesReply::part_json() const {
  return {
      {"type", "output_text"}, {"text", said_}, {"annotations", Json::array()}, {"logprobs", Json::array()}};
}

Json ResponsesReply::item_json(bool complete) const {
  if (item_ == Item::reasoning) {
    Json json = {{"id", item_id_}, {"type", "reasoning"}, {"summary", Json::array()}};
    json["content"] = Json::array();
    if (complete) json["content"].push_back({{"type", "reasoning_text"}, {"text", said_}});
    json["status"] = complete ? "completed" : "in_progress";
    return json;
  }
  const char* done = status() == std::string_view("incomplete") ? "incomplete" : "completed";
  Json json = {{"id", item_id_},
               {"type", "message"},
               {"role", "assistant"},
               {"status", complete ? done : "in_progress"},
               {"content", Json::array()}};
  if (complete) json["content"].push_back(part_json());
  return json;
}

void ResponsesReply::open(Item item) {
  item_ = item;
  ++index_;
  item_id_ = new_public_id(item == Item::reasoning ? "rs_" : "msg_");
  said_.clear();
  event("response.output_item.added", {{"output_index", index_}, {"item", item_json(false)}});
  if (item != Item::message) return;
  event("response.content_part.added",
        {{"item_id", item_id_}, {"output_index", index_}, {"content_index", 0}, {"part", part_json()}});
}

void ResponsesReply::close_item() {
  if (item_ == Item::none) return;
  const bool thinks = item_ == Item::reasoning;
  const Json place = {{"item_id", item_id_}, {"output_index", index_}, {"content_index", 0}};
  Json done = place;
  done["text"] = said_;
  if (!thinks) done["logprobs"] = Json::array();
  event(thinks ? "response.reasoning_text.done" : "response.output_text.done", done);
  if (!thinks) {
    Json part = place;
    part["part"] = part_json();
    event("response.content_part.done", part);
  }
  output_.push_back(item_json(true));
  event("response.output_item.done", {{"output_index", index_}, {"item", output_.back()}});
  item_ = Item::none;
}

void ResponsesReply::say(Item item, const std::string& text) {
  if (text.empty()) return;
  if (item_ != item) {
    close_item();
    open(item);
  }
  const bool thinks = item == Item::reasoning;
  said_ += text;
  Json delta = {{"item_id", item_id_}, {"output_index", index_}, {"content_index", 0}, {"delta", text}};
  if (!thinks) delta["logprobs"] = Json::array();
  event(thinks ? "response.reasoning_text.delta" : "response.output_text.delta", delta);
}

void ResponsesReply::take_text(const Event& event) {
  Lane& from = lane_of(event.lane);
  AnswerReader::Parts parts = from.reader.push(event.text, /*over=*/false);
  if (event.kind == EventKind::token && !event.forced && from.reader.thinking()) ++thought_;
  if (streams_live()) return tell(parts);
  if (parts.empty()) return;
  // As one piece what is told in this order anyway: thoughts, words, calls.
  const bool joins = !from.said.empty() && from.said.back().calls.empty() &&
                     (parts.reasoning.empty() || from.said.back().content.empty());
  if (!joins) from.said.emplace_back();
  AnswerReader::Parts& last = from.said.back();
  last.reasoning += parts.reasoning;
  last.content += parts.content;
  last.calls = std::move(parts.calls);
}

void ResponsesReply::tell(const AnswerReader::Parts& parts) {
  say(Item::reasoning, parts.reasoning);
  say(Item::message, parts.content);
  for (const ToolCall& call : parts.calls) say_call(call);
}

// A call comes whole.
void ResponsesReply::say_call(const ToolCall& call) {
  close_item();
  ++index_;
  Json item = {{"id", new_public_id("fc_")}, {"type", "function_call"}, {"call_id", call.id},
               {"name", call.name},          {"arguments", ""},         {"status", "in_progress"}};
  event("response.output_item.added", {{"output_index", index_}, {"item", item}});
  const Json place = {{"item_id", item["id"]}, {"output_index", index_}};
  Json delta = place;
  delta["delta"] = call.arguments;
  event("response.function_call_arguments.delta", delta);
  Json done = place;
  done["arguments"] = call.arguments;
  event("response.function_call_arguments.done", done);
  item["arguments"] = call.arguments;
  item["status"] = "completed";
  output_.push_back(item);
  event("response.output_item.done", {{"output_index", index_}, {"item", std::move(item)}});
}

void ResponsesReply::finish(const GroupResult& result) {
  Lane& chosen = lane_of(std::max(result.selected, 0));
  for (const AnswerReader::Parts& parts : chosen.said) tell(parts);
  tell(chosen.reader.push("", /*over=*/true));
  close_item();
  const auto answers = [](const Json& item) { return item["type"] != "reasoning"; };
  if (std::ranges::none_of(output_, answers)) {  // a response has an item, even if it says nothing
    open(Item::message);
    close_item();
  }
  const std::string type = std::string("response.") + status();
  event(type.c_str(), {{"response", object(status())}});
}

const char* ResponsesReply::status() const {
  if (result_ == nullptr) return "in_progress";
  const LaneResult& lane = result_->lanes.at(static_cast<size_t>(std::max(result_->selected, 0)));
  return lane.finish == FinishReason::length ? "incomplete" : "completed";
}

std::string ResponsesReply::opening() {
  event("response.created", {{"response", object("in_progress")}});
  event("response.in_progress", {{"response", object("in_progress")}});
  return std::exchange(text_, {});
}

std::string ResponsesReply::take(const GroupSet::Happening& happened) {
  const Event& of = happened.event;
  const bool inherits = of.kind == EventKind::lane_started && !of.text.empty();  // a fork
  if (inherits || of.kind == EventKind::token || of.kind == EventKind::lane_finished) {
    take_text(of);
  } else if (of.kind == EventKind::group_finished) {
    result_ = of.result;
    finish(*result_);
  }
  return std::exchange(text_, {});
}

std::string ResponsesReply::closing() {
  return {};
}

std::string ResponsesReply::failure(const ErrorReply& error) {
  Json failed = object("failed");
  failed["error"] = {{"code", "server_error"}, {"message", error.body["error"]["message"]}};
  event("response.failed", {{"response", std::move(failed)}});
  return std::exchange(text_, {});
}

Json ResponsesReply::object(const char* state) const {
  const auto given = [&](const char* key, const Json& otherwise) {
    const auto found = body_.find(key);
    return found == body_.end() || found->is_null() ? otherwise : *found;
  };
  const Sampling& sampling = context_.groups.front()->sampling;
  Json json = {{"id", id_},
               {"object", "response"},
               {"created_at", context_.created},
               {"status", state},
               {"background", false},
               {"error", nullptr},
               {"incomplete_details", nullptr},
               {"instructions", given("instructions", nullptr)},
               {"max_output_tokens", given("max_output_tokens", nullptr)},
               {"model", context_.model_id},
               {"output", output_},
               {"parallel_tool_calls", given("parallel_tool_calls", true)},
               {"previous_response_id", nullptr},
               {"reasoning", given("reasoning", {{"effort", nullptr}, {"summary", nullptr}})},
               {"store", false},
               {"temperature", sampling.temperature},
               {"text", given("text", {{"format", {{"type", "text"}}}})},
               {"tool_choice", given("tool_choice", "auto")},
               {"tools", given("tools", Json::array())},
               {"top_p", sampling.top_p},
               {"truncation", "disabled"},
               {"metadata", given("metadata", Json::object())},
               {"usage", nullptr}};
  if (result_ == nullptr) return json;
  if (state == std::string_view("incomplete")) json["incomplete_details"] = {{"reason", "max_output_tokens"}};
  int64_t generated = 0;
  for (const LaneResult& lane : result_->lanes) generated += lane.generated;
  json["usage"] = {
      {"input_tokens", result_->prompt_tokens},
      {"input_tokens_details", {{"cached_tokens", result_->cached_prompt_tokens}, {"cache_write_tokens", 0}}},
      {"output_tokens", generated},
      {"output_tokens_details", {{"reasoning_tokens", thought_}}},
      {"total_tokens", result_->prompt_tokens + generated}};
  json["lanes"] = lanes_reply(*result_, *context_.groups.front());
  return json;
}

Json ResponsesReply::response() const {
  return object(status());
}

}  // namespace lanerope::server
