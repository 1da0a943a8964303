// SPDX-License-Identifier: Apache-2.0
// What the model gives the tokens of the prompt itself: as scoring the same tokens as a lane does, whatever
// of the prompt is in the cells already and however it is cut into steps.
#include <gtest/gtest.h>

#include <cmath>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

class PromptLogprobs : public testing::TestWithParam<BackEnd> {
 protected:
  std::shared_ptr<const Model> model =
      support::load_model(tools::RandomModel{.width = 64, .n_ffn = 96, .n_vocab = 300}, GetParam());
  std::vector<TokenId> tokens = support::some_tokens(90, 3);

  Request request(std::optional<int32_t> top) const {
    return {.prompt = {.tokens = tokens},
            .lanes = 1,
            .budget = 4,
            .sampling = {.temperature = 0},
            .ignore_end = true,
            .prompt_logprobs = top};
  }
  static std::vector<PromptToken> scores(const support::GroupRun& run) {
    return *run.of(EventKind::prefill).front().prompt;
  }
};

TEST_P(PromptLogprobs, AreThoseOfTheTokensAsALane) {
  Engine engine(model, {.kv_cells = 4096});
  const support::GroupRun run = support::run_group(engine, request(3));
  const std::vector<PromptToken> prompt = scores(run);
  ASSERT_EQ(prompt.size(), tokens.size());
  EXPECT_EQ(prompt[0].token, tokens[0]);
  EXPECT_FALSE(prompt[0].logprob.has_value()) << "nothing came before it";
  EXPECT_TRUE(prompt[0].top.empty());

  Engine scorer(model, {.kv_cells = 4096});
  const ScoreResult expected = scorer.score({.prompt_tokens = {tokens[0]},
                                             .lanes = {{tokens.begin() + 1, tokens.end()}},
                                             .coupling = {.kind = CouplingKind::independent},
                                             .top_logits = 3});
  for (size_t i = 1; i < tokens.size(); ++i) {
    EXPECT_EQ(prompt[i].token, tokens[i]);
    const ScoredToken& other = expected.lanes[0][i - 1];
    EXPECT_NEAR(*prompt[i].logprob, other.logprob, 2e-2) << i;
    ASSERT_EQ(prompt[i].top.size(), 3U);
    EXPECT_GE(prompt[i].top[0].logprob, prompt[i].top[1].logprob);
    EXPECT_GE(prompt[i].top[0].logprob, *prompt[i].logprob) << "the same number where it is the likeliest";
    EXPECT_NEAR(prompt[i].top[0].logprob - prompt[i].top[1].logprob,
                other.top_logits[0].second - other.top_logits[1].second, 4e-2);
  }
}

TEST_P(PromptLogprobs, DoNotDependOnWhatIsKeptNorOnChunks) {
  Engine engine(model, {.kv_cells = 4096});
  const std::vector<PromptToken> fresh = scores(support::run_group(engine, request(0)));
  const support::GroupRun again = support::run_group(engine, request(0));
  EXPECT_EQ(again.result.cached_prompt_tokens, 0) << "read in full, though its cells are kept";
  Engine chunked(model, {.kv_cells = 4096, .batch_rows = 7});
  const std::vector<PromptToken> in_chunks = scores(support::run_group(chunked, request(0)));
  for (size_t i = 1; i < tokens.size(); ++i) {
    EXPECT_EQ(*scores(again)[i].logprob, *fresh[i].logprob);
    EXPECT_NEAR(*in_chunks[i].logprob, *fresh[i].logprob, GetParam() == BackEnd::kernels ? 0 : 5e-4);
    EXPECT_TRUE(fresh[i].top.empty());
  }
  EXPECT_GT(support::run_group(engine, request({})).result.cached_prompt_tokens, 0)
      << "and kept for who does not ask";
}

TEST_P(PromptLogprobs, AreNotThereUnlessAskedFor) {
  Engine engine(model, {.kv_cells = 4096});
  const support::GroupRun run = support::run_group(engine, request({}));
  EXPECT_EQ(run.of(EventKind::prefill).front().prompt, nullptr);
  EXPECT_THROW(engine.submit(request(21)), InvalidRequest);
}

INSTANTIATE_TEST_SUITE_P(BackEnds, PromptLogprobs, testing::Values(BackEnd::kernels, BackEnd::ggml),
                         [](const auto& of) { return std::string(name(of.param)); });

}  // namespace
}  // namespace lanerope::engine
