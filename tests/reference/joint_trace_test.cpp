// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/joint_trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

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

// Of N lanes of one token each, which ones each lane sees.
std::vector<std::string> who_sees_whom(const Coupling& coupling, int n_lanes) {
  Trace trace{.prompt = {9}, .lanes = {}, .coupling = coupling};
  for (int m = 0; m < n_lanes; ++m) trace.lanes.push_back({.tokens = {1}});
  std::vector<std::string> picture;
  const auto all = relations(trace);
  for (int m = 0; m < n_lanes; ++m) {
    picture.emplace_back();
    for (int n = 0; n < n_lanes; ++n) picture.back() += all[1 + m][1 + n].visible ? '#' : '.';
  }
  return picture;
}

// The picture of docs/couplings.md.
TEST(Relations, JoinBlocksByTheirSpeakers) {
  EXPECT_EQ(who_sees_whom({.topology = Topology::blocks, .block = 3}, 8),
            (std::vector<std::string>{"####..#.",  //
                                      "###.....",  //
                                      "###.....",  //
                                      "#..####.",  //
                                      "...###..",  //
                                      "...###..",  //
                                      "#..#..##",  //
                                      "......##"}));
}

// How far the first of six lanes is from each lane, for omega.
TEST(Relations, KeepFarLanesWithinWhatWasTrained) {
  const auto apart = [](const FarLanes far) {
    Trace trace{.prompt = {9}, .lanes = {}, .coupling = {.far_lanes = far, .trained_lanes = 3}};
    for (int m = 0; m < 6; ++m) trace.lanes.push_back({.tokens = {1}});
    std::vector<double> lanes;
    const auto row = relations(trace)[6];  // of lane 5
    for (int n = 0; n < 6; ++n) lanes.push_back(row[1 + n].lane_offset);
    return lanes;
  };
  EXPECT_EQ(apart(FarLanes::extrapolated), (std::vector<double>{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(apart(FarLanes::clamped), (std::vector<double>{2, 2, 2, 2, 1, 0}));
  EXPECT_EQ(apart(FarLanes::wrapped), (std::vector<double>{1, 2, 1, 2, 1, 0}));
  EXPECT_EQ(apart(FarLanes::interpolated), (std::vector<double>{5 * 0.4, 4 * 0.4, 3 * 0.4, 2 * 0.4, 0.4, 0}));
}

// Lanes of two and one tokens, then a second stage of two: p0 | lane 0 | lane 1 | itself.
TEST(Relations, LetTheSecondStageReadAll) {
  Trace trace{
      .prompt = {9},
      .lanes = {{.tokens = {1, 2}}, {.tokens = {3}}, {.tokens = {4, 5}, .start_step = 2, .reads_all = true}},
      .coupling = {.kind = CouplingKind::independent, .topology = Topology::ring, .window = 1}};
  const auto distances_of = [&](size_t token) {
    std::vector<double> seen;
    const auto all = relations(trace);
    for (const Relation& relation : all[token]) seen.push_back(relation.visible ? relation.token_offset : -1);
    return seen;
  };
  EXPECT_EQ(distances_of(5), (std::vector<double>{4, 3, 2, 3, 1, 0})) << "by the clock";
  EXPECT_EQ(distances_of(2), (std::vector<double>{2, 1, 0, -1, -1, -1})) << "lanes see what they saw";
  trace.coupling = {.kind = CouplingKind::hogwild};
  EXPECT_EQ(distances_of(5), (std::vector<double>{5, 4, 3, 2, 1, 0})) << "one text";
  trace.coupling = {.kind = CouplingKind::lanerope};
  std::vector<double> lanes;
  const auto all = relations(trace);
  for (const Relation& relation : all[5]) lanes.push_back(relation.lane_offset);
  EXPECT_EQ(lanes, (std::vector<double>{0, 2, 2, 1, 0, 0})) << "it is lane 2";
}

// The row of the token of `lane` at `step`.
std::vector<Relation> row_of(const Trace& trace, int lane, int step) {
  const auto tokens = flatten(trace);
  const auto at = std::ranges::find_if(
      tokens, [&](const TraceToken& token) { return token.lane == lane && token.step == step; });
  return relations(trace).at(at - tokens.begin());
}

// How far it is to each token that it sees, in the order of flatten().
std::vector<double> distances(const Trace& trace, int lane, int step) {
  std::vector<double> seen;
  for (const Relation& relation : row_of(trace, lane, step)) {
    if (relation.visible) seen.push_back(relation.token_offset);
  }
  return seen;
}

std::vector<double> lanes_apart(const Trace& trace, int lane, int step) {
  std::vector<double> apart;
  for (const Relation& relation : row_of(trace, lane, step)) apart.push_back(relation.lane_offset);
  return apart;
}

using Numbers = std::vector<double>;

TEST(Relations, MeasureHogwildAlongTheLayout) {
  const Trace trace{.prompt = {8, 9},
                    .lanes = {{.tokens = {1, 2, 3}}, {.tokens = {1, 2, 3}}, {.tokens = {1, 2, 3}}},
                    .coupling = {.kind = CouplingKind::hogwild}};
  // Lane 1 at step 1 reads p0 p1 | lane 0: 0 1 | lane 2: 0 1 | itself: 0 1.
  EXPECT_EQ(distances(trace, 1, 1), (Numbers{7, 6, 5, 4, 1, 0, 3, 2}));
}

TEST(Relations, CountByTheClockFromLaneToLane) {
  Trace trace{.prompt = {8, 9},
              .lanes = {{.tokens = {1, 2}}, {.tokens = {1}, .start_step = 1}, {.tokens = {1, 2}}},
              .coupling = {.kind = CouplingKind::lanerope}};
  // Flattened: p0 p1 | lane 0: 0 1 | lane 1: 1 | lane 2: 0 1. The lane that came late is as far from the
  // prompt as the clock.
  EXPECT_EQ(distances(trace, 1, 1), (Numbers{3, 2, 1, 0, 0, 1, 0}));
  EXPECT_EQ(lanes_apart(trace, 1, 1), (Numbers{0, 0, 1, 1, 0, -1, -1}));
  trace.coupling.prompt_lane = PromptLane::first;
  EXPECT_EQ(lanes_apart(trace, 1, 1), (Numbers{1, 1, 1, 1, 0, -1, -1}));
  trace.coupling.kind = CouplingKind::groupthink;
  trace.stride = 10;
  EXPECT_EQ(distances(trace, 1, 1), (Numbers{13, 12, 11, 10, 0, -9, -10}));
  trace.coupling.prompt_lane = PromptLane::own;
  EXPECT_EQ(distances(trace, 1, 1), (Numbers{3, 2, 11, 10, 0, -9, -10}));
  // One that sees no other lane reads the prompt as the first lanes do.
  trace.coupling.kind = CouplingKind::independent;
  EXPECT_EQ(distances(trace, 1, 1), (Numbers{2, 1, 0}));
}

// Lane 1 is lane 0 as far as step 1, and goes on at step 4; lane 2 begins afresh at step 3.
TEST(Relations, CloseTheGapOfAFork) {
  Trace trace{.prompt = {8, 9},
              .lanes = {{.tokens = {1, 2, 3, 4, 5}},
                        {.tokens = {1, 2}, .start_step = 4, .parent = 0, .fork_step = 2},
                        {.tokens = {1, 2}, .start_step = 3}},
              .coupling = {.kind = CouplingKind::lanerope}};
  // Its own text is p0 p1 | lane 0: 0 1 | itself: 4 5; the rest of lane 0, and lane 2, it sees by the clock.
  EXPECT_EQ(distances(trace, 1, 5), (Numbers{5, 4, 3, 2, 3, 2, 1, 1, 0, 2, 1}));
  EXPECT_EQ(lanes_apart(trace, 1, 5), (Numbers{0, 0, 0, 0, 1, 1, 1, 0, 0, -1, -1}));
  trace.coupling.kind = CouplingKind::hogwild;
  // p0 p1 | lane 0: 2 3 4 | lane 2: 3 4 | lane 0: 0 1 | itself: 4 5.
  EXPECT_EQ(distances(trace, 1, 5), (Numbers{10, 9, 3, 2, 8, 7, 6, 1, 0, 5, 4}));
  // A fork that had only just begun: lane 3 goes on where lane 2 began, and reads p0 p1 | lane 0: 0 1 2 3 4 |
  // lane 1: 4 5 | lane 2: 3 4 | itself: 5.
  trace.lanes.push_back({.tokens = {1}, .start_step = 5, .parent = 2, .fork_step = 3});
  EXPECT_EQ(distances(trace, 3, 5), (Numbers{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}));
  trace.coupling.kind = CouplingKind::independent;
  EXPECT_EQ(distances(trace, 3, 5), (Numbers{2, 1, 0}));
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
