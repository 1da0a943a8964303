// SPDX-License-Identifier: Apache-2.0
#include "server/field_rules.h"

#include <algorithm>
#include <array>
#include <set>

namespace lanerope::server {

namespace {

constexpr uint8_t bit(ApiEndpoint endpoint) {
  return static_cast<uint8_t>(1U << static_cast<unsigned>(endpoint));
}
constexpr uint8_t chat = bit(ApiEndpoint::chat);
constexpr uint8_t text = bit(ApiEndpoint::completion);
constexpr uint8_t group = bit(ApiEndpoint::group);
constexpr uint8_t native = bit(ApiEndpoint::native_completion);
constexpr uint8_t all = chat | text | group | native;

constexpr std::string_view anything = "*";
constexpr std::string_view use_tools = "use tools and tool_choice";
constexpr std::string_view with_messages = "it goes with messages, on /v1/chat/completions or /v1/groups";

constexpr auto rules = std::to_array<FieldRule>({
    // What is read.
    {"messages", chat | group},
    {"prompt", text | group | native},
    {"model", all},
    {"n", all},
    {"best_of", text, "[1]", "use n, or lanes.select"},
    {"max_tokens", all},
    {"max_completion_tokens", all},
    {"n_predict", all},
    {"temperature", all},
    {"top_p", all},
    {"top_k", all},
    {"min_p", all},
    {"repeat_penalty", all},
    {"repetition_penalty", all},
    {"repeat_last_n", all},
    {"presence_penalty", all},
    {"frequency_penalty", all},
    {"logit_bias", all},
    {"seed", all},
    {"stop", all},
    {"ignore_eos", all},
    {"priority", all},
    {"logprobs", chat | text | group, "[false]", "use n_probs"},
    {"top_logprobs", chat | group, "[0]", "use logprobs, or n_probs on /completion"},
    {"n_probs", native, "[0]", "use logprobs and top_logprobs"},
    {"return_tokens_as_token_ids", text, "[false]"},
    {"return_tokens", native, "[false]"},
    {"echo", text, "[false]"},
    {"stream", all},
    {"stream_options", all},
    {"reasoning_format", chat, anything},
    {"continue_final_message", chat, "[false]", with_messages},
    {"add_generation_prompt", chat, "[true]", with_messages},
    {"response_format", all},
    {"structured_outputs", all},
    {"guided_json", all},
    {"guided_regex", all},
    {"guided_choice", all},
    {"guided_grammar", all},
    {"grammar", all},
    {"json_schema", all},
    {"tools", chat, "[[]]", with_messages},
    {"tool_choice", chat, R"(["none", "auto"])", with_messages},
    {"parallel_tool_calls", chat, anything},
    {"reasoning_effort", chat, anything},
    {"chat_template_kwargs", chat, "[{}]", with_messages},
    {"thinking_token_budget", chat, "[-1]", with_messages},
    {"reasoning_budget_tokens", chat, "[-1]", with_messages},
    {"thinking_budget_tokens", chat, "[-1]", with_messages},
    {"lora", all},
    {"lanes", all},
    // OpenAI's that change nothing in the answer.
    {"metadata", 0, anything},
    {"moderation", 0, anything},
    {"prediction", 0, anything},
    {"prompt_cache_key", 0, anything},
    {"prompt_cache_options", 0, anything},
    {"prompt_cache_retention", 0, anything},
    {"safety_identifier", 0, anything},
    {"service_tier", 0, anything},
    {"store", 0, anything},
    {"user", 0, anything},
    {"verbosity", 0, anything},
    // OpenAI's whose answer the caller would wait for in vain.
    {"audio"},
    {"modalities", 0, R"([["text"], []])"},
    {"web_search_options"},
    {"suffix", 0, R"([""])", "put it into the prompt with the model's own marks of a gap"},
    {"functions", 0, "[[]]", use_tools},
    {"function_call", 0, R"(["none", "auto"])", use_tools},
    // vLLM's.
    {"cache_salt", 0, anything},
    {"request_id", 0, anything},
    {"include_reasoning", 0, "[true]", "set reasoning_format to \"none\" to have it in the content"},
    {"spaces_between_special_tokens", 0, anything},
    {"chat_template_content_format", 0, anything},
    {"min_tokens", 0, "[0]"},
    {"stop_token_ids", 0, "[[]]", "use stop"},
    {"include_stop_str_in_output", 0, "[false]"},
    {"skip_special_tokens", 0, "[true]"},
    {"add_special_tokens", 0, "[true]", "send the prompt as token ids"},
    {"bad_words", 0, "[[]]", "use logit_bias"},
    {"allowed_token_ids", 0, "[]", "use logit_bias"},
    {"prompt_logprobs", 0, "[]", "use echo with logprobs on /v1/completions"},
    {"return_token_ids", 0, "[false]", "use /tokenize"},
    {"truncate_prompt_tokens", 0, "[-1]"},
    {"use_beam_search", 0, "[false]"},
    {"length_penalty", 0, "[1]"},
    {"early_stopping", 0, anything},
    {"chat_template", 0, "[]", "start the server with --chat-template"},
    {"documents", 0, "[[]]", "put them into a message"},
    {"logits_processors", 0, "[[]]"},
    {"kv_transfer_params", 0, "[{}]"},
    {"mm_processor_kwargs", 0, "[{}]"},
    // llama.cpp's.
    {"cache_prompt", 0, anything},
    {"id_slot", 0, anything},
    {"slot_id", 0, anything},
    {"n_keep", 0, anything},
    {"n_discard", 0, anything},
    {"n_cache_reuse", 0, anything},
    {"min_keep", 0, anything},
    {"timings_per_token", 0, anything},
    {"return_progress", 0, anything},
    {"backend_sampling", 0, anything},
    {"post_sampling_probs", 0, "[false]"},
    {"response_fields", 0, "[[]]"},
    {"grammar_lazy", 0, anything},
    {"grammar_triggers", 0, anything},
    {"preserved_tokens", 0, anything},
    {"samplers", 0, "[[]]", "the order is fixed: bias, penalties, top_k, top_p, min_p, temperature"},
    {"dynatemp_range", 0, "[0]"},
    {"dynatemp_exponent", 0, anything},
    {"typical_p", 0, "[1]"},
    {"top_n_sigma", 0, "[-1, 0]"},
    {"xtc_probability", 0, "[0]"},
    {"xtc_threshold", 0, anything},
    {"mirostat", 0, "[0]"},
    {"mirostat_tau", 0, anything},
    {"mirostat_eta", 0, anything},
    {"dry_multiplier", 0, "[0]"},
    {"dry_base", 0, anything},
    {"dry_allowed_length", 0, anything},
    {"dry_penalty_last_n", 0, anything},
    {"dry_sequence_breakers", 0, anything},
    {"adaptive_target", 0, "[-1]"},
    {"adaptive_decay", 0, anything},
    {"t_max_predict_ms", 0, "[-1, 0]"},
    {"n_indent", 0, "[0]"},
    {"image_data", 0, "[[]]"},
    {"multimodal_data", 0, "[[]]"},
});

// OpenAI's, its newer one and llama.cpp's; llama.cpp's and vLLM's; vLLM's and both of llama-server's.
constexpr auto lengths =
    std::to_array<std::string_view>({"max_tokens", "max_completion_tokens", "n_predict"});
constexpr auto repetition_penalties =
    std::to_array<std::string_view>({"repeat_penalty", "repetition_penalty"});
constexpr auto thinking_budgets = std::to_array<std::string_view>(
    {"thinking_token_budget", "reasoning_budget_tokens", "thinking_budget_tokens"});

// What `lanes` and `stream_options` hold.
constexpr auto lane_fields =
    std::to_array<std::string_view>({"count",         "coupling",   "init",        "stride",
                                     "window",        "visibility", "topology",    "prompt_lane",
                                     "force",         "tag",        "wait",        "ready",
                                     "text",          "select",     "vote_weight", "certainty_window",
                                     "consensus",     "policies",   "return",      "reserve",
                                     "attention",     "hold",       "block",       "far_lanes",
                                     "trained_lanes", "then",       "then_budget", "tools",
                                     "sees_from"});
constexpr auto stream_fields = std::to_array<std::string_view>({"include_usage", "include_obfuscation"});

// A group of messages reads what a chat reads, too.
uint8_t readers(ApiEndpoint endpoint, const Json& body) {
  const auto messages = body.find("messages");
  const bool has_messages = messages != body.end() && !messages->is_null();
  return endpoint == ApiEndpoint::group && has_messages ? group | chat : bit(endpoint);
}

bool is_harmless(const FieldRule& rule, const Json& value) {
  if (value.is_null() || rule.harmless == anything) return true;
  const Json accepted = Json::parse(rule.harmless);
  return std::ranges::find(accepted, value) != accepted.end();
}

void refuse(const FieldRule& rule) {
  const std::string what = rule.instead.empty() ? "leave it out" : std::string(rule.instead);
  throw ApiError(400, std::string(rule.name) + " is not supported here; " + what, std::string(rule.name));
}

void add_unknown(std::vector<std::string>& unknown, const Json& body, const std::string& key,
                 std::span<const std::string_view> known) {
  const auto object = body.find(key);
  if (object == body.end() || !object->is_object()) return;
  for (const auto& [name, value] : object->items()) {
    if (std::ranges::find(known, name) != known.end()) continue;
    unknown.emplace_back(key);
    unknown.back().append(".").append(name);
  }
}

}  // namespace

std::span<const FieldRule> field_rules() {
  return rules;
}

std::span<const std::string_view> synonyms_of(std::string_view field) {
  for (const std::span<const std::string_view> names :
       {std::span<const std::string_view>(lengths), std::span<const std::string_view>(repetition_penalties),
        std::span<const std::string_view>(thinking_budgets)}) {
    if (std::ranges::find(names, field) != names.end()) return names;
  }
  return {};
}

std::vector<std::string> check_fields(ApiEndpoint endpoint, const Json& body) {
  std::vector<std::string> unknown;
  const uint8_t reading = readers(endpoint, body);
  for (const auto& [name, value] : body.items()) {
    const auto rule = std::ranges::find(rules, name, &FieldRule::name);
    if (rule == rules.end()) {
      unknown.push_back(name);
    } else if ((rule->honoured & reading) == 0 && !is_harmless(*rule, value)) {
      refuse(*rule);
    }
  }
  add_unknown(unknown, body, "lanes", lane_fields);
  add_unknown(unknown, body, "stream_options", stream_fields);
  return unknown;
}

}  // namespace lanerope::server
