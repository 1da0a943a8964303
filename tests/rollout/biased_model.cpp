// SPDX-License-Identifier: Apache-2.0
#include "tests/rollout/biased_model.h"

#include <gtest/gtest.h>

#include "tests/support/random_models.h"

namespace lanerope::rollout {

std::shared_ptr<const Model> speaking_model() {
  static const std::shared_ptr<const Model> model = support::load_model(
      tools::RandomModel{.n_layer = 1, .width = 64, .n_ffn = 96, .n_vocab = 400}, BackEnd::kernels);
  return model;
}

TokenId token_of(const Model& model, const std::string& text) {
  const std::vector<TokenId> ids = model.encode(text, {.add_special = false});
  EXPECT_EQ(ids.size(), 1U) << text;
  return ids.front();
}

TokenId end_token(const Model& model) {
  for (TokenId token = model.info().n_vocab - 1; token >= 0; --token) {
    if (model.is_end(token)) return token;
  }
  ADD_FAILURE() << "the model has no end token";
  return -1;
}

std::vector<data::Trace> sampled(const std::shared_ptr<const Model>& model,
                                 const std::vector<RolloutQuestion>& questions,
                                 const RolloutOptions& options) {
  Engine engine(model, {.kv_cells = rollout_cells(*model, questions, options), .share_prefixes = false});
  std::vector<data::Trace> traces;
  roll_out(engine, questions, options, [&](const data::Trace& trace) { traces.push_back(trace); });
  EXPECT_EQ(engine.state().groups, 0);
  return traces;
}

RolloutQuestion question(const std::string& text, const std::string& answer) {
  return {.problem = {.question = text, .answer = answer, .other = {{.key = "parts", .json = "3"}}},
          .prompt = {.text = text}};
}

}  // namespace lanerope::rollout
