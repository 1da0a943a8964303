// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/reference/plain_transformer.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

using reference::PlainTransformer;

// Who a token of the plain model stands for.
struct Role {
  int lane;   // -1: prompt
  int owner;  // the lane that has this copy of the prompt, where each has one
  int step;
};

// An ordinary decoder in doubles, which rotates each token once to position i + K m. A prompt that is in
// every lane is there once for each, at the lane's own place.
struct VirtualPositions {
  const ScoreRequest& request;
  int32_t stride;
  std::vector<reference::PlainTransformer::Token> text = {};
  std::vector<Role> roles = {};

  void add(TokenId token, Role role, double index) {
    text.push_back({.id = token, .position = index + static_cast<double>(stride) * role.owner});
    roles.push_back(role);
  }

  support::AllLogits logits(const reference::PlainTransformer& plain) {
    const bool copies = request.coupling.prompt_lane == PromptLane::own;
    const auto n_lanes = static_cast<int>(request.lanes.size());
    const auto n_prompt = static_cast<int>(request.prompt_tokens.size());
    for (int owner = 0; owner < (copies ? n_lanes : 1); ++owner) {
      for (int i = 0; i < n_prompt; ++i)
        add(request.prompt_tokens[i], {.lane = -1, .owner = owner, .step = i}, i);
    }
    std::vector<size_t> first;
    for (int m = 0; m < n_lanes; ++m) {
      first.push_back(text.size());
      for (size_t i = 0; i < request.lanes[m].size(); ++i) {
        const int step = request.start_steps[m] + static_cast<int>(i);
        add(request.lanes[m][i], {.lane = m, .owner = m, .step = step}, n_prompt + step);
      }
    }
    const auto after = plain.logits(text, [&](size_t q, size_t k) {
      if (roles[k].lane >= 0) return roles[q].lane >= 0 && roles[k].step <= roles[q].step;
      if (copies && roles[q].owner != roles[k].owner) return false;
      return roles[q].lane >= 0 || roles[k].step <= roles[q].step;
    });
    support::AllLogits before;
    for (int m = 0; m < n_lanes; ++m) {
      before.push_back({after[n_prompt - 1]});
      for (size_t i = 0; i + 1 < request.lanes[m].size(); ++i) before.back().push_back(after[first[m] + i]);
    }
    return before;
  }
};

class PlainRope : public testing::TestWithParam<const char*> {};

TEST_P(PlainRope, AtVirtualPositionsIsGroupThinkAndLaneRopeWithThatOmega) {
  const std::string file = support::write_model({.architecture = GetParam(),
                                                 .n_layer = 2,
                                                 .width = 48,
                                                 .n_head = 4,
                                                 .n_head_kv = 2,
                                                 .head_dim = 16,
                                                 .n_ffn = 64,
                                                 .n_vocab = 259});
  const reference::PlainTransformer plain(file);
  Engine engine(support::load_model(file, BackEnd::ggml), {.kv_cells = 2048, .kv_type = KvType::f32});
  for (const PromptLane prompt_lane : {PromptLane::own, PromptLane::first}) {
    for (const int32_t stride : {1, 7, 40}) {
      ScoreRequest request{
          .prompt_tokens = support::some_tokens(6, 1),
          .lanes = {support::some_tokens(6, 2), support::some_tokens(3, 3), support::some_tokens(4, 4)},
          .start_steps = {0, 0, 2},
          .coupling = {.kind = CouplingKind::groupthink, .stride = stride, .prompt_lane = prompt_lane}};
      const support::AllLogits expected =
          VirtualPositions{.request = request, .stride = stride}.logits(plain);
      EXPECT_LT(support::relative_difference(support::all_logits(engine, request), expected), 1e-4)
          << "groupthink " << stride;

      request.coupling = {
          .kind = CouplingKind::lanerope, .init = OmegaInit::given, .prompt_lane = prompt_lane};
      for (const double theta : plain.facts.theta)
        request.coupling.omega.push_back(static_cast<float>(stride * theta));
      EXPECT_LT(support::relative_difference(support::all_logits(engine, request), expected), 1e-4)
          << "omega " << stride;

      request.coupling = {.kind = CouplingKind::lanerope,
                          .init = OmegaInit::gt,
                          .stride = stride,
                          .prompt_lane = prompt_lane};
      EXPECT_LT(support::relative_difference(support::all_logits(engine, request), expected), 1e-4)
          << "gt " << stride;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, PlainRope, testing::Values("llama", "qwen2", "qwen3"),
                         [](const auto& param_info) { return std::string(param_info.param); });

}  // namespace
}  // namespace lanerope::engine
