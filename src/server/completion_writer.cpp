// SPDX-License-Identifier: Apache-2.0
#include "server/completion_writer.h"

#include <algorithm>

#include "server/lanes_reply.h"
#include "server/logprobs_json.h"

namespace lanerope::server {

namespace {

// Calls as a delta has them.
Json placed(Json calls) {
  for (size_t i = 0; i < calls.size(); ++i) calls[i]["index"] = i;
  return calls;
}

}  // namespace

CompletionWriter::CompletionWriter(Context context) : context_(std::move(context)) {}

bool CompletionWriter::streams_all() const {
  return api().stream && api().lanes.returned == ReturnedLanes::all;
}

CompletionWriter::Choice CompletionWriter::new_choice() const {
  return {.reader = AnswerReader(api(), *context_.request), .content = context_.echo, .logprobs = prompt_};
}

CompletionWriter::Choice& CompletionWriter::choice(int32_t lane) {
  while (choices_.size() <= static_cast<size_t>(lane)) choices_.push_back(new_choice());
  return choices_[lane];
}

void CompletionWriter::add(Choice& to, const AnswerReader::Parts& parts, Delta& delta) {
  to.reasoning += parts.reasoning;
  to.content += parts.content;
  delta.reasoning += parts.reasoning;
  delta.content += parts.content;
  for (const ToolCall& call : parts.calls) {
    Json json = {{"id", call.id},
                 {"type", "function"},
                 {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
    delta.calls.push_back(json);
    delta.calls.back()["index"] = to.calls.size();
    to.calls.push_back(std::move(json));
  }
}

Json CompletionWriter::logprobs_json(std::span<const PromptToken> tokens, size_t offset) const {
  if (!api().logprobs) return nullptr;
  if (chat()) return chat_logprobs(*context_.model, tokens);
  return text_logprobs(*context_.model, tokens, {.offset = offset, .as_ids = api().tokens_as_ids});
}

Json CompletionWriter::stream_logprobs(Choice& choice, std::span<const PromptToken> tokens) const {
  Json json = logprobs_json(tokens, choice.text_offset);
  choice.text_offset += n_characters(*context_.model, tokens);
  return json;
}

Json CompletionWriter::envelope() const {
  Json json = context_.envelope;
  json["choices"] = Json::array();
  return json;
}

// As vLLM has it: calls that the budget cut off after are calls no less; one that it cut through is text.
const char* CompletionWriter::finish_of(const Choice& choice) {
  return choice.calls.empty() ? openai_finish(choice.finish) : "tool_calls";
}

Json CompletionWriter::role_chunk(int32_t index) const {
  Json json = envelope();
  json["choices"].push_back({{"index", context_.first_index + index},
                             {"delta", {{"role", "assistant"}, {"content", ""}}},
                             {"logprobs", nullptr},
                             {"finish_reason", nullptr}});
  return json;
}

Json CompletionWriter::delta_chunk(int32_t index, const Delta& delta) const {
  Json json = envelope();
  Json choice = {{"index", context_.first_index + index}};
  if (chat()) {
    Json fields = Json::object();
    if (!delta.reasoning.empty()) fields["reasoning_content"] = delta.reasoning;
    const bool silent = delta.reasoning.empty() && delta.calls.empty();
    if (!delta.content.empty() || silent) fields["content"] = delta.content;
    if (!delta.calls.empty()) fields["tool_calls"] = delta.calls;
    choice["delta"] = std::move(fields);
  } else {
    choice["text"] = delta.content;
  }
  choice["logprobs"] = delta.logprobs;
  choice["finish_reason"] = nullptr;
  json["choices"].push_back(std::move(choice));
  return json;
}

Json CompletionWriter::finish_chunk(int32_t index, const Choice& of) const {
  Json json = envelope();
  Json choice = {{"index", context_.first_index + index}};
  if (chat()) {
    choice["delta"] = Json::object();
  } else {
    choice["text"] = "";
  }
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_of(of);
  json["choices"].push_back(std::move(choice));
  return json;
}

void CompletionWriter::take_token(const Event& event, std::vector<Json>& chunks) {
  Choice& to = choice(event.lane);
  Delta delta;
  const bool over = event.kind == EventKind::lane_finished;
  if (!api().no_text) {
    add(to, to.reader.push(event.text, over), delta);
    if (event.kind == EventKind::token && to.reader.thinking() && !event.forced) ++to.reasoning_tokens;
    if (event.logprob) {
      const PromptToken token{.token = event.token, .logprob = event.logprob, .top = event.top};
      to.logprobs.push_back(token);
      if (streams_all() && api().logprobs) delta.logprobs = stream_logprobs(to, std::span(&token, 1));
    }
  }
  if (over) to.finish = api().no_text ? FinishReason::length : event.finish;
  if (!streams_all()) return;
  const bool says =
      !delta.content.empty() || !delta.reasoning.empty() || !delta.calls.empty() || !delta.logprobs.is_null();
  if (says) chunks.push_back(delta_chunk(event.lane, delta));
  if (over) chunks.push_back(finish_chunk(event.lane, to));
}

std::vector<Json> CompletionWriter::take(const Event& event) {
  std::vector<Json> chunks;
  if (event.kind == EventKind::prefill) {
    if (event.prompt) prompt_ = *event.prompt;
  } else if (event.kind == EventKind::lane_started) {
    Choice& to = choice(event.lane);
    Delta inherited;  // by a fork, which is no choice of its own (resolve_api)
    if (!event.text.empty()) add(to, to.reader.push(event.text, /*over=*/false), inherited);
    if (streams_all() && chat()) chunks.push_back(role_chunk(event.lane));
    if (streams_all() && !chat() && !to.content.empty()) {
      Delta delta{.content = to.content};
      if (!prompt_.empty()) delta.logprobs = stream_logprobs(to, prompt_);
      chunks.push_back(delta_chunk(event.lane, delta));
    }
  } else if (event.kind == EventKind::token || event.kind == EventKind::lane_finished) {
    take_token(event, chunks);
  } else if (event.kind == EventKind::group_finished) {
    result_ = event.result;
    if (api().stream && !streams_all()) send_selected(chunks);
  }
  return chunks;
}

void CompletionWriter::send_selected(std::vector<Json>& chunks) const {
  const Choice& chosen = choices_.at(std::max(result_->selected, 0));
  if (chat()) chunks.push_back(role_chunk(0));
  chunks.push_back(delta_chunk(0, {.reasoning = chosen.reasoning,
                                   .content = chosen.content,
                                   .calls = placed(chosen.calls),
                                   .logprobs = logprobs_json(chosen.logprobs, 0)}));
  chunks.push_back(finish_chunk(0, chosen));
}

Json CompletionWriter::whole_choice(int32_t index, const Choice& choice) const {
  Json json = {{"index", context_.first_index + index}};
  if (chat()) {
    Json message = {{"role", "assistant"}, {"content", choice.content}, {"refusal", nullptr}};
    if (!choice.reasoning.empty()) message["reasoning_content"] = choice.reasoning;
    if (!choice.calls.empty()) {
      message["tool_calls"] = choice.calls;
      if (choice.content.empty()) message["content"] = nullptr;
    }
    json["message"] = std::move(message);
  } else {
    json["text"] = choice.content;
  }
  json["logprobs"] = logprobs_json(choice.logprobs, 0);
  json["finish_reason"] = finish_of(choice);
  return json;
}

std::vector<Json> CompletionWriter::choices() const {
  std::vector<Json> list;
  if (api().lanes.returned == ReturnedLanes::selected) {
    list.push_back(whole_choice(0, choices_.at(std::max(result_->selected, 0))));
  } else {
    for (size_t m = 0; m < choices_.size(); ++m)
      list.push_back(whole_choice(static_cast<int32_t>(m), choices_[m]));
  }
  return list;
}

TokenUsage CompletionWriter::usage() const {
  TokenUsage usage{.prompt = result_->prompt_tokens, .cached = result_->cached_prompt_tokens};
  if (api().no_text) return usage;
  for (const LaneResult& lane : result_->lanes) usage.generated += lane.generated;
  for (const Choice& choice : choices_) usage.reasoning += choice.reasoning_tokens;
  return usage;
}

}  // namespace lanerope::server
