// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/resolve_coupling.h"
#include "lanerope/model.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// The adapters' scales in force, one each.
struct AdapterScales {
  std::vector<float> prompt = {};  // while the prompt is read
  std::vector<float> lanes = {};
};

// `wanted`, or those the adapters were loaded with where it is empty. Throws InvalidRequest.
AdapterScales resolve_scales(const Model& model, const std::vector<float>& wanted);

// What a coupling's rotations follow from in this model.
struct StrideFacts {
  int32_t lanes = 1;
  int32_t default_stride = 0;
};
core::CouplingFacts coupling_facts(const Model& model, const StrideFacts& facts);

// Throws InvalidRequest where lanes are to exchange through bridges and the model has none, or are to see one
// another besides.
void check_bridge(const Model& model, const Coupling& coupling);
// Throws InvalidRequest where lanes see from their hand-over on, which the tokens that they sleep by are, and
// there are none.
void check_hand_over(const Coupling& coupling, const SleepTokens& sleep);

// Throws InvalidRequest where a request couples lanes in a way that `training`, if there is any, was not for.
void check_training(const Request& request, const Coupling& coupling, const LaneTraining* training);

}  // namespace lanerope::engine
