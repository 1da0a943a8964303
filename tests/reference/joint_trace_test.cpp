// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/joint_trace.h"

#include <gtest/gtest.h>

#include <string>

#include "core/theta.h"
#include "tests/reference/model_facts.h"
#include "tests/support/temporary_directory.h"
#include "tools/random_model.h"

namespace lanerope::reference {
namespace {

// Three lanes of four steps after a prompt of two tokens, as one picture a query: which of p0 p1 | lane 0 |
// lane 1 | lane 2 the token of lane `lane` at `step` sees.
std::string picture(const Coupling& coupling, int lane, int step) {
  const std::vector<int32_t> four = {1, 2, 3, 4};
  const Trace trace{.prompt = {8, 9}, .lanes = {{four}, {four}, {four}}, .coupling = coupling};
  const auto row = relations(trace)[2 + 4 * lane + step];
  std::string text;
  for (size_t k = 0; k < row.size(); ++k) {
    if (k >= 2 && k % 4 == 2) text += ' ';
    text += row[k].visible ? '#' : '.';
  }
  return text;
}

TEST(Relations, FollowTheVisibility) {
  EXPECT_EQ(picture({.visibility = Visibility::inclusive}, 1, 2), "## ###. ###. ###.");
  EXPECT_EQ(picture({.visibility = Visibility::strict}, 1, 2), "## ##.. ###. ##..");
  EXPECT_EQ(picture({.visibility = Visibility::interleaved}, 1, 2), "## ###. ###. ##..");
  EXPECT_EQ(picture({.kind = CouplingKind::independent}, 1, 2), "## .... ###. ....");
}

TEST(Relations, FollowTheWindowAndTheTopology) {
  EXPECT_EQ(picture({.window = 2}, 1, 2), "## .##. ###. .##.");
  EXPECT_EQ(picture({.visibility = Visibility::strict, .window = 1}, 0, 3), "## #### ..#. ..#.");
  EXPECT_EQ(picture({.topology = Topology::tree}, 1, 1), "## ##.. ##.. ....");
  EXPECT_EQ(picture({.topology = Topology::tree}, 0, 1), "## ##.. ##.. ##..");
  EXPECT_EQ(picture({.topology = Topology::ring}, 0, 1), "## ##.. ##.. ##..");
}

TEST(Relations, MeasureHogwildAlongTheLayout) {
  const Trace trace{.prompt = {8, 9},
                    .lanes = {{.tokens = {1, 2, 3}}, {.tokens = {1, 2, 3}}, {.tokens = {1, 2, 3}}},
                    .coupling = {.kind = CouplingKind::hogwild}};
  // Lane 1 at step 1 reads p0 p1 | lane 0: 0 1 | lane 2: 0 1 | itself: 0 1.
  const auto row = relations(trace)[2 + 3 + 1];
  const double expected[] = {7, 6, 5, 4, 0, 1, 0, 0, 3, 2, 0};
  for (size_t k = 0; k < row.size(); ++k) {
    if (!row[k].visible) continue;
    EXPECT_EQ(row[k].token_offset, expected[k]) << k;
  }
}

// Two derivations of the same frequencies, written apart.
TEST(ReferenceFrequencies, AgreeWithTheOnesOfCore) {
  const support::TemporaryDirectory directory;
  for (const auto scaling : {core::RopeScaling::none, core::RopeScaling::linear, core::RopeScaling::yarn}) {
    for (const float factor : {1.5F, 4.0F, 32.0F}) {
      const tools::RandomModel model{.n_layer = 1,
                                     .head_dim = 64,
                                     .context = 8192,
                                     .rope_base = 50000,
                                     .rope_scaling = scaling,
                                     .rope_factor = factor,
                                     .rope_original_context = 2048};
      const ModelFacts facts =
          read_facts(gguf::File(tools::write_random_model(model, directory.file("m.gguf"))));
      const core::Theta theta = core::effective_theta(
          {.dimensions = 64, .base = 50000, .scaling = scaling, .factor = factor, .original_context = 2048});
      for (size_t t = 0; t < 32; ++t) EXPECT_NEAR(facts.theta[t] / theta.theta[t], 1, 1e-12) << t;
      EXPECT_NEAR(facts.rotary_magnitude, theta.magnitude, 1e-6);
    }
  }
}

}  // namespace
}  // namespace lanerope::reference
