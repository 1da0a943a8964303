// SPDX-License-Identifier: Apache-2.0
#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "engine/random.h"
#include "lanerope/errors.h"

namespace lanerope::engine {
namespace {

// Random123's vector for philox4x32-10 with counter 0 and key 0 begins 6627e8d5 e169c58d; a draw takes 53
// bits of them.
TEST(Uniform, IsPhilox) {
  const uint64_t word = 0x6627e8d5e169c58dULL;
  EXPECT_EQ(uniform({.seed = 0, .lane = 0, .step = 0}), static_cast<double>(word >> 11) / 9007199254740992.0);
}

TEST(Uniform, IsAnotherNumberForEachSeedLaneAndStep) {
  std::vector<double> numbers;
  for (const uint64_t seed : {0ULL, 1ULL, 1ULL << 32, 0x123456789abcdefULL}) {
    for (uint32_t lane = 0; lane < 16; ++lane) {
      for (uint32_t step = 0; step < 64; ++step)
        numbers.push_back(uniform({.seed = seed, .lane = lane, .step = step}));
    }
  }
  std::ranges::sort(numbers);
  EXPECT_TRUE(std::ranges::adjacent_find(numbers) == numbers.end());
  EXPECT_GE(numbers.front(), 0);
  EXPECT_LT(numbers.back(), 1);
  double mean = 0;
  for (const double number : numbers) mean += number / static_cast<double>(numbers.size());
  EXPECT_NEAR(mean, 0.5, 0.02);
}

// The probability of each token, by the definitions, step by step over the whole vocabulary.
std::vector<double> probabilities(std::vector<double> logits, const Sampling& s,
                                  const std::vector<TokenId>& history) {
  for (const LogitBias& bias : s.logit_bias) logits[bias.token] += bias.bias;
  std::map<TokenId, int> counts;
  const size_t first = history.size() - std::min<size_t>(history.size(), s.penalty_window);
  for (size_t i = first; i < history.size(); ++i) ++counts[history[i]];
  for (const auto& [token, n] : counts) {
    logits[token] *= logits[token] > 0 ? 1 / s.repetition_penalty : s.repetition_penalty;
    logits[token] -= s.presence_penalty + s.frequency_penalty * n;
  }
  std::vector<size_t> order(logits.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  const auto softmax = [&](double temperature) {
    std::vector<double> p(logits.size());
    double total = 0;
    for (const size_t i : order) total += p[i] = std::exp((logits[i] - logits[order[0]]) / temperature);
    for (double& value : p) value /= total;
    return p;
  };

  if (s.top_k > 0) order.resize(std::min<size_t>(order.size(), s.top_k));
  std::vector<double> p = softmax(1);
  std::fill(p.begin(), p.end(), 0.0);
  double total = 0;
  for (const size_t i : order) total += p[i] = std::exp(logits[i]);
  double sum = 0;
  size_t kept = 0;
  while (kept < order.size() && (kept == 0 || sum < s.top_p * total)) sum += p[order[kept++]];
  order.resize(kept);
  while (order.size() > 1 && p[order.back()] < s.min_p * p[order[0]]) order.pop_back();
  std::fill(p.begin(), p.end(), 0.0);
  if (s.temperature == 0) {
    p[order[0]] = 1;
    return p;
  }
  total = 0;
  for (const size_t i : order) total += p[i] = std::exp((logits[i] - logits[order[0]]) / s.temperature);
  for (double& value : p) value /= total;
  return p;
}

std::vector<float> some_logits(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(n);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

const std::vector<Sampling>& settings() {
  static const std::vector<Sampling> all = {
      {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0},
      {.temperature = 0.5F, .top_k = 0, .top_p = 1, .min_p = 0},
      {.temperature = 2, .top_k = 5, .top_p = 1, .min_p = 0},
      {.temperature = 1, .top_k = 1},
      {.temperature = 1, .top_k = 0, .top_p = 0.7F, .min_p = 0},
      {.temperature = 1.5F, .top_k = 0, .top_p = 1, .min_p = 0.1F},
      {.temperature = 0.8F, .top_k = 12, .top_p = 0.9F, .min_p = 0.02F},
      {.temperature = 0},
      {.temperature = 1e-38F, .top_k = 0, .top_p = 1, .min_p = 0},
      {.temperature = 1e-44F},
      {.temperature = 0.02F, .top_k = 0, .top_p = 1, .min_p = 0},
      {.temperature = 9e-4F, .top_k = 0, .top_p = 1, .min_p = 0},
      {.temperature = 1, .top_k = 500, .top_p = 0.95F, .min_p = 0, .repetition_penalty = 1.7F},
      {.temperature = 1,
       .top_k = 0,
       .top_p = 1,
       .min_p = 0,
       .presence_penalty = 1.5F,
       .frequency_penalty = 0.4F},
      {.temperature = 0, .repetition_penalty = 3, .penalty_window = 2},
      {.temperature = 1,
       .top_k = 0,
       .top_p = 1,
       .min_p = 0,
       .logit_bias = {{.token = 3, .bias = 4}, {.token = 5, .bias = -INFINITY}}},
  };
  return all;
}

// Pearson's statistic over the tokens that are expected often enough: its mean is the number of them, its
// deviation the root of twice that.
TEST(Sampler, DrawsFromTheDefinedDistribution) {
  constexpr int draws = 20000;
  const std::vector<TokenId> history = {3, 7, 7, 1, 9, 3, 3};
  for (size_t setting = 0; setting < settings().size(); ++setting) {
    const Sampling& sampling = settings()[setting];
    const std::vector<float> logits = some_logits(40, static_cast<unsigned>(setting));
    const auto p = probabilities({logits.begin(), logits.end()}, sampling, history);
    Sampler sampler;
    std::vector<int> counts(logits.size());
    for (int i = 0; i < draws; ++i) {
      const Draw draw = sampler.draw(
          logits,
          {.sampling = sampling,
           .history = history,
           .key = {.seed = 42, .lane = static_cast<uint32_t>(setting), .step = static_cast<uint32_t>(i)}});
      ++counts[draw.token];
    }
    double statistic = 0;
    int cells = 0;
    for (size_t token = 0; token < p.size(); ++token) {
      const double expected = p[token] * draws;
      if (expected == 0) {
        EXPECT_EQ(counts[token], 0) << "setting " << setting << ", token " << token;
      } else if (expected >= 8) {
        ++cells;
        statistic += (counts[token] - expected) * (counts[token] - expected) / expected;
      }
    }
    EXPECT_LT(statistic, cells + 4 * std::sqrt(2.0 * cells) + 1) << "setting " << setting;
  }
}

TEST(Sampler, TakesTheLargestLogitWhereItIsGreedyAndTheFirstOfEquals) {
  Sampler sampler;
  const Sampling greedy{.temperature = 0};
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::vector<float> logits = some_logits(1000, seed);
    const auto largest = std::ranges::max_element(logits) - logits.begin();
    EXPECT_EQ(sampler.draw(logits, {.sampling = greedy, .key = {}}).token, largest);
    logits[999] = logits[largest];
    EXPECT_EQ(sampler.draw(logits, {.sampling = greedy, .key = {}}).token, largest);
  }
}

TEST(Sampler, ReportsTheModelsOwnLogProbabilities) {
  Sampler sampler;
  const std::vector<float> logits = some_logits(50, 3);
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit));
  Sampling sampling = settings()[9];
  sampling.logit_bias = {{.token = 2, .bias = 5}};
  const std::vector<TokenId> history = {1, 2, 3};
  const Draw draw =
      sampler.draw(logits, {.sampling = sampling, .history = history, .key = {}, .top_logprobs = 50});
  EXPECT_NEAR(draw.logprob, logits[draw.token] - std::log(total), 1e-5) << "before bias and penalties";
  ASSERT_EQ(draw.top.size(), 50U);
  double sum = 0;
  for (size_t i = 0; i < draw.top.size(); ++i) {
    sum += std::exp(draw.top[i].logprob);
    EXPECT_NEAR(draw.top[i].logprob, logits[draw.top[i].token] - std::log(total), 1e-5);
    if (i > 0) {
      EXPECT_GE(draw.top[i - 1].logprob, draw.top[i].logprob);
    }
  }
  EXPECT_NEAR(sum, 1, 1e-5) << "all of them together are the whole";
}

TEST(Sampler, RefusesLogitsThatSayNothing) {
  Sampler sampler;
  const Sampling sampling;
  EXPECT_THROW(sampler.draw(std::vector<float>(8, NAN), {.sampling = sampling, .key = {}}), BadFile);
  EXPECT_THROW(sampler.draw(std::vector<float>(8, -INFINITY), {.sampling = sampling, .key = {}}), BadFile);
  Sampling bans;
  for (int token = 0; token < 8; ++token) bans.logit_bias.push_back({.token = token, .bias = -INFINITY});
  EXPECT_THROW(sampler.draw(std::vector<float>(8, 1), {.sampling = bans, .key = {}}), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::engine
