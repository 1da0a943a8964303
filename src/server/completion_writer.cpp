// SPDX-License-Identifier: Apache-2.0
#include "server/completion_writer.h"

#include <algorithm>

#include "lanerope/service.h"
#include "server/lanes_reply.h"

namespace lanerope::server {

namespace {

Json bytes_of(const std::string& piece) {
  Json bytes = Json::array();
  for (const char c : piece) bytes.push_back(static_cast<unsigned char>(c));
  return bytes;
}

Json named_logprob(const Model& model, TokenId token, float logprob) {
  const std::string piece = model.piece(token);
  return {{"token", piece}, {"logprob", finite(logprob)}, {"bytes", bytes_of(piece)}};
}

// OpenAI's older form: four arrays side by side.
Json parallel_arrays(const Json& tokens) {
  Json arrays = {{"tokens", Json::array()},
                 {"token_logprobs", Json::array()},
                 {"top_logprobs", Json::array()},
                 {"text_offset", Json::array()}};
  for (const Json& token : tokens) {
    arrays["tokens"].push_back(token["token"]);
    arrays["token_logprobs"].push_back(token["logprob"]);
    Json named = Json::object();
    for (const Json& other : token["top_logprobs"])
      named[other["token"].get<std::string>()] = other["logprob"];
    arrays["top_logprobs"].push_back(std::move(named));
    arrays["text_offset"].push_back(token["text_offset"]);
  }
  return arrays;
}

}  // namespace

CompletionWriter::CompletionWriter(Context context)
    : context_(std::move(context)), id_(new_public_id(chat() ? "chatcmpl-" : "cmpl-")) {
  if (!context_.api.echo) return;
  echo_ =
      context_.api.prompt.empty() ? context_.model->decode(context_.request->prompt) : context_.api.prompt;
}

bool CompletionWriter::streams_all() const {
  return context_.api.stream && context_.api.lanes.returned == ReturnedLanes::all;
}

CompletionWriter::Choice CompletionWriter::new_choice() const {
  using Mode = ReasoningSplitter::Mode;
  Mode mode = Mode::off;
  if (chat() && context_.api.split_reasoning) {
    mode = context_.model->template_opens_thinking() ? Mode::opened : Mode::maybe;
  }
  return {.splitter = ReasoningSplitter(mode), .content = echo_, .text_offset = echo_.size()};
}

CompletionWriter::Choice& CompletionWriter::choice(int32_t lane) {
  while (choices_.size() <= static_cast<size_t>(lane)) choices_.push_back(new_choice());
  return choices_[lane];
}

void CompletionWriter::add_text(Choice& to, const ReasoningSplitter::Parts& parts, Delta& delta) {
  to.reasoning += parts.reasoning;
  to.content += parts.content;
  delta.reasoning += parts.reasoning;
  delta.content += parts.content;
}

Json CompletionWriter::token_logprob(const Event& event) const {
  Json entry = named_logprob(*context_.model, event.token, *event.logprob);
  entry["top_logprobs"] = Json::array();
  for (const Alternative& other : event.top) {
    entry["top_logprobs"].push_back(named_logprob(*context_.model, other.token, other.logprob));
  }
  return entry;
}

Json CompletionWriter::wrap_logprobs(const Choice& choice, const Json& tokens) const {
  if (!context_.api.logprobs) return nullptr;
  if (chat()) return {{"content", tokens}, {"refusal", nullptr}};
  Json placed = tokens;
  size_t offset = choice.text_offset;
  for (Json& token : placed) {
    token["text_offset"] = offset;
    offset += token["bytes"].size();
  }
  return parallel_arrays(placed);
}

Json CompletionWriter::envelope(bool chunk) const {
  Json json = {{"id", id_},
               {"object", !chat() ? "text_completion"
                          : chunk ? "chat.completion.chunk"
                                  : "chat.completion"},
               {"created", context_.created},
               {"model", context_.model_id},
               {"system_fingerprint", "lanerope-" + std::string(version())},
               {"choices", Json::array()}};
  if (chunk && context_.api.include_usage) json["usage"] = nullptr;
  return json;
}

Json CompletionWriter::role_chunk(int32_t index) const {
  Json json = envelope(true);
  json["choices"].push_back({{"index", index},
                             {"delta", {{"role", "assistant"}, {"content", ""}}},
                             {"logprobs", nullptr},
                             {"finish_reason", nullptr}});
  return json;
}

Json CompletionWriter::delta_chunk(int32_t index, const Delta& delta) const {
  Json json = envelope(true);
  Json choice = {{"index", index}};
  if (chat()) {
    Json fields = Json::object();
    if (!delta.reasoning.empty()) fields["reasoning_content"] = delta.reasoning;
    if (!delta.content.empty() || delta.reasoning.empty()) fields["content"] = delta.content;
    choice["delta"] = std::move(fields);
  } else {
    choice["text"] = delta.content;
  }
  choice["logprobs"] = delta.logprobs;
  choice["finish_reason"] = nullptr;
  json["choices"].push_back(std::move(choice));
  return json;
}

Json CompletionWriter::finish_chunk(int32_t index, FinishReason reason) const {
  Json json = envelope(true);
  Json choice = {{"index", index}};
  if (chat()) {
    choice["delta"] = Json::object();
  } else {
    choice["text"] = "";
  }
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = openai_finish(reason);
  json["choices"].push_back(std::move(choice));
  return json;
}

std::vector<Json> CompletionWriter::take(const Event& event) {
  std::vector<Json> chunks;
  if (event.kind == EventKind::lane_started) {
    Choice& to = choice(event.lane);
    if (streams_all() && chat()) chunks.push_back(role_chunk(event.lane));
    if (streams_all() && !chat() && !to.content.empty()) {
      chunks.push_back(delta_chunk(event.lane, {.content = to.content}));
    }
  } else if (event.kind == EventKind::token || event.kind == EventKind::lane_finished) {
    Choice& to = choice(event.lane);
    Delta delta;
    add_text(to, to.splitter.push(event.text), delta);
    if (event.kind == EventKind::token && to.splitter.thinking() && !event.forced) ++to.reasoning_tokens;
    if (event.logprob) {
      const Json entry = token_logprob(event);
      to.logprobs.push_back(entry);
      delta.logprobs = wrap_logprobs(to, Json::array({entry}));
      if (streams_all()) to.text_offset += entry["bytes"].size();
    }
    if (event.kind == EventKind::lane_finished) {
      add_text(to, to.splitter.finish(), delta);
      to.finish = event.finish;
    }
    const bool says = !delta.content.empty() || !delta.reasoning.empty() || !delta.logprobs.is_null();
    if (streams_all() && says) chunks.push_back(delta_chunk(event.lane, delta));
    if (streams_all() && event.kind == EventKind::lane_finished) {
      chunks.push_back(finish_chunk(event.lane, event.finish));
    }
  } else if (event.kind == EventKind::group_finished) {
    result_ = event.result;
    if (context_.api.stream) close_stream(chunks);
  }
  return chunks;
}

void CompletionWriter::close_stream(std::vector<Json>& chunks) {
  if (!streams_all()) {
    const Choice& chosen = choices_.at(std::max(result_->selected, 0));
    if (chat()) chunks.push_back(role_chunk(0));
    chunks.push_back(delta_chunk(0, {.reasoning = chosen.reasoning,
                                     .content = chosen.content,
                                     .logprobs = wrap_logprobs(chosen, chosen.logprobs)}));
    chunks.push_back(finish_chunk(0, chosen.finish));
  }
  if (!context_.api.include_usage && !context_.api.lanes.present) return;
  Json last = envelope(true);
  if (context_.api.include_usage) last["usage"] = usage();
  if (context_.api.lanes.present) last["lanes"] = lanes_reply(*result_, *context_.request);
  chunks.push_back(std::move(last));
}

Json CompletionWriter::whole_choice(int32_t index, const Choice& choice) const {
  Json json = {{"index", index}};
  if (chat()) {
    Json message = {{"role", "assistant"}, {"content", choice.content}, {"refusal", nullptr}};
    if (!choice.reasoning.empty()) message["reasoning_content"] = choice.reasoning;
    json["message"] = std::move(message);
  } else {
    json["text"] = choice.content;
  }
  json["logprobs"] = wrap_logprobs(choice, choice.logprobs);
  json["finish_reason"] = openai_finish(choice.finish);
  return json;
}

Json CompletionWriter::response() const {
  Json json = envelope(false);
  if (context_.api.lanes.returned == ReturnedLanes::selected) {
    json["choices"].push_back(whole_choice(0, choices_.at(std::max(result_->selected, 0))));
  } else {
    for (size_t m = 0; m < choices_.size(); ++m) {
      json["choices"].push_back(whole_choice(static_cast<int32_t>(m), choices_[m]));
    }
  }
  json["usage"] = usage();
  json["lanes"] = lanes_reply(*result_, *context_.request);
  return json;
}

Json CompletionWriter::usage() const {
  int64_t generated = 0;
  int64_t reasoning = 0;
  for (const LaneResult& lane : result_->lanes) generated += lane.generated;
  for (const Choice& choice : choices_) reasoning += choice.reasoning_tokens;
  return {{"prompt_tokens", result_->prompt_tokens},
          {"completion_tokens", generated},
          {"total_tokens", result_->prompt_tokens + generated},
          {"prompt_tokens_details", {{"cached_tokens", result_->cached_prompt_tokens}}},
          {"completion_tokens_details", {{"reasoning_tokens", reasoning}}}};
}

}  // namespace lanerope::server
