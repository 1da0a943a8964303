// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/certainty_meter.h"
#include "engine/random.h"
#include "kernels/vocabulary_reduce.h"
#include "lanerope/policy.h"
#include "lanerope/request.h"
#include "lanerope/result.h"

namespace lanerope::engine {

struct Draw {
  TokenId token = 0;
  float logprob = 0;  // under the model's own distribution, before bias, penalties and temperature
  std::vector<Alternative> top = {};  // most likely first
  std::optional<TokenCertainty> certainty = {};
  std::optional<DrawnToken> drawn = {};
};

struct DrawOptions {
  const Sampling& sampling;
  std::span<const TokenId> history = {};  // the tokens before, if has_penalties: the prompt's and the lane's
  DrawKey key;
  std::span<const int32_t> allowed = {};  // a bit a row, as grammar::Matcher::allowed() has them; empty: all
  int32_t top_logprobs = 0;
  bool certainty = false;  // Draw::certainty is wanted
  bool drawn = false;      // Draw::drawn is wanted
};

// Draws tokens from logits. Keeps scratch memory: one thread at a time.
class Sampler {
 public:
  // Throws BadFile if no logit is finite.
  Draw draw(const kernels::LogitRow& logits, const DrawOptions& options);

  // What the model gives a token that is there already, and the `top` likeliest in its place.
  PromptToken score(const kernels::LogitRow& logits, TokenId token, int32_t top);

 private:
  std::vector<Alternative> likeliest(int32_t count, double normaliser);
  void adjust(const DrawOptions& options);
  TokenCertainty certainty(double normaliser);
  double of_likeliest(double normaliser);
  DrawnToken distribution(double normaliser);
  std::span<const kernels::Candidate> likely(const Sampling& sampling);
  static TokenId pick(std::span<const kernels::Candidate> candidates, float temperature, double u);
  TokenId pick_any(float temperature, double u);

  kernels::VocabularyReduce reduce_;
  std::vector<float> scratch_ = {};  // [n_tokens]
};

// Makes logits -inf where the mask has no bit.
void forbid(std::span<float> logits, std::span<const int32_t> allowed);

// Whether the sampling looks at the tokens before.
bool has_penalties(const Sampling& sampling);

// Throws InvalidRequest, naming the parameter, where one is out of its range.
void check_sampling(const Sampling& sampling, int32_t n_tokens);

}  // namespace lanerope::engine
