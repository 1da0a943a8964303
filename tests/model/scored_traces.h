// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <string>
#include <vector>

#include "lanerope/engine.h"
#include "tests/support/engine_run.h"
#include "tools/random_model.h"

namespace lanerope::model {

// Of an architecture, with a window where it has one.
inline tools::RandomModel model_of_layers(const std::string& architecture, int32_t n_layer) {
  return {.architecture = architecture,
          .n_layer = n_layer,
          .width = 64,
          .n_head = 4,
          .n_head_kv = 2,
          .head_dim = 16,
          .n_ffn = 96,
          .n_vocab = 259,
          .context = 512,
          .window = 5};
}

// Lanes of unequal length; the last of three or more joins late, and each has its own tokens.
inline ScoreRequest trace_of(int32_t n_lanes, const Coupling& coupling) {
  ScoreRequest request{.prompt_tokens = support::some_tokens(9, 1), .coupling = coupling, .stride = 11};
  for (int32_t m = 0; m < n_lanes; ++m) {
    request.lanes.push_back(support::some_tokens(4 + (5 * m) % 7, 10 + m));
    request.start_steps.push_back(m >= 2 ? (3 * m) % 5 : 0);
  }
  return request;
}

inline std::vector<Coupling> couplings(const std::vector<float>& omega) {
  return {
      {.kind = CouplingKind::independent},
      {.kind = CouplingKind::lanerope, .init = OmegaInit::given, .omega = omega},
      {.kind = CouplingKind::lanerope,
       .init = OmegaInit::given,
       .omega = omega,
       .visibility = Visibility::strict,
       .topology = Topology::ring,
       .prompt_lane = PromptLane::first},
      {.kind = CouplingKind::lanerope,
       .init = OmegaInit::given,
       .omega = omega,
       .topology = Topology::blocks,
       .block = 2,
       .far_lanes = FarLanes::interpolated,
       .trained_lanes = 2},
      {.kind = CouplingKind::groupthink},
      {.kind = CouplingKind::groupthink, .visibility = Visibility::interleaved, .topology = Topology::tree},
      {.kind = CouplingKind::groupthink, .window = 2, .prompt_lane = PromptLane::first},
      {.kind = CouplingKind::hogwild},
      {.kind = CouplingKind::hogwild, .visibility = Visibility::strict, .window = 3},
  };
}

inline std::vector<float> some_omega(size_t length) {
  std::mt19937 random(5);
  std::vector<float> omega(length);
  for (float& value : omega) value = static_cast<float>(random() % 1000) / 500.0F - 1;
  return omega;
}

}  // namespace lanerope::model
