// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lanerope/coupling.h"

namespace lanerope::core {

// What the initialisations of omega depend on beside theta.
struct OmegaParameters {
  OmegaInit init = OmegaInit::rope;
  double stride = 0;            // K, tokens of distance between neighbouring lanes
  int32_t lanes = 1;            // N
  int32_t trained_context = 0;  // L
};

// Omega for one layer, [d/2] radians a lane, from theta [d/2] radians a token. `init` must not be `given`.
// The formulas are in docs/couplings.md; the paper does not print its own.
std::vector<double> initial_omega(std::span<const double> theta, const OmegaParameters& parameters);

// phi = lanes * omega + tokens * theta: every coupling's extra rotation of a query has this form,
// with small whole numbers, and so has the closing of the gap that a fork in the past leaves.
struct Offset {
  int32_t lanes = 0;   // multiplies omega
  int32_t tokens = 0;  // multiplies theta

  bool none() const { return lanes == 0 && tokens == 0; }
  bool operator==(const Offset&) const = default;
};

// What offsets multiply in the layers of one attention class of a model: those with the same rope and window.
struct ClassFrequencies {
  std::vector<double> theta = {};  // [d/2]
  std::vector<double> omega = {};  // [d/2] for all layers, or [d/2, n_layer]

  std::span<const double> omega_of_layer(int32_t layer) const;
  bool operator==(const ClassFrequencies&) const = default;
};

// The frequencies of a group, one for each attention class. Groups of equal couplings share them.
struct LaneFrequencies {
  std::vector<ClassFrequencies> classes = {};
};

}  // namespace lanerope::core
