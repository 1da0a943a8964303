// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/lane_rotation.h"
#include "lanerope/engine.h"
#include "lanerope/request.h"

namespace lanerope::engine {

// A request with everything decided: text tokenised, defaults filled in, adapters' wishes heard, all of it
// checked.
struct ResolvedRequest {
  Request request = {};  // as it came
  std::vector<TokenId> prompt = {};
  Coupling coupling = {};
  int32_t stride = 0;  // K in force
  std::shared_ptr<const core::LaneFrequencies> frequencies = {};
  std::string tag = {};                           // with {k}
  std::vector<std::vector<TokenId>> forced = {};  // per lane: its tag and its text
  std::vector<int32_t> tag_tokens = {};           // per lane: how many of them are the tag
  std::vector<float> prompt_scales = {};          // per adapter, while the prompt is read
  std::vector<float> lane_scales = {};            // per adapter, for the lanes

  int32_t prompt_cells() const { return static_cast<int32_t>(prompt.size()); }
  int32_t lane_cells() const { return (request.lanes + request.reserved_lanes) * request.budget; }
};

// Throws InvalidRequest with one sentence.
ResolvedRequest resolve(const Model& model, const Request& request);

// The rotation of a coupling's lanes. Throws InvalidRequest where a given omega has the wrong length.
struct FrequencyParameters {
  int32_t stride = 0;
  int32_t lanes = 1;
};
std::shared_ptr<const core::LaneFrequencies> make_frequencies(const Model& model, const Coupling& coupling,
                                                              const FrequencyParameters& parameters);

// Scales of all adapters: `wanted`, or those they were loaded with where it is empty. Throws InvalidRequest.
std::vector<float> adapter_scales(const Model& model, const std::vector<float>& wanted);

}  // namespace lanerope::engine
