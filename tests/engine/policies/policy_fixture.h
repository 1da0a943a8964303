// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lanerope/errors.h"
#include "lanerope/policy.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {

// A policy that a test writes down.
class TestPolicy final : public Policy {
 public:
  using Step = std::function<void(const GroupStatus&, LaneActions&)>;
  explicit TestPolicy(Step step) : step_(std::move(step)) {}
  bool reads_tokens() const override { return true; }
  void after_step(const GroupStatus& group, LaneActions& actions) override { step_(group, actions); }

 private:
  Step step_;
};

inline PolicyChoice own_policy(const std::string& name, const TestPolicy::Step& step) {
  return {.name = name,
          .make = [step](const ResolvedRequest&) { return std::make_unique<TestPolicy>(step); }};
}

// Lanes of a small random model. It would write for ever; a lane that is to say something and end is given
// the text, behind which nothing but the end can be drawn.
class Policies : public testing::Test {
 protected:
  std::shared_ptr<const Model> model = support::load_model(
      tools::RandomModel{.n_layer = 1, .width = 64, .n_ffn = 96, .context = 512, .output_gain = 2},
      BackEnd::kernels);
  Engine engine{model, {.kv_cells = 8192, .keep_prefixes = false}};

  // Lanes that go on until their budget is spent.
  static Request writing(int32_t lanes, int32_t budget) {
    Request request{.prompt = {.text = "Count to four."},
                    .lanes = lanes,
                    .budget = budget,
                    .tag = "",
                    .sampling = {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 5},
                    .ignore_end = true,
                    .selection = {.kind = SelectionKind::vote},
                    .logprobs = true};
    return request;
  }

  // Lanes that write these texts, a token a step, and end.
  Request saying(const std::vector<std::string>& texts) const {
    Request request = writing(static_cast<int32_t>(texts.size()), 96);
    request.lane_texts = texts;
    request.ignore_end = false;
    request.sampling.logit_bias = {{.token = end_token(), .bias = 1000}};
    return request;
  }

  TokenId end_token() const {
    for (TokenId t = 0; t < model->info().n_vocab; ++t) {
      if (model->is_end(t)) return t;
    }
    return -1;
  }

  int32_t n_tokens(const std::string& text) const {
    return static_cast<int32_t>(model->encode(text, {.add_special = false}).size());
  }

  support::GroupRun run(Request request, std::vector<PolicyChoice> policies) {
    request.policies = std::move(policies);
    return support::run_group(engine, request);
  }

  // "12 retire 1", with the step, the act and the lane (-1: the group).
  static std::vector<std::string> acts(const support::GroupRun& of) {
    std::vector<std::string> texts;
    for (const PolicyAct& act : of.result.acts)
      texts.push_back(std::to_string(act.step) + " " + std::string(name(act.kind)) + " " +
                      std::to_string(act.lane));
    return texts;
  }
};

}  // namespace lanerope::engine
