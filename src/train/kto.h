// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "train/objective.h"

namespace lanerope::train {

// KTO (Ethayarajh et al., arXiv 2402.01306, equations 7 and 8) on groups: every lane is one answer, right or
// wrong, written under the mask and the coupling that it is trained for.
//
//   r(lane)  = sum over its tokens of log p - log p_reference
//   z        = max(0, mean of r over lanes that stand behind the next group's prompt)       no gradient
//   right:   weight_right * (1 - sigmoid(beta * (r - z)))
//   wrong:   weight_wrong * (1 - sigmoid(beta * (z - r)))
struct KtoTerms {
  torch::Tensor losses;  // (n_lanes)
  torch::Tensor ratios;  // (n_lanes) r
};

// `policy` and `reference` (n_lanes) are sums of log p over the lanes' tokens, `right` (n_lanes) is 1 or 0,
// `z` is a number.
KtoTerms kto_losses(const torch::Tensor& policy, const torch::Tensor& reference, const torch::Tensor& right,
                    double z, const KtoConfig& config);

// The reference is what training starts from: the same weights with the adapter off where an adapter is
// trained from nothing, else a frozen copy. A reference that was never trained with lanes reads each lane by
// itself (closed mask), since with the mask open its probabilities would be those of a model outside of what
// it knows; one that was reads them as the trained model does.
enum class ReferenceCoupling { joint, independent };
std::unique_ptr<Objective> make_kto(const TrainModel& model, const TrainConfig& config,
                                    ReferenceCoupling mask, torch::Device device);

}  // namespace lanerope::train
