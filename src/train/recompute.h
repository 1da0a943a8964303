// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <functional>
#include <vector>

namespace lanerope::train {

// y of inputs. It may read other tensors that learn; what it refers to must outlive the way back.
using Computation = std::function<torch::Tensor(const std::vector<torch::Tensor>& inputs)>;

// compute(inputs), of which nothing but the inputs is kept for the way back, where it is computed again
// (activation recomputation: less memory for one more pass forward). `learned`: the tensors beside the inputs
// that compute reads and that learn, each a leaf. The same gradients as without.
torch::Tensor recomputed(const Computation& compute, const std::vector<torch::Tensor>& inputs,
                         const std::vector<torch::Tensor>& learned);

}  // namespace lanerope::train
