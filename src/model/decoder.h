// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/model_config.h"
#include "model/graph_builder.h"
#include "model/weights.h"

namespace lanerope::model {

// The decoder of every architecture, from tokens to the logits [n_vocab, n_outputs]. Names none: what differs
// is in the config.
ggml_tensor* build_decoder(GraphBuilder& graph, const arch::ModelConfig& config, const Weights& weights);

}  // namespace lanerope::model
