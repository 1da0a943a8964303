// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lanerope/model.h"
#include "lanerope/resolve.h"
#include "lanerope/result.h"
#include "server/answer_reader.h"
#include "server/api_request.h"

namespace lanerope::server {

// What a request cost, as OpenAI counts it.
struct TokenUsage {
  int64_t prompt = 0;
  int64_t cached = 0;  // of the prompt
  int64_t generated = 0;
  int64_t reasoning = 0;  // of what was generated
};

// Turns the events of one group into choices of OpenAI's chat or text completions: chunks of a stream, or
// whole. A choice is a lane; with lanes.return = "selected" there is one choice, the selected lane.
class CompletionWriter {
 public:
  struct Context {
    std::shared_ptr<const ApiRequest> api = {};
    std::shared_ptr<const ResolvedRequest> request = {};
    std::shared_ptr<const Model> model = {};
    std::string echo = {};    // the prompt where it comes back before the text
    int32_t first_index = 0;  // of its choices
    Json envelope = {};       // what a chunk or response begins with: id, created, model, ...
  };
  explicit CompletionWriter(Context context);

  // What to send for this event, in order; nothing for most events of a request that does not stream.
  std::vector<Json> take(const Event& event);

  // Once group_finished has been taken:
  bool finished() const { return result_ != nullptr; }
  const GroupResult& result() const { return *result_; }
  std::vector<Json> choices() const;
  TokenUsage usage() const;

 private:
  struct Choice {
    AnswerReader reader;
    std::string reasoning = {};
    std::string content = {};
    Json calls = Json::array();              // of tools
    std::vector<PromptToken> logprobs = {};  // of the echoed prompt and the sampled tokens
    size_t text_offset = 0;                  // in characters, of the next token that is streamed
    int32_t reasoning_tokens = 0;
    FinishReason finish = FinishReason::none;
  };
  struct Delta {
    std::string reasoning = {};
    std::string content = {};
    Json calls = Json::array();  // with their places among the choice's
    Json logprobs = nullptr;
  };

  const ApiRequest& api() const { return *context_.api; }
  bool chat() const { return api().endpoint == ApiEndpoint::chat; }
  bool streams_all() const;
  Choice new_choice() const;
  Choice& choice(int32_t lane);
  static void add(Choice& to, const AnswerReader::Parts& parts, Delta& delta);
  Json logprobs_json(std::span<const PromptToken> tokens, size_t offset) const;
  Json stream_logprobs(Choice& choice, std::span<const PromptToken> tokens) const;
  static const char* finish_of(const Choice& choice);
  Json envelope() const;
  Json role_chunk(int32_t index) const;
  Json delta_chunk(int32_t index, const Delta& delta) const;
  Json finish_chunk(int32_t index, const Choice& choice) const;
  Json whole_choice(int32_t index, const Choice& choice) const;
  void take_token(const Event& event, std::vector<Json>& chunks);
  void send_selected(std::vector<Json>& chunks) const;

  Context context_;
  std::vector<PromptToken> prompt_;  // of an echo with log-probabilities
  std::vector<Choice> choices_;      // by lane
  std::shared_ptr<const GroupResult> result_;
};

}  // namespace lanerope::server
