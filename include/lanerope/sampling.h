// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lanerope/token.h"

namespace lanerope {

// Makes one token likelier or less likely.
struct LogitBias {
  TokenId token = 0;
  float bias = 0;  // added to the logit; -inf bans the token
};

// How the next token of a lane is drawn. Applied in this order: logit bias, penalties, top-k, top-p, min-p,
// temperature. Engine::submit throws InvalidRequest, naming the parameter, for one out of its range.
struct Sampling {
  float temperature = 0.8F;  // 0 is greedy
  int32_t top_k = 40;        // so many likeliest tokens stay; 0 means all
  float top_p = 0.95F;       // the likeliest that make up this probability stay; 1 means all
  float min_p = 0.05F;       // those stay that have this share of the likeliest one's probability
  // Positive logits of tokens that occurred are divided by it, others multiplied.
  float repetition_penalty = 1.0F;
  float presence_penalty = 0.0F;   // taken off the logit of a token that occurred
  float frequency_penalty = 0.0F;  // the same, for each time it occurred
  int32_t penalty_window = 64;     // the last tokens of the prompt and the lane that penalties look at
  std::vector<LogitBias> logit_bias = {};
  // Lane m draws its s-th token with a counter-based generator keyed by (seed, m, s): its text does not
  // depend on what else runs. Lanes of one request differ from one another. Unset: as RequestDefaults::seeds
  // says.
  std::optional<uint64_t> seed = {};
};

}  // namespace lanerope
