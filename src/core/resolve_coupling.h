// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/lane_rotation.h"
#include "lanerope/coupling.h"

namespace lanerope::core {

// What theta and omega of one attention class of a model follow from.
struct CouplingClass {
  std::vector<double> theta = {};  // [d/2] radians a token
  int32_t longest_distance = 0;    // in tokens, that its layers were trained on: the window or the context
  bool rotates = true;             // false: layers without RoPE, in which lanes are not rotated either
};

// What a coupling in force depends on beside itself.
struct CouplingFacts {
  std::vector<CouplingClass> classes = {};
  int32_t n_layer = 1;
  int32_t lanes = 1;           // N
  int32_t default_stride = 0;  // K where the coupling's is 0
};

struct ResolvedCoupling {
  int32_t stride = 0;  // K in force
  std::shared_ptr<const LaneFrequencies> frequencies = {};
};

// The stride and the rotations in force. Equal results share one LaneFrequencies for as long as anybody holds
// it, so that whoever compares frequencies may compare addresses. May be called from any thread. Throws
// InvalidRequest where a given omega has the wrong length or holds what is no number.
ResolvedCoupling resolve_coupling(const Coupling& coupling, const CouplingFacts& facts);

}  // namespace lanerope::core
