// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "train/objective.h"

namespace lanerope::train {

// KTO (Ethayarajh et al., arXiv 2402.01306, equations 7 and 8) on groups: every lane is one answer, right or
// wrong, written under the mask and the coupling that it is trained for.
//
//   r(lane)  = sum over its tokens of log p - log p_reference
//   z        = max(0, mean of r over lanes behind another question's prompt)                no gradient
//   right:   weight_right * (1 - sigmoid(beta * (r - z)))
//   wrong:   weight_wrong * (1 - sigmoid(beta * (z - r)))
struct KtoScores {
  torch::Tensor policy;     // (n_lanes) sum of log p over the lane's tokens
  torch::Tensor reference;  // (n_lanes) the same
  torch::Tensor right;      // (n_lanes) 1 or 0
  double z = 0;
};
struct KtoTerms {
  torch::Tensor losses;  // (n_lanes)
  torch::Tensor ratios;  // (n_lanes) r
};
KtoTerms kto_losses(const KtoScores& scores, const KtoConfig& config);

// What z is taken of: each group's lanes behind the prompt of the next group of the batch that has another
// one, which several groups of one question do not have. Nothing where all prompts are alike.
std::vector<TokenGroup> behind_other_prompts(std::span<const TokenGroup> groups);

// The reference is what training starts from: the same weights with the adapter off where nothing else learns
// and it is trained from nothing, else a frozen copy. A reference that was never trained with lanes reads
// each lane by itself (closed mask), since with the mask open its probabilities would be those of a model
// outside of what it knows; one that was reads them as the trained model does.
enum class ReferenceCoupling { joint, independent };
std::unique_ptr<Objective> make_kto(const TrainModel& model, const TrainConfig& config,
                                    ReferenceCoupling mask, torch::Device device);

}  // namespace lanerope::train
