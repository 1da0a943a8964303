// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <limits>

#include "server/api_request.h"
#include "server/field_rules.h"
#include "server/json_fields.h"

namespace lanerope::server {

namespace {

constexpr int64_t most_lanes = 1024;
constexpr int64_t most_adapters = 1024;
constexpr int32_t most_tokens = 1 << 24;
constexpr int64_t most_priority = 1'000'000'000;
constexpr size_t most_prompts = 1024;
constexpr int64_t most_choices = 4096;  // of all prompts together
constexpr size_t most_stops = 16;
constexpr size_t most_biases = 4096;
constexpr double any_number = 1e6;

bool is_text(ApiEndpoint endpoint) {
  return endpoint == ApiEndpoint::completion || endpoint == ApiEndpoint::native_completion;
}

// The value of a field that goes by several names, of which two may not say two things.
template <typename Read>
auto under_any_name(const JsonFields& fields, std::string_view field, const Read& read) {
  decltype(read(field)) value;
  std::string_view said;
  for (const std::string_view name : synonyms_of(field)) {
    const auto given = read(name);
    if (!given) continue;
    if (value && *given == -1) continue;  // llama.cpp's "no limit", which clients send among all they have
    if (value && *value != -1 && *value != *given)
      fields.refuse(name, "and " + std::string(said) + " say two things; send one of them");
    value = given;
    said = name;
  }
  return value;
}

TextPrompt read_text_prompt(const JsonFields& fields, const Json& prompt) {
  TextPrompt read;
  if (prompt.is_string()) {
    read.text = prompt.get<std::string>();
  } else if (prompt.is_array()) {
    const Json one = {{"prompt", prompt}};
    read.tokens = *JsonFields(one).tokens("prompt");
  } else {
    fields.refuse("prompt", "must be a string, an array of token ids, or an array of such prompts");
  }
  const bool empty = read.text.empty() && read.tokens.empty();
  if (empty) fields.refuse("prompt", &prompt == fields.find("prompt") ? "is empty" : "holds an empty prompt");
  return read;
}

void read_prompts(const JsonFields& fields, ApiRequest& request) {
  const Json* prompt = fields.find("prompt");
  if (prompt == nullptr) throw ApiError(400, "prompt is missing", "prompt");
  request.many_prompts = prompt->is_array() && !prompt->empty() && !prompt->front().is_number();
  if (!request.many_prompts) {
    request.prompts.push_back(read_text_prompt(fields, *prompt));
    return;
  }
  if (prompt->size() > most_prompts)
    fields.refuse("prompt", "holds more than " + std::to_string(most_prompts) + " prompts");
  if (request.endpoint == ApiEndpoint::group && prompt->size() > 1)
    fields.refuse("prompt", "must be one; start a group for each");
  for (const Json& one : *prompt) request.prompts.push_back(read_text_prompt(fields, one));
}

void read_logit_bias(const JsonFields& fields, Sampling& sampling) {
  const Json* biases = fields.find("logit_bias");
  if (biases == nullptr) return;
  if (!biases->is_object()) fields.refuse("logit_bias", "must be an object from token ids to biases");
  if (biases->size() > most_biases) fields.refuse("logit_bias", "holds too many tokens");
  for (const auto& [key, value] : biases->items()) {
    LogitBias bias;
    const auto id = std::from_chars(key.data(), key.data() + key.size(), bias.token);
    const bool is_id = id.ec == std::errc() && id.ptr == key.data() + key.size() && bias.token >= 0;
    if (!is_id || !value.is_number()) fields.refuse("logit_bias", "must map token ids to numbers");
    const auto number = value.get<double>();
    if (!(number >= -any_number && number <= any_number))
      fields.refuse("logit_bias", "holds a number out of range");
    // OpenAI's -100 means "never", which a mere -100 is not for every model.
    bias.bias = number <= -100 ? -std::numeric_limits<float>::infinity() : static_cast<float>(number);
    sampling.logit_bias.push_back(bias);
  }
}

void read_sampling(const JsonFields& fields, ApiRequest& request) {
  Sampling& sampling = request.sampling;
  const auto number = [&](std::string_view key, float& target, NumberRange range) {
    if (const auto value = fields.number(key, range)) target = static_cast<float>(*value);
  };
  const auto integer = [&](std::string_view key, int32_t& target, IntegerRange range) {
    if (const auto value = fields.integer(key, range)) target = static_cast<int32_t>(*value);
  };
  number("temperature", sampling.temperature, {.least = 0, .most = 100});
  // 0 leaves the likeliest token, as any number does that is small enough.
  number("top_p", sampling.top_p, {.least = 0, .most = 1});
  sampling.top_p = std::max(sampling.top_p, 1e-6F);
  number("min_p", sampling.min_p, {.least = 0, .most = 0.999});
  // -1 means "all" for vLLM and llama.cpp, as 0 does.
  integer("top_k", sampling.top_k, {.least = -1, .most = INT32_MAX});
  sampling.top_k = std::max(sampling.top_k, 0);
  const auto repetition = under_any_name(fields, "repeat_penalty", [&fields](std::string_view name) {
    return fields.number(name, {.least = 0.01, .most = 100});
  });
  if (repetition) sampling.repetition_penalty = static_cast<float>(*repetition);
  number("presence_penalty", sampling.presence_penalty, {.least = -100, .most = 100});
  number("frequency_penalty", sampling.frequency_penalty, {.least = -100, .most = 100});
  // llama.cpp's -1: everything there is.
  integer("repeat_last_n", sampling.penalty_window, {.least = -1, .most = most_tokens});
  if (sampling.penalty_window < 0) sampling.penalty_window = most_tokens;
  read_logit_bias(fields, sampling);
  // llama-server's -1 means "choose one", as null does.
  const auto seed = fields.integer("seed", {.least = -1, .most = INT64_MAX});
  if (seed && *seed >= 0) request.seed = static_cast<uint64_t>(*seed);
}

void read_length(const JsonFields& fields, ApiRequest& request) {
  const auto most = under_any_name(fields, "max_tokens", [&](std::string_view name) {
    const auto value = fields.integer(name, {.least = -1, .most = most_tokens});
    if (value == 0 && !is_text(request.endpoint)) fields.refuse(name, "must be at least 1");
    return value;
  });
  if (most && *most >= 0) {  // llama-server's -1: as many as there is room for
    request.no_text = *most == 0;
    request.max_tokens = std::max(static_cast<int32_t>(*most), 1);
  }
  request.stop = fields.texts("stop", /*one_too=*/true).value_or(std::vector<std::string>{});
  if (request.stop.size() > most_stops) {
    fields.refuse("stop", "holds more than " + std::to_string(most_stops) + " strings");
  }
  for (const std::string& text : request.stop) {
    if (text.empty()) fields.refuse("stop", "holds an empty string, which would stop everything");
  }
  request.ignore_end = fields.flag("ignore_eos").value_or(false);
  request.priority =
      static_cast<int32_t>(fields.integer("priority", {-most_priority, most_priority}).value_or(0));
}

void read_logprobs(const JsonFields& fields, ApiRequest& request) {
  if (request.endpoint == ApiEndpoint::native_completion) {
    const auto count = fields.integer("n_probs", {.least = 0, .most = 20}).value_or(0);
    request.logprobs = count > 0;
    request.top_logprobs = static_cast<int32_t>(count);
    return;
  }
  if (request.endpoint == ApiEndpoint::completion) {
    if (const auto count = fields.integer("logprobs", {.least = 0, .most = 20})) {
      request.logprobs = true;
      request.top_logprobs = static_cast<int32_t>(*count);
    }
    return;
  }
  request.logprobs = fields.flag("logprobs").value_or(false);
  const auto count = fields.integer("top_logprobs", {.least = 0, .most = 20});
  if (count && *count > 0 && !request.logprobs) fields.refuse("top_logprobs", "needs logprobs to be true");
  request.top_logprobs = static_cast<int32_t>(count.value_or(0));
}

// What is asked for beside the text itself.
void read_form(const JsonFields& fields, ApiRequest& request) {
  request.model = fields.text("model").value_or("");
  request.stream = fields.flag("stream").value_or(request.endpoint == ApiEndpoint::group);
  if (const auto options = fields.object("stream_options"))
    request.include_usage = options->flag("include_usage").value_or(false);
  if (request.endpoint == ApiEndpoint::group) {
    if (!request.stream)
      fields.refuse("stream", "cannot be false here: a group is a stream of events; leave it out");
    if (request.include_usage)
      fields.refuse("stream_options", "cannot ask for usage here: what a group spent is in group_finished");
  }
  if (request.endpoint == ApiEndpoint::completion) {
    request.echo = fields.flag("echo").value_or(false);
    request.tokens_as_ids = fields.flag("return_tokens_as_token_ids").value_or(false);
    const auto best_of = fields.integer("best_of", {.least = 1, .most = most_lanes});
    if (best_of && *best_of != request.n)
      fields.refuse("best_of",
                    "must equal n; for the best of several answers use lanes.count and lanes.select");
  }
  request.return_tokens = fields.flag("return_tokens").value_or(false);
  request.continue_last = fields.flag("continue_final_message").value_or(false);
  const bool begins = fields.flag("add_generation_prompt").value_or(!request.continue_last);
  if (begins == request.continue_last) {
    fields.refuse(
        begins ? "continue_final_message" : "add_generation_prompt",
        begins ? "excludes add_generation_prompt" : "can be false with continue_final_message only");
  }
  request.split_reasoning = fields.text("reasoning_format").value_or("auto") != "none";
}

void check_lanes(const ApiRequest& request) {
  const auto lanes = static_cast<size_t>(request.lanes_each());
  if (request.endpoint == ApiEndpoint::group && request.groups_each() > 1)
    throw ApiError(400, "n must be 1 where lanes.count says how many lanes the group has", "n");
  if (request.lanes.texts.size() > lanes)
    throw ApiError(400, "lanes.text holds more texts than there are lanes (n)", "lanes.text");
  if (request.lanes.consensus > request.lanes_each())
    throw ApiError(400, "lanes.consensus must not exceed the number of lanes (n)", "lanes.consensus");
  const int64_t choices =
      static_cast<int64_t>(request.n_prompts()) * request.groups_each() * request.lanes_each();
  if (choices > most_choices) {
    throw ApiError(400,
                   "the prompts, n and lanes.count come to " + std::to_string(choices) +
                       " lanes, and one request may have " + std::to_string(most_choices),
                   "n");
  }
}

void read_lora(const JsonFields& fields, ApiRequest& request) {
  const Json* lora = fields.find("lora");
  if (lora == nullptr) return;
  if (!lora->is_array()) fields.refuse("lora", "must be an array of {\"id\", \"scale\"}");
  request.lora = parse_adapter_scales(*lora, "lora");
}

// What only goes with messages.
void read_chat(const JsonFields& fields, ApiRequest& request) {
  request.tools = parse_tools(fields);
  if (const auto arguments = fields.object("chat_template_kwargs"))
    request.template_arguments = arguments->object();
  request.reasoning_effort = fields.text("reasoning_effort").value_or("");
  const auto budget = under_any_name(fields, "thinking_token_budget", [&fields](std::string_view name) {
    return fields.integer(name, {.least = -1, .most = most_tokens});
  });
  if (budget) request.thinking_budget = static_cast<int32_t>(*budget);
}

}  // namespace

std::vector<AdapterScale> parse_adapter_scales(const Json& list, const std::string& path) {
  std::vector<AdapterScale> scales;
  for (const Json& entry : list) {
    const JsonFields adapter(entry, path);
    const auto id = adapter.integer("id", {.least = 0, .most = most_adapters - 1});
    if (!id) adapter.refuse("id", "is missing");
    const auto scale = adapter.number("scale", {.least = -1000, .most = 1000});
    // An id alone means all of it; beside other words the scale may be meant by one of them. Servers list
    // adapters with more of these, and clients send back such a list.
    if (!scale) adapter.only({"id", "scale"});
    const AdapterScale one{.id = static_cast<int32_t>(*id), .scale = static_cast<float>(scale.value_or(1))};
    if (std::ranges::find(scales, one.id, &AdapterScale::id) != scales.end())
      adapter.refuse("id", "names adapter " + std::to_string(one.id) + " a second time; name each once");
    scales.push_back(one);
  }
  return scales;
}

ApiRequest parse_api_request(ApiEndpoint endpoint, std::string_view body) {
  return parse_api_json(endpoint, parse_body(body));
}

ApiRequest parse_api_json(ApiEndpoint endpoint, const Json& body) {
  const JsonFields fields(body);
  ApiRequest request{.endpoint = endpoint};
  request.unknown = check_fields(endpoint, body);
  const bool chat =
      endpoint == ApiEndpoint::chat || (endpoint == ApiEndpoint::group && fields.find("messages") != nullptr);
  if (chat) {
    if (fields.find("prompt") != nullptr) fields.refuse("prompt", "excludes messages; send one of them");
    request.messages = parse_messages(body);
    read_chat(fields, request);
  } else {
    read_prompts(fields, request);
  }
  request.n = static_cast<int32_t>(fields.integer("n", {.least = 1, .most = most_lanes}).value_or(1));
  read_sampling(fields, request);
  read_length(fields, request);
  read_logprobs(fields, request);
  read_lora(fields, request);
  read_form(fields, request);
  request.format = parse_answer_format(body);
  request.lanes = parse_lanes_object(endpoint, body);
  check_lanes(request);
  return request;
}

}  // namespace lanerope::server
