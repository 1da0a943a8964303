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

namespace lanerope::server {

// Which of the answers come back: each lane's as a choice of its own, or only the selected one.
enum class ReturnedLanes { all, selected };

// The `lanes` object of a request: what is lanerope's own. docs/server.md describes every field.
struct LanesObject {
  bool present = false;
  CouplingChoice coupling = {};
  std::optional<std::string> tag = {};
  std::vector<std::string> texts = {};  // per lane
  std::optional<SelectionKind> select = {};
  VoteWeight vote_weight = VoteWeight::equal;
  int32_t certainty_window = 0;  // tokens; 0: certainty is not measured
  int32_t consensus = 0;
  ReturnedLanes returned = ReturnedLanes::all;
  int32_t reserve = 0;     // room for lanes that join later
  bool attention = false;  // report where the lanes looked, at the end
  bool hold = false;       // keep the group readable for probes after its end
};

struct AdapterScale {
  int32_t id = 0;
  float scale = 1.0F;
};

enum class ApiEndpoint { chat, completion, group };

// A request for text as the client wrote it: typed and in range, but not yet seen by a model.
struct ApiRequest {
  ApiEndpoint endpoint = ApiEndpoint::chat;
  std::vector<Message> messages = {};  // exactly one of these three is not empty
  std::string prompt = {};
  std::vector<TokenId> prompt_tokens = {};
  int32_t n = 1;
  std::optional<int32_t> max_tokens = {};
  Sampling sampling = {};
  std::optional<uint64_t> seed = {};  // none: the server chooses one
  std::vector<std::string> stop = {};
  bool ignore_end = false;
  bool stream = false;
  bool include_usage = false;
  bool logprobs = false;
  int32_t top_logprobs = 0;
  bool echo = false;            // completions: the prompt comes back before the text
  bool split_reasoning = true;  // chat: what the model thinks goes to reasoning_content
  std::vector<AdapterScale> lora = {};
  LanesObject lanes = {};
};

// Reads the body of POST /v1/chat/completions, /v1/completions or /v1/groups. Fields that it does not know
// are ignored. Throws ApiError (400). Needs no model and no state: fuzz/fuzz_server_request.cpp feeds it
// anything.
ApiRequest parse_api_request(ApiEndpoint endpoint, std::string_view body);

// The `messages` of a conversation, as chat completions and /apply-template take them.
std::vector<Message> parse_messages(const Json& body);

// The `lanes` object alone.
LanesObject parse_lanes_object(const Json& body);

}  // namespace lanerope::server

namespace lanerope {
template <>
std::span<const Named<server::ReturnedLanes>> names();
}  // namespace lanerope
