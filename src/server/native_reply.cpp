// SPDX-License-Identifier: Apache-2.0
#include "server/native_reply.h"

#include <algorithm>

#include "server/lanes_reply.h"
#include "server/logprobs_json.h"
#include "server/reply.h"

namespace lanerope::server {

namespace {

const char* stop_type(FinishReason finish) {
  if (finish == FinishReason::length) return "limit";
  if (finish == FinishReason::stop) return "word";
  return finish == FinishReason::end ? "eos" : "none";
}

Json timings(const GroupResult& result, int32_t generated) {
  const int32_t read = result.prompt_tokens - result.cached_prompt_tokens;
  const auto rate = [](double n, double seconds) {
    return seconds > 0 ? finite(n / seconds) : Json(nullptr);
  };
  return {{"cache_n", result.cached_prompt_tokens},
          {"prompt_n", read},
          {"prompt_ms", finite(result.prefill_seconds * 1000)},
          {"prompt_per_second", rate(read, result.prefill_seconds)},
          {"predicted_n", generated},
          {"predicted_ms", finite(result.decode_seconds * 1000)},
          {"predicted_per_second", rate(generated, result.decode_seconds)}};
}

Json settings(const ResolvedRequest& request) {
  const Sampling& s = request.sampling;
  return {{"n_predict", request.max_tokens},
          {"seed", request.seed},
          {"temperature", s.temperature},
          {"top_k", s.top_k},
          {"top_p", s.top_p},
          {"min_p", s.min_p},
          {"repeat_penalty", s.repetition_penalty},
          {"repeat_last_n", s.penalty_window},
          {"presence_penalty", s.presence_penalty},
          {"frequency_penalty", s.frequency_penalty},
          {"stop", request.asked.stop}};
}

// llama.cpp's form of log-probabilities: those of chat, with ids.
Json probabilities(const Model& model, std::span<const PromptToken> tokens) {
  Json list = chat_logprobs(model, tokens)["content"];
  for (size_t i = 0; i < tokens.size(); ++i) {
    list[i]["id"] = tokens[i].token;
    for (size_t k = 0; k < tokens[i].top.size(); ++k)
      list[i]["top_logprobs"][k]["id"] = tokens[i].top[k].token;
  }
  return list;
}

}  // namespace

NativeReply::NativeReply(ReplyContext context)
    : context_(std::move(context)), answers_(context_.groups.size()), results_(context_.groups.size()) {}

NativeReply::Answer& NativeReply::answer_of(size_t group, int32_t lane) {
  std::vector<Answer>& answers = answers_.at(group);
  while (answers.size() <= static_cast<size_t>(lane)) answers.emplace_back();
  return answers[static_cast<size_t>(lane)];
}

Json NativeReply::piece(size_t index, const std::string& text, std::vector<TokenId> tokens) const {
  return {{"index", index}, {"content", text},       {"tokens", std::move(tokens)}, {"stop", false},
          {"id_slot", 0},   {"tokens_predicted", 0}, {"tokens_evaluated", 0}};
}

std::string NativeReply::take_token(size_t group, const Event& event) {
  Answer& to = answer_of(group, event.lane);
  if (event.kind == EventKind::lane_finished) to.finish = api().no_text ? FinishReason::length : event.finish;
  if (api().no_text) return {};
  to.text += event.text;
  const bool is_token = event.kind == EventKind::token;
  if (is_token) {
    to.tokens.push_back(event.token);
    if (!event.forced) ++to.generated;
    if (event.logprob)
      to.probabilities.push_back({.token = event.token, .logprob = event.logprob, .top = event.top});
  }
  if (!api().stream || !returns_all() || (event.text.empty() && !event.logprob)) return {};
  const size_t index = group * static_cast<size_t>(api().choices_each()) + static_cast<size_t>(event.lane);
  Json json = piece(index, event.text, is_token ? std::vector{event.token} : std::vector<TokenId>());
  json["tokens_predicted"] = to.generated;
  json["tokens_evaluated"] = context_.groups[group]->prompt.size();
  if (is_token && event.logprob)
    json["completion_probabilities"] = probabilities(*context_.model, std::span(&to.probabilities.back(), 1));
  return sse("", json);
}

Json NativeReply::whole(size_t group, int32_t lane, bool with_text) const {
  const Answer& answer = answers_.at(group).at(static_cast<size_t>(lane));
  const GroupResult& result = *results_.at(group);
  const ResolvedRequest& request = *context_.groups[group];
  const size_t index =
      group * static_cast<size_t>(api().choices_each()) + static_cast<size_t>(returns_all() ? lane : 0);
  Json json = {{"index", index},
               {"content", with_text ? answer.text : ""},
               {"tokens", api().return_tokens && with_text ? answer.tokens : std::vector<TokenId>()},
               {"id_slot", 0},
               {"stop", true},
               {"model", context_.model_id},
               {"tokens_predicted", answer.generated},
               {"tokens_evaluated", result.prompt_tokens},
               {"tokens_cached", result.prompt_tokens + answer.generated},
               {"generation_settings", settings(request)},
               {"prompt", context_.model->decode(request.prompt)},
               {"has_new_line", answer.text.find('\n') != std::string::npos},
               {"truncated", false},
               {"stop_type", stop_type(answer.finish)},
               {"stopping_word", ""},
               {"timings", timings(result, answer.generated)}};
  if (with_text && !answer.probabilities.empty())
    json["completion_probabilities"] = probabilities(*context_.model, answer.probabilities);
  if (!with_text) return json;
  json["lanes"] = lanes_reply(result, request);
  return json;
}

std::string NativeReply::finish(size_t group, const Event& event) {
  results_[group] = event.result;
  if (!api().stream) return {};
  const int32_t selected = std::max(event.result->selected, 0);
  std::string text;
  if (!returns_all()) {
    const Answer& answer = answers_[group].at(static_cast<size_t>(selected));
    return sse("", piece(group, answer.text, answer.tokens)) + sse("", whole(group, selected, false));
  }
  for (size_t m = 0; m < answers_[group].size(); ++m)
    text += sse("", whole(group, static_cast<int32_t>(m), false));
  return text;
}

std::string NativeReply::take(const GroupSet::Happening& happened) {
  const Event& event = happened.event;
  if (event.kind == EventKind::lane_started) answer_of(happened.group, event.lane);
  if (event.kind == EventKind::token || event.kind == EventKind::lane_finished)
    return take_token(happened.group, event);
  return event.kind == EventKind::group_finished ? finish(happened.group, event) : std::string();
}

std::string NativeReply::failure(const ErrorReply& error) {
  return sse("", error.body);
}

Json NativeReply::response() const {
  Json list = Json::array();
  for (size_t g = 0; g < answers_.size(); ++g) {
    if (!returns_all()) {
      list.push_back(whole(g, std::max(results_[g]->selected, 0), true));
      continue;
    }
    for (size_t m = 0; m < answers_[g].size(); ++m) list.push_back(whole(g, static_cast<int32_t>(m), true));
  }
  if (list.size() == 1 && !api().many_prompts) return list.front();
  return list;
}

}  // namespace lanerope::server
