// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "lanerope/model.h"
#include "lanerope/result.h"
#include "server/api_error.h"

namespace lanerope::server {

// Log-probabilities of tokens as OpenAI's two APIs write them. No number is below -9999, as JSON has no
// infinity.

// Chat: {"content": [{"token", "logprob", "bytes", "top_logprobs"}, ...], "refusal": null}.
Json chat_logprobs(const Model& model, std::span<const PromptToken> tokens);

// Completions: four arrays side by side. Offsets are in characters from `offset` on; the first token of an
// echoed prompt has null. Of tokens that read alike the likeliest has the text as its key, others
// "token_id:N"; half a character is "bytes:\xe2".
struct TextLogprobs {
  size_t offset = 0;
  bool as_ids = false;  // every token is "token_id:N"
};
Json text_logprobs(const Model& model, std::span<const PromptToken> tokens, const TextLogprobs& how);

// Characters that begin in the tokens' text.
size_t n_characters(const Model& model, std::span<const PromptToken> tokens);

}  // namespace lanerope::server
