// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "engine/random.h"
#include "lanerope/request.h"
#include "lanerope/result.h"

namespace lanerope {

struct Draw {
  TokenId token = 0;
  float logprob = 0;             // under the model's own distribution, before bias, penalties and temperature
  std::vector<Alternative> top = {};  // most likely first
};

struct DrawOptions {
  const Sampling& sampling;
  std::span<const TokenId> history = {};  // the tokens before, for the penalties: the prompt's and the lane's
  DrawKey key;
  int32_t top_logprobs = 0;
};

// Draws tokens from logits. Keeps scratch memory: one thread at a time.
class Sampler {
 public:
  // logits: [n_vocab]. Throws BadFile if none of them is finite.
  Draw draw(std::span<const float> logits, const DrawOptions& options);

 private:
  struct Candidate {
    float logit;
    TokenId token;
  };
  std::span<const float> adjusted(std::span<const float> logits, const DrawOptions& options);
  void collect(std::span<const float> logits, const Sampling& sampling);
  TokenId pick(const Sampling& sampling, double u);

  std::vector<float> scratch_ = {};         // [n_vocab]
  std::vector<Candidate> candidates_ = {};  // most likely first
};

// Throws InvalidRequest, naming the parameter, where one is out of its range.
void check_sampling(const Sampling& sampling, int32_t n_vocab);

// The `count` largest of `logits`, largest first; ties to the lower token.
std::vector<Alternative> largest_logits(std::span<const float> logits, int32_t count);

// log(sum(exp(logits))), in double precision.
double log_sum_exp(std::span<const float> logits);

}  // namespace lanerope
