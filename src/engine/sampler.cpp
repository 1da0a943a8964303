// SPDX-License-Identifier: Apache-2.0
#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <unordered_map>

#include "lanerope/errors.h"

namespace lanerope::engine {

bool has_penalties(const Sampling& s) {
  return s.repetition_penalty != 1.0F || s.presence_penalty != 0.0F || s.frequency_penalty != 0.0F;
}

void forbid(std::span<float> logits, std::span<const int32_t> allowed) {
  for (size_t i = 0; i < logits.size(); ++i) {
    const bool may = ((static_cast<uint32_t>(allowed[i / 32]) >> (i % 32)) & 1U) != 0;
    if (!may) logits[i] = -std::numeric_limits<float>::infinity();
  }
}

// From now on the row is what the options make of it.
void Sampler::adjust(const DrawOptions& options) {
  const Sampling& s = options.sampling;
  const std::span<const float> logits = reduce_.all();
  scratch_.assign(logits.begin(), logits.end());
  if (!options.allowed.empty()) forbid(scratch_, options.allowed);
  for (const LogitBias& bias : s.logit_bias) scratch_[bias.token] += bias.bias;
  if (has_penalties(s)) {
    std::unordered_map<TokenId, int> counts;
    const auto window = std::min<size_t>(options.history.size(), s.penalty_window);
    for (const TokenId token : options.history.last(window)) ++counts[token];
    for (const auto& [token, count] : counts) {
      float& logit = scratch_[token];
      logit = logit > 0 ? logit / s.repetition_penalty : logit * s.repetition_penalty;
      logit -= s.presence_penalty + s.frequency_penalty * static_cast<float>(count);
    }
  }
  reduce_.read(scratch_);
}

// What top-k, top-p and min-p leave, most likely first; at least one of them is on. Top-p and min-p look at
// the distribution before the temperature, as llama.cpp's default order does.
std::span<const kernels::Candidate> Sampler::likely(const Sampling& s) {
  const float largest = reduce_.greatest().logit;
  const float least = s.min_p > 0 ? largest + std::log(s.min_p) : -std::numeric_limits<float>::infinity();
  std::span<const kernels::Candidate> candidates;
  if (s.top_k > 0) {
    candidates = reduce_.top(s.top_k);
    double total = 0;
    for (const kernels::Candidate& c : candidates) total += std::exp(c.logit - largest);
    size_t kept = 0;
    for (double sum = 0; kept < candidates.size() && (kept == 0 || sum < s.top_p * total); ++kept) {
      sum += std::exp(candidates[kept].logit - largest);
    }
    candidates = candidates.first(kept);
  } else {
    candidates = s.top_p < 1 ? reduce_.nucleus(s.top_p, 1.0F) : reduce_.above(least);
  }
  const auto unlikely =
      std::ranges::find_if(candidates, [&](const kernels::Candidate& c) { return c.logit < least; });
  return candidates.first(std::max<size_t>(1, unlikely - candidates.begin()));
}

TokenId Sampler::pick(std::span<const kernels::Candidate> candidates, float temperature, double u) {
  const float largest = candidates.front().logit;
  const auto weight = [&](const kernels::Candidate& c) {
    return std::exp((c.logit - largest) / temperature);
  };
  double total = 0;
  for (const kernels::Candidate& c : candidates) total += weight(c);
  double rest = u * total;
  TokenId last = candidates.front().token;
  for (const kernels::Candidate& c : candidates) {
    if (weight(c) == 0) continue;  // forbidden
    rest -= weight(c);
    last = c.token;
    if (rest < 0) break;
  }
  return last;  // or u * total was rounded up to total
}

// From the whole vocabulary, in the order of the tokens. A temperature so low that dividing by it would lose
// the digits of the logits leaves only those near the greatest anything to be drawn by.
TokenId Sampler::pick_any(float temperature, double u) {
  constexpr float lowest_divisor = 1e-3F;
  constexpr float nothing = 100;  // exp(-100) of the greatest is no probability to speak of
  if (temperature < lowest_divisor)
    return pick(reduce_.above(reduce_.greatest().logit - nothing * temperature), temperature, u);
  const std::span<const float> logits = reduce_.all();
  const double normaliser = reduce_.log_sum_exp(temperature);
  double rest = u;
  for (size_t i = 0; i < logits.size(); ++i) {
    rest -= std::exp(logits[i] / temperature - normaliser);
    if (rest < 0) return static_cast<TokenId>(i);
  }
  return reduce_.greatest().token;  // the sum was rounded to less than u
}

double Sampler::of_likeliest(double normaliser) {
  constexpr int32_t likeliest = 20;  // as DeepConf has it
  const std::span<const kernels::Candidate> top = reduce_.top(likeliest);
  double sum = 0;
  for (const kernels::Candidate& c : top) sum += normaliser - c.logit;
  return sum / static_cast<double>(top.size());
}

TokenCertainty Sampler::certainty(double normaliser) {
  const auto count = static_cast<double>(reduce_.n_tokens());
  return {.self_certainty = normaliser - reduce_.sum() / count - std::log(count),
          .of_likeliest = of_likeliest(normaliser)};
}

// All but the token that is drawn of it.
DrawnToken Sampler::distribution(double normaliser) {
  const std::vector<Alternative> top = likeliest(2, normaliser);
  return {.likeliest = top.front(),
          .second = top.size() > 1 ? top[1] : Alternative{.token = -1},
          .entropy = reduce_.entropy(normaliser),
          .confidence = of_likeliest(normaliser)};
}

std::vector<Alternative> Sampler::likeliest(int32_t count, double normaliser) {
  std::vector<Alternative> list;
  if (count == 0) return list;
  for (const kernels::Candidate& c : reduce_.top(count))
    list.push_back({.token = c.token, .logprob = static_cast<float>(c.logit - normaliser)});
  return list;
}

PromptToken Sampler::score(const kernels::LogitRow& logits, TokenId token, int32_t top) {
  reduce_.read(logits);
  const double normaliser = reduce_.log_sum_exp(1.0F);
  return {.token = token,
          .logprob = static_cast<float>(reduce_.logit(token) - normaliser),
          .top = likeliest(top, normaliser)};
}

Draw Sampler::draw(const kernels::LogitRow& logits, const DrawOptions& options) {
  const Sampling& s = options.sampling;
  reduce_.read(logits);
  const double normaliser = reduce_.log_sum_exp(1.0F);
  if (!std::isfinite(normaliser)) {
    throw BadFile("the model gives no finite logits; its file is damaged or its weights overflow");
  }
  Draw result;
  result.top = likeliest(options.top_logprobs, normaliser);
  if (options.certainty) result.certainty = certainty(normaliser);
  if (options.drawn) result.drawn = distribution(normaliser);
  const bool adjusted = !s.logit_bias.empty() || has_penalties(s) || !options.allowed.empty();
  if (adjusted) adjust(options);
  if (reduce_.greatest().logit == -std::numeric_limits<float>::infinity()) {
    throw InvalidRequest(options.allowed.empty()
                             ? "the logit bias bans every token of the vocabulary"
                             : "no token of the vocabulary goes on in the answer's format, or the logit bias "
                               "bans all that do");
  }
  const bool everything = s.top_k == 0 && s.top_p >= 1 && s.min_p == 0;
  if (s.temperature == 0.0F) {
    result.token = reduce_.greatest().token;
  } else if (everything) {
    result.token = pick_any(s.temperature, uniform(options.key));
  } else {
    result.token = pick(likely(s), s.temperature, uniform(options.key));
  }
  const float logit = adjusted ? logits.all()[result.token] : reduce_.logit(result.token);
  result.logprob = static_cast<float>(logit - normaliser);
  if (result.drawn) {
    result.drawn->token = result.token;
    result.drawn->logprob = result.logprob;
  }
  return result;
}

void check_sampling(const Sampling& s, int32_t n_tokens) {
  const auto require = [](bool good, const std::string& what) {
    if (!good) throw InvalidRequest(what);
  };
  require(std::isfinite(s.temperature) && s.temperature >= 0, "the temperature must be 0 or more");
  require(s.top_k >= 0, "top-k must be 0 (all tokens) or more");
  require(s.top_p > 0 && s.top_p <= 1, "top-p must be more than 0 and at most 1");
  require(s.min_p >= 0 && s.min_p < 1, "min-p must be at least 0 and less than 1");
  require(std::isfinite(s.repetition_penalty) && s.repetition_penalty > 0,
          "the repetition penalty must be positive");
  require(std::isfinite(s.presence_penalty), "the presence penalty must be a number");
  require(std::isfinite(s.frequency_penalty), "the frequency penalty must be a number");
  require(s.penalty_window >= 0, "the penalty window must be 0 or more");
  for (const LogitBias& bias : s.logit_bias) {
    require(bias.token >= 0 && bias.token < n_tokens, "logit bias names token " + std::to_string(bias.token) +
                                                          ", and the vocabulary has " +
                                                          std::to_string(n_tokens));
    require(!std::isnan(bias.bias) && bias.bias < std::numeric_limits<float>::infinity(),
            "the logit bias of token " + std::to_string(bias.token) + " must be a number or -inf");
  }
  std::set<TokenId> banned;
  for (const LogitBias& bias : s.logit_bias) {
    if (bias.bias == -std::numeric_limits<float>::infinity()) banned.insert(bias.token);
  }
  require(std::ssize(banned) < n_tokens, "the logit bias bans every token of the vocabulary");
}

}  // namespace lanerope::engine
