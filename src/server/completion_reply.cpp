// SPDX-License-Identifier: Apache-2.0
#include "server/completion_reply.h"

#include <algorithm>
#include <iterator>

#include "lanerope/service.h"
#include "server/lanes_reply.h"
#include "server/reply.h"

namespace lanerope::server {

namespace {

std::string echo_of(const ReplyContext& context, size_t group) {
  const ApiRequest& api = *context.api;
  if (!api.echo) return {};
  const TextPrompt& prompt = api.prompts.at(group / static_cast<size_t>(api.groups_each()));
  return prompt.text.empty() ? context.model->decode(prompt.tokens) : prompt.text;
}

}  // namespace

CompletionReply::CompletionReply(ReplyContext context)
    : context_(std::move(context)), id_(new_public_id(chat() ? "chatcmpl-" : "cmpl-")) {
  const ApiRequest& api = *context_.api;
  for (size_t g = 0; g < context_.groups.size(); ++g) {
    writers_.emplace_back(
        CompletionWriter::Context{.api = context_.api,
                                  .request = context_.groups[g],
                                  .model = context_.model,
                                  .echo = echo_of(context_, g),
                                  .first_index = static_cast<int32_t>(g) * api.choices_each(),
                                  .envelope = envelope(/*chunk=*/true)});
  }
  held_.resize(writers_.size());
}

Json CompletionReply::envelope(bool chunk) const {
  Json json = {{"id", id_},
               {"object", !chat() ? "text_completion"
                          : chunk ? "chat.completion.chunk"
                                  : "chat.completion"},
               {"created", context_.created},
               {"model", context_.model_id},
               {"system_fingerprint", "lanerope-" + std::string(version())},
               {"choices", Json::array()}};
  if (chunk && context_.api->include_usage) json["usage"] = nullptr;
  return json;
}

std::vector<Json> CompletionReply::take_chunks(const GroupSet::Happening& happened) {
  std::vector<Json> made = writers_.at(happened.group).take(happened.event);
  std::vector<Json>& held = held_[happened.group];
  std::ranges::move(made, std::back_inserter(held));
  std::vector<Json> chunks;
  for (size_t g = 0; g <= begun_ && g < held_.size(); ++g) {
    if (g == begun_ && !held_[g].empty()) ++begun_;
    std::ranges::move(held_[g], std::back_inserter(chunks));
    held_[g].clear();
  }
  return chunks;
}

std::string CompletionReply::take(const GroupSet::Happening& happened) {
  std::string text;
  for (const Json& chunk : take_chunks(happened)) text += sse("", chunk);
  return text;
}

void CompletionReply::add_lanes(Json& json) const {
  if (writers_.size() == 1) {
    json["lanes"] = lanes_reply(writers_.front().result(), *context_.groups.front());
    return;
  }
  json["groups"] = Json::array();
  for (size_t g = 0; g < writers_.size(); ++g)
    json["groups"].push_back(lanes_reply(writers_[g].result(), *context_.groups[g]));
}

std::string CompletionReply::closing() {
  std::string text;
  const ApiRequest& api = *context_.api;
  if (api.include_usage || api.lanes.present) {
    Json last = envelope(/*chunk=*/true);
    if (api.include_usage) last["usage"] = usage_json(usage());
    if (api.lanes.present) add_lanes(last);
    text = sse("", last);
  }
  return text + "data: [DONE]\n\n";
}

std::string CompletionReply::failure(const ErrorReply& error) {
  return sse("", error.body);
}

Json CompletionReply::response() const {
  Json json = envelope(/*chunk=*/false);
  for (const CompletionWriter& writer : writers_) {
    for (Json& choice : writer.choices()) json["choices"].push_back(std::move(choice));
  }
  json["usage"] = usage_json(usage());
  add_lanes(json);
  return json;
}

TokenUsage CompletionReply::usage() const {
  TokenUsage sum;
  const auto each = static_cast<size_t>(context_.api->groups_each());
  for (size_t g = 0; g < writers_.size(); ++g) {
    const TokenUsage of_group = writers_[g].usage();
    if (g % each == 0) {
      sum.prompt += of_group.prompt;
      sum.cached += of_group.cached;
    }
    sum.generated += of_group.generated;
    sum.reasoning += of_group.reasoning;
  }
  return sum;
}

Json usage_json(const TokenUsage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.generated},
          {"total_tokens", usage.prompt + usage.generated},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached}}},
          {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning}}}};
}

}  // namespace lanerope::server
