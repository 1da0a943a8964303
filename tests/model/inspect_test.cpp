// SPDX-License-Identifier: Apache-2.0
#include "lanerope/inspect.h"

#include <gtest/gtest.h>

#include "tests/support/random_models.h"

namespace lanerope::model {
namespace {

ModelInfo described(const tools::RandomModel& model) {
  return *describe_file(support::write_model(model)).model;
}

TEST(Inspect, TellsOfWindowsAndTheirRope) {
  const ModelInfo gemma3 =
      described({.architecture = "gemma3", .n_layer = 12, .width = 32, .window = 9, .rope_base = 1e6F});
  EXPECT_EQ(gemma3.window, 9);
  EXPECT_EQ(gemma3.n_windowed, 10) << "five of six";
  EXPECT_EQ(gemma3.rope, "base 1000000");
  EXPECT_EQ(gemma3.window_rope, "base 10000");
  EXPECT_EQ(gemma3.score_cap, 0);

  const ModelInfo gemma2 = described({.architecture = "gemma2", .n_layer = 5, .width = 32});
  EXPECT_EQ(gemma2.window, 4096);
  EXPECT_EQ(gemma2.n_windowed, 3);
  EXPECT_EQ(gemma2.window_rope, "") << "that of all layers";
  EXPECT_EQ(gemma2.score_cap, 50);
  EXPECT_EQ(gemma2.logit_cap, 30);
}

TEST(Inspect, TellsOfLayersWithoutRope) {
  EXPECT_EQ(described({.architecture = "smollm3", .n_layer = 8, .width = 32}).n_unrotated, 2);
  EXPECT_EQ(described({.architecture = "qwen3", .n_layer = 8, .width = 32}).n_unrotated, 0);
}

TEST(Inspect, CountsTheParametersThatATokenMeets) {
  const ModelInfo dense = described({.n_layer = 1, .width = 32});
  EXPECT_EQ(dense.n_expert, 0);
  EXPECT_EQ(dense.n_active_parameters, dense.n_parameters);

  const ModelInfo experts = described({.architecture = "qwen3moe",
                                       .n_layer = 2,
                                       .width = 32,
                                       .n_ffn = 48,
                                       .n_expert = 8,
                                       .n_expert_used = 3});
  EXPECT_EQ(experts.n_expert, 8);
  EXPECT_EQ(experts.n_expert_used, 3);
  EXPECT_EQ(experts.n_ffn, 48);
  EXPECT_EQ(experts.n_parameters - experts.n_active_parameters, 2 * (8 - 3) * 3 * 32 * 48)
      << "layers, experts left out, matrices, sizes";
}

}  // namespace
}  // namespace lanerope::model
