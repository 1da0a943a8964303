// SPDX-License-Identifier: Apache-2.0
#include "engine/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

const std::string question = "How many beams are there?";

std::shared_ptr<const Model> small_model(uint64_t seed, BackEnd back_end = BackEnd::kernels) {
  return support::load_model(
      tools::RandomModel{
          .n_layer = 2, .width = 64, .n_ffn = 96, .n_vocab = 400, .output_gain = 2, .seed = seed},
      back_end);
}

struct Hypothesis {
  std::vector<TokenId> tokens;
  double sum_logprob = 0;
  bool ended = false;
};

// The same search, each step scored anew from the prompt on.
Hypothesis searched_anew(Engine& engine, int32_t width, int32_t budget) {
  const Model& model = engine.model();
  std::vector<Hypothesis> beams(1);
  for (int32_t step = 0; step < budget; ++step) {
    std::vector<Hypothesis> all;
    for (const Hypothesis& beam : beams) {
      if (beam.ended) {
        all.push_back(beam);
        continue;
      }
      std::vector<TokenId> lane = beam.tokens;
      lane.push_back(0);
      const std::vector<double> logits =
          support::all_logits(engine, {.prompt_tokens = model.encode(question, {}), .lanes = {lane}})[0]
              .back();
      double sum = 0;
      for (const double logit : logits) sum += std::exp(logit);
      for (size_t token = 0; token < logits.size(); ++token) {
        all.push_back(beam);
        all.back().tokens.push_back(static_cast<TokenId>(token));
        all.back().sum_logprob += logits[token] - std::log(sum);
        all.back().ended = model.is_end(static_cast<TokenId>(token));
      }
    }
    std::ranges::stable_sort(all, std::ranges::greater{}, &Hypothesis::sum_logprob);
    all.resize(std::min(all.size(), static_cast<size_t>(width)));
    beams = all;
    if (beams.front().ended) break;
  }
  return beams.front();
}

TEST(BeamSearch, FindsWhatScoringEveryStepAnewFinds) {
  int ended = 0;
  for (const uint64_t seed : {1, 50, 83}) {
    const auto model = small_model(seed);
    Engine engine(model, {.kv_cells = 2048});
    for (const int32_t width : {1, 2, 5}) {
      const BeamRequest request{.prompt = {.text = question}, .width = width, .budget = 8};
      BeamSearch search(model, BeamSearch::cells_of(*model, request));
      const BeamResult found = search.run(request);
      const Hypothesis wanted = searched_anew(engine, width, request.budget);
      EXPECT_EQ(found.tokens, wanted.tokens) << "seed " << seed << ", width " << width;
      EXPECT_EQ(found.ended, wanted.ended);
      ended += found.ended ? 1 : 0;
      EXPECT_NEAR(found.sum_logprob, wanted.sum_logprob, 1e-2);
    }
  }
  EXPECT_GT(ended, 2) << "texts that end are looked at too";
}

TEST(BeamSearch, OfOneBeamIsGreedy) {
  const auto model = small_model(4);
  Engine engine(model, {.kv_cells = 2048});
  const support::GroupRun greedy = support::run_group(
      engine,
      {.prompt = {.text = question}, .lanes = 1, .budget = 20, .tag = "", .sampling = {.temperature = 0}});
  BeamSearch search(model, 256);
  const BeamResult found = search.run({.prompt = {.text = question}, .width = 1, .budget = 20});
  EXPECT_EQ(found.tokens, greedy.result.lanes[0].tokens);
}

TEST(BeamSearch, SaysTheSameAfterOtherQuestionsAndOnEitherPath) {
  const BeamRequest request{.prompt = {.text = question}, .width = 3, .budget = 12};
  BeamSearch search(small_model(5), 256);
  const BeamResult first = search.run(request);
  search.run({.prompt = {.text = "Something else, and longer than the first."}, .width = 4, .budget = 16});
  EXPECT_EQ(search.run(request).tokens, first.tokens);
  BeamSearch plain(small_model(5, BackEnd::ggml), 256);
  EXPECT_NEAR(plain.run(request).sum_logprob, first.sum_logprob, 0.05);
}

// The likeliest of the texts that a format allows, each scored by itself with every end token behind it.
TEST(BeamSearch, KeepsToAFormat) {
  const std::vector<std::string> choices = {"3", "7", "x", "?"};
  for (const uint64_t seed : {1, 2, 3, 4}) {
    const auto model = small_model(seed);
    Engine engine(model, {.kv_cells = 2048});
    std::string best;
    double most = -INFINITY;
    for (const std::string& choice : choices) {
      for (TokenId end = 0; end < model->info().n_tokens; ++end) {
        if (!model->is_end(end)) continue;
        std::vector<TokenId> tokens = model->encode(choice, {.add_special = false});
        ASSERT_EQ(tokens.size(), 1U);
        tokens.push_back(end);
        const ScoreResult scored =
            engine.score({.prompt_tokens = model->encode(question, {}), .lanes = {tokens}});
        const double sum = scored.lanes[0][0].logprob + scored.lanes[0][1].logprob;
        if (sum > most) best = choice;
        most = std::max(most, sum);
      }
    }
    const BeamResult found = BeamSearch(model, 256)
                                 .run({.prompt = {.text = question},
                                       .width = 6,
                                       .budget = 4,
                                       .format = {.kind = FormatKind::choice, .choices = choices}});
    EXPECT_EQ(found.text, best);
    EXPECT_TRUE(found.ended);
    EXPECT_NEAR(found.sum_logprob, most, 1e-3);
  }
}

TEST(BeamSearch, RefusesWhatMakesNoSense) {
  BeamSearch search(small_model(6), 64);
  EXPECT_THROW(search.run({.prompt = {}, .width = 2, .budget = 4}), InvalidRequest);
  EXPECT_THROW(search.run({.prompt = {.text = "a"}, .width = 0, .budget = 4}), InvalidRequest);
  EXPECT_THROW(search.run({.prompt = {.text = "a"}, .width = 2, .budget = 0}), InvalidRequest);
  EXPECT_THROW(search.run({.prompt = {.text = "a"}, .width = 9, .budget = 9}), DoesNotFit);
}

}  // namespace
}  // namespace lanerope::engine
