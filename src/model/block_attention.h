// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/graph_builder.h"

namespace lanerope::model {

// The probabilities of attention laid out as the plan says, segment after segment, for who wants to record
// them: one product a run of cells. Nothing else of a step needs them so.

struct QueriesAndKeys {
  ggml_tensor* q = nullptr;     // [head_dim, n_head, n_rows of the batch], rotated by theta * i
  ggml_tensor* keys = nullptr;  // the layer's pool after the batch's keys were written to it
};

// Keeps what the batch wants to know of the layer's attention.
void record_blocks(GraphBuilder& graph, const LayerWeights& layer, const QueriesAndKeys& of);

}  // namespace lanerope::model
