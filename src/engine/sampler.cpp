// SPDX-License-Identifier: Apache-2.0
#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "lanerope/errors.h"

namespace lanerope {

namespace {

bool more_likely(float logit_a, TokenId a, float logit_b, TokenId b) {
  return logit_a != logit_b ? logit_a > logit_b : a < b;
}

TokenId argmax(std::span<const float> logits) {
  size_t best = 0;
  for (size_t i = 1; i < logits.size(); ++i) {
    if (logits[i] > logits[best]) best = i;
  }
  return static_cast<TokenId>(best);
}

}  // namespace

double log_sum_exp(std::span<const float> logits) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const float x : logits) largest = std::max(largest, x);
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - largest);
  return largest + std::log(sum);
}

std::vector<Alternative> largest_logits(std::span<const float> logits, int32_t count) {
  const auto worse = [](const Alternative& a, const Alternative& b) {
    return more_likely(a.logprob, a.token, b.logprob, b.token);
  };
  std::vector<Alternative> heap;  // the least likely in front
  for (size_t i = 0; i < logits.size() && count > 0; ++i) {
    const Alternative candidate{.token = static_cast<TokenId>(i), .logprob = logits[i]};
    if (heap.size() < static_cast<size_t>(count)) {
      heap.push_back(candidate);
      std::ranges::push_heap(heap, worse);
    } else if (worse(candidate, heap.front())) {
      std::ranges::pop_heap(heap, worse);
      heap.back() = candidate;
      std::ranges::push_heap(heap, worse);
    }
  }
  std::ranges::sort_heap(heap, worse);
  return heap;
}

std::span<const float> Sampler::adjusted(std::span<const float> logits, const DrawOptions& options) {
  const Sampling& s = options.sampling;
  const bool penalised = s.repetition_penalty != 1.0F || s.presence_penalty != 0.0F || s.frequency_penalty != 0.0F;
  if (s.logit_bias.empty() && !penalised) return logits;

  scratch_.assign(logits.begin(), logits.end());
  for (const LogitBias& bias : s.logit_bias) scratch_[bias.token] += bias.bias;
  if (penalised) {
    std::unordered_map<TokenId, int> counts;
    const auto window = std::min<size_t>(options.history.size(), s.penalty_window);
    for (const TokenId token : options.history.last(window)) ++counts[token];
    for (const auto& [token, count] : counts) {
      float& logit = scratch_[token];
      logit = logit > 0 ? logit / s.repetition_penalty : logit * s.repetition_penalty;
      logit -= s.presence_penalty + s.frequency_penalty * static_cast<float>(count);
    }
  }
  return scratch_;
}

// Fills candidates_ with the tokens that top-k leaves, most likely first as far as top-p and min-p need to know.
void Sampler::collect(std::span<const float> logits, const Sampling& s) {
  candidates_.clear();
  const auto order = [](const Candidate& a, const Candidate& b) {
    return more_likely(a.logit, a.token, b.logit, b.token);
  };
  const auto n = static_cast<int32_t>(logits.size());
  if (s.top_k > 0 && s.top_k < n) {
    for (const Alternative& a : largest_logits(logits, s.top_k)) {
      candidates_.push_back({.logit = a.logprob, .token = a.token});
    }
    return;
  }
  for (int32_t i = 0; i < n; ++i) candidates_.push_back({.logit = logits[i], .token = i});
  if (s.top_p < 1.0F || s.min_p > 0.0F) std::ranges::sort(candidates_, order);
}

TokenId Sampler::pick(const Sampling& s, double u) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const Candidate& c : candidates_) largest = std::max(largest, c.logit);

  // top-p and min-p look at the distribution before the temperature, as llama.cpp's default order does.
  size_t kept = candidates_.size();
  if (s.top_p < 1.0F) {
    double total = 0;
    for (const Candidate& c : candidates_) total += std::exp(c.logit - largest);
    double sum = 0;
    for (kept = 0; kept < candidates_.size() && (kept == 0 || sum < s.top_p * total); ++kept) {
      sum += std::exp(candidates_[kept].logit - largest);
    }
  }
  if (s.min_p > 0.0F) {
    const float least = largest + std::log(s.min_p);
    size_t likely = 0;
    while (likely < kept && candidates_[likely].logit >= least) ++likely;
    kept = std::max<size_t>(1, likely);
  }

  const auto weight = [&](const Candidate& c) { return std::exp((c.logit - largest) / s.temperature); };
  double total = 0;
  for (size_t i = 0; i < kept; ++i) total += weight(candidates_[i]);
  double rest = u * total;
  for (size_t i = 0; i < kept; ++i) {
    rest -= weight(candidates_[i]);
    if (rest < 0) return candidates_[i].token;
  }
  return candidates_[kept - 1].token;  // u * total was rounded up to total
}

Draw Sampler::draw(std::span<const float> logits, const DrawOptions& options) {
  const double normaliser = log_sum_exp(logits);
  if (!std::isfinite(normaliser)) {
    throw BadFile("the model gives no finite logits; its file is damaged or its weights overflow");
  }
  Draw result;
  const std::span<const float> shaped = adjusted(logits, options);
  if (options.sampling.temperature == 0.0F) {
    result.token = argmax(shaped);
  } else {
    collect(shaped, options.sampling);
    result.token = pick(options.sampling, uniform(options.key));
  }
  result.logprob = static_cast<float>(logits[result.token] - normaliser);
  if (options.top_logprobs > 0) {
    result.top = largest_logits(logits, options.top_logprobs);
    for (Alternative& alternative : result.top) alternative.logprob -= static_cast<float>(normaliser);
  }
  return result;
}

void check_sampling(const Sampling& s, int32_t n_vocab) {
  const auto require = [](bool good, const std::string& what) {
    if (!good) throw InvalidRequest(what);
  };
  require(std::isfinite(s.temperature) && s.temperature >= 0, "the temperature must be 0 or more");
  require(s.top_k >= 0, "top-k must be 0 (all tokens) or more");
  require(s.top_p > 0 && s.top_p <= 1, "top-p must be more than 0 and at most 1");
  require(s.min_p >= 0 && s.min_p < 1, "min-p must be at least 0 and less than 1");
  require(std::isfinite(s.repetition_penalty) && s.repetition_penalty > 0, "the repetition penalty must be positive");
  require(std::isfinite(s.presence_penalty), "the presence penalty must be a number");
  require(std::isfinite(s.frequency_penalty), "the frequency penalty must be a number");
  require(s.penalty_window >= 0, "the penalty window must be 0 or more");
  for (const LogitBias& bias : s.logit_bias) {
    require(bias.token >= 0 && bias.token < n_vocab, "logit bias names token " + std::to_string(bias.token) +
                                                         ", and the vocabulary has " + std::to_string(n_vocab));
    require(!std::isnan(bias.bias) && bias.bias < std::numeric_limits<float>::infinity(),
            "the logit bias of token " + std::to_string(bias.token) + " must be a number or -inf");
  }
}

}  // namespace lanerope
