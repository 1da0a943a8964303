// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "engine/certainty_meter.h"
#include "engine/sampler.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

std::vector<float> logits_of(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(n);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

TEST(Certainty, OfATokenIsWhatItsDefinitionsSay) {
  for (const size_t n : {5U, 20U, 21U, 400U, 5000U}) {
    const std::vector<float> logits = logits_of(n, static_cast<uint32_t>(n));
    double total = 0;
    for (const float logit : logits) total += std::exp(double{logit});
    double divergence = 0;  // of the distribution from the uniform one
    std::vector<double> log_probabilities;
    for (const float logit : logits) {
      const double log_p = logit - std::log(total);
      const double uniform = 1.0 / static_cast<double>(n);
      divergence += uniform * (std::log(uniform) - log_p);
      log_probabilities.push_back(log_p);
    }
    std::ranges::sort(log_probabilities, std::greater{});
    log_probabilities.resize(std::min<size_t>(n, 20));
    double likeliest = 0;
    for (const double log_p : log_probabilities)
      likeliest -= log_p / static_cast<double>(log_probabilities.size());

    Sampler sampler;
    const Sampling sampling;
    const Draw draw = sampler.draw(logits, {.sampling = sampling, .key = {}, .certainty = true});
    ASSERT_TRUE(draw.certainty);
    EXPECT_NEAR(draw.certainty->self_certainty, divergence, 1e-4);
    EXPECT_NEAR(draw.certainty->of_likeliest, likeliest, 1e-4);
    const Draw without = sampler.draw(logits, {.sampling = sampling, .key = {}});
    EXPECT_FALSE(without.certainty);
    EXPECT_EQ(without.token, draw.token) << "looking at certainty draws nothing else";
  }
}

TEST(Certainty, OfALaneIsAMeanAndTheLowestWindow) {
  const std::vector<double> values = {5, 1, 2, 9, 9, 3, 1, 8};
  for (const int32_t window : {1, 2, 3, 8, 9, 100}) {
    CertaintyMeter meter(window);
    double mean = 0;
    for (const double value : values) {
      meter.add({.self_certainty = 2 * value, .of_likeliest = value});
      mean += value / static_cast<double>(values.size());
    }
    double lowest = window > 8 ? mean : 1e9;
    for (size_t from = 0; from + static_cast<size_t>(window) <= values.size(); ++from) {
      double sum = 0;
      for (size_t i = from; i < from + static_cast<size_t>(window); ++i) sum += values[i];
      lowest = std::min(lowest, sum / window);
    }
    EXPECT_NEAR(meter.result().self_certainty, 2 * mean, 1e-12) << window;
    EXPECT_NEAR(meter.result().lowest_window, lowest, 1e-12) << window;
  }
  EXPECT_EQ(CertaintyMeter(4).result(), Certainty());
}

TEST(Certainty, IsMeasuredWhereItIsAskedForAndChangesNoText) {
  const auto model = support::load_model(
      tools::RandomModel{.n_layer = 1, .width = 64, .n_ffn = 96, .n_vocab = 400, .output_gain = 1, .seed = 5},
      BackEnd::kernels);
  Engine engine(model, {.kv_cells = 4096});
  Request request{.prompt = {.tokens = {5, 6, 7}}, .lanes = 3, .budget = 24};
  request.sampling.seed = 4;
  const support::GroupRun plain = support::run_group(engine, request);
  EXPECT_FALSE(plain.result.lanes[0].certainty);
  request.certainty_window = 8;
  const support::GroupRun measured = support::run_group(engine, request);
  request.certainty_window = 0;
  request.selection.weight = VoteWeight::lowest_window;
  const support::GroupRun weighted = support::run_group(engine, request);
  for (size_t m = 0; m < 3; ++m) {
    EXPECT_EQ(measured.result.lanes[m].tokens, plain.result.lanes[m].tokens);
    ASSERT_TRUE(measured.result.lanes[m].certainty);
    EXPECT_GT(measured.result.lanes[m].certainty->self_certainty, 0);
    EXPECT_GT(measured.result.lanes[m].certainty->lowest_window, 0);
    ASSERT_TRUE(weighted.result.lanes[m].certainty) << "a vote that is weighted by it needs it";
    EXPECT_EQ(weighted.result.lanes[m].certainty->self_certainty,
              measured.result.lanes[m].certainty->self_certainty);
  }
}

}  // namespace
}  // namespace lanerope::engine
