// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lanerope/model.h"
#include "lanerope/resolve.h"
#include "lanerope/result.h"
#include "server/api_request.h"
#include "server/reasoning_splitter.h"

namespace lanerope::server {

// Turns the events of a group into OpenAI's chat or text completions: chunks of a stream, or one response. A
// choice is a lane; with lanes.return = "selected" there is one choice, the selected lane.
class CompletionWriter {
 public:
  struct Context {
    ApiRequest api = {};
    std::shared_ptr<const ResolvedRequest> request = {};
    std::shared_ptr<const Model> model = {};
    std::string model_id = {};
    int64_t created = 0;  // seconds since 1970
  };
  explicit CompletionWriter(Context context);

  // What to send for this event, in order; nothing for most events of a request that does not stream.
  std::vector<Json> take(const Event& event);
  // The whole response, once group_finished has been taken.
  Json response() const;

 private:
  struct Choice {
    ReasoningSplitter splitter;
    std::string reasoning = {};
    std::string content = {};
    Json logprobs = Json::array();  // one entry a sampled token
    size_t text_offset = 0;         // of the next token, for text completions
    int32_t reasoning_tokens = 0;
    FinishReason finish = FinishReason::none;
  };
  struct Delta {
    std::string reasoning = {};
    std::string content = {};
    Json logprobs = nullptr;
  };

  bool chat() const { return context_.api.endpoint == ApiEndpoint::chat; }
  bool streams_all() const;
  Choice new_choice() const;
  Choice& choice(int32_t lane);
  void add_text(Choice& to, const ReasoningSplitter::Parts& parts, Delta& delta);
  Json token_logprob(const Event& event) const;
  Json wrap_logprobs(const Choice& choice, const Json& tokens) const;
  Json envelope(bool chunk) const;
  Json role_chunk(int32_t index) const;
  Json delta_chunk(int32_t index, const Delta& delta) const;
  Json finish_chunk(int32_t index, FinishReason reason) const;
  Json whole_choice(int32_t index, const Choice& choice) const;
  Json usage() const;
  void close_stream(std::vector<Json>& chunks);

  Context context_;
  std::string id_;
  std::string echo_;
  std::vector<Choice> choices_;  // by lane
  std::shared_ptr<const GroupResult> result_;
};

}  // namespace lanerope::server
