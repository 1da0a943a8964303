// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/trace.h"
#include "lanerope/engine.h"
#include "rollout/rollout.h"

namespace lanerope::rollout {

// A small random model that biases make say what a test needs.
std::shared_ptr<const Model> speaking_model();

// The only token of a text, such as "7".
TokenId token_of(const Model& model, const std::string& text);
TokenId end_token(const Model& model);

// Traces as a sink collects them.
std::vector<data::Trace> sampled(const std::shared_ptr<const Model>& model,
                                 const std::vector<RolloutQuestion>& questions,
                                 const RolloutOptions& options);

RolloutQuestion question(const std::string& text, const std::string& answer);

}  // namespace lanerope::rollout
