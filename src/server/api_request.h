// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/model.h"
#include "lanerope/request.h"
#include "server/api_error.h"
#include "server/tools/tool_request.h"

namespace lanerope::server {

// Which of the answers come back: each lane's as a choice of its own, or only the selected one.
enum class ReturnedLanes { all, selected };

// The `lanes` object of a request: what is lanerope's own. docs/server.md describes every field.
struct LanesObject {
  bool present = false;
  // Lanes of each of n answers, which are then groups of their own; none: the n answers are the lanes of one.
  std::optional<int32_t> count = {};
  CouplingChoice coupling = {};
  std::optional<std::string> tag = {};
  std::optional<std::string> wait = {};
  std::optional<std::string> ready = {};
  std::vector<std::string> texts = {};  // per lane
  std::optional<SecondStage> then = {};
  std::optional<SelectionKind> select = {};
  VoteWeight vote_weight = VoteWeight::equal;
  int32_t certainty_window = 0;  // tokens; 0: certainty is not measured
  int32_t consensus = 0;
  std::vector<PolicyChoice> policies = {};
  std::optional<std::vector<std::string>> tools =
      {};  // of the operator, those that lanes may call; none: all
  ReturnedLanes returned = ReturnedLanes::all;
  int32_t reserve = 0;     // room for lanes that join later
  bool attention = false;  // report where the lanes looked, at the end
  bool hold = false;       // keep the group readable for probes after its end
};

struct AdapterScale {
  int32_t id = 0;
  float scale = 1.0F;
};

// native_completion: /completion as llama.cpp has it.
enum class ApiEndpoint { chat, completion, group, native_completion };

// A prompt of a completion: one of the two is not empty.
struct TextPrompt {
  std::string text = {};
  std::vector<TokenId> tokens = {};
};

// A request for text as the client wrote it: typed and in range, but not yet seen by a model.
struct ApiRequest {
  ApiEndpoint endpoint = ApiEndpoint::chat;
  std::string model = {};
  std::vector<Message> messages = {};    // either these
  std::vector<TextPrompt> prompts = {};  // or these are there
  bool many_prompts = false;             // they came as an array, even if of one
  bool continue_last = false;            // the last message is the beginning of the answer
  int32_t n = 1;                         // answers to each prompt
  std::optional<int32_t> max_tokens = {};
  bool no_text = false;  // max_tokens 0: one token is written inside, and nothing of it shown
  Sampling sampling = {};
  std::optional<uint64_t> seed = {};  // none: the server chooses one
  std::vector<std::string> stop = {};
  bool ignore_end = false;
  AnswerFormat format = {};
  ToolRequest tools = {};                    // with messages
  Json template_arguments = Json::object();  // the same: variables of the chat template
  std::string reasoning_effort = {};         // the same; "none" switches thinking off
  std::optional<int32_t> thinking_budget = {};
  int32_t priority = 0;           // as vLLM has it: those of a lower one go first
  std::string client = {};        // who asks, for taking turns
  std::string request_id = {};    // what the log calls the request
  std::string trace_parent = {};  // W3C trace context
  bool stream = false;
  bool include_usage = false;
  bool logprobs = false;
  int32_t top_logprobs = 0;
  bool tokens_as_ids = false;   // completions: logprobs name tokens "token_id:N"
  bool return_tokens = false;   // llama.cpp's /completion
  bool echo = false;            // completions: the prompt comes back before the text
  bool split_reasoning = true;  // chat: what the model thinks goes to reasoning_content
  std::optional<std::vector<AdapterScale>> lora = {};  // those that it does not name are off
  LanesObject lanes = {};
  std::vector<std::string> unknown = {};  // fields that nobody knows

  // The groups that answer each prompt, the lanes of each, and the choices that each gives.
  int32_t groups_each() const { return lanes.count ? n : 1; }
  int32_t lanes_each() const { return lanes.count.value_or(n); }
  int32_t choices_each() const { return lanes.returned == ReturnedLanes::selected ? 1 : lanes_each(); }
  size_t n_prompts() const { return messages.empty() ? prompts.size() : 1; }
};

// Reads the body of POST /v1/chat/completions, /v1/completions, /completion or /v1/groups. Fields that nobody
// knows are listed; known ones that cannot be honoured are refused (server/field_rules.h). Throws ApiError
// (400). Needs no model and no state: fuzz/fuzz_server_request.cpp feeds it anything.
ApiRequest parse_api_request(ApiEndpoint endpoint, std::string_view body);
ApiRequest parse_api_json(ApiEndpoint endpoint, const Json& body);

// The `messages` of a conversation, as chat completions and /apply-template take them.
std::vector<Message> parse_messages(const Json& body);

// What the answer keeps to: response_format, structured_outputs, grammar and their like.
AnswerFormat parse_answer_format(const Json& body);

// The `lanes` object alone. Refuses what the endpoint has no use for.
LanesObject parse_lanes_object(ApiEndpoint endpoint, const Json& body);

// Entries {"id", "scale"} of a list that is called `path`, each of another adapter.
std::vector<AdapterScale> parse_adapter_scales(const Json& list, const std::string& path);

}  // namespace lanerope::server

namespace lanerope {
template <>
std::span<const Named<server::ReturnedLanes>> names();
}  // namespace lanerope
