// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "model/graph_builder.h"

namespace lanerope::model {

// Lane attention in plain operations, over the tensors of a plan (core/plan_tensors.h): as many operations
// for every number of lanes, groups and runs of cells.
class TileAttention {
 public:
  // What attends and to what, after the batch's keys and values were written.
  struct Operands {
    ggml_tensor* q = nullptr;       // [head_dim, n_head, n_rows], rotated by theta * i
    ggml_tensor* keys = nullptr;    // [kv_width, cells]
    ggml_tensor* values = nullptr;  // [kv_width, cells]
  };

  // Forgets the inputs of the graph before.
  void begin_graph() { plans_.clear(); }

  // [query_width, n_rows]
  ggml_tensor* attend(GraphBuilder& graph, const LayerWeights& layer, const Operands& with);

 private:
  struct RegionInputs {
    ggml_tensor* cells = nullptr;                // [n_cells * n_tiles] i32
    ggml_tensor* key_tokens = nullptr;           // the same
    std::vector<ggml_tensor*> key_lanes = {};    // [n_omegas] of the same
    ggml_tensor* query_tokens = nullptr;         // [n_rows * n_tiles] i32
    std::vector<ggml_tensor*> query_lanes = {};  // [n_omegas] of the same
  };
  struct TileInputs {
    core::TileShape shape = {};
    ggml_tensor* rows = nullptr;       // [n_rows * n_tiles] i32
    ggml_tensor* cells = nullptr;      // [n_cells * n_tiles] i32
    ggml_tensor* mask = nullptr;       // [n_cells, n_rows, 1, n_tiles]
    ggml_tensor* half_mask = nullptr;  // the same in f16, where something asked for it
    std::vector<RegionInputs> regions = {};
    std::vector<ggml_tensor*> omegas = {};  // [n_omegas] divisors, where all layers have the same
  };
  struct PlanInputs {
    std::vector<TileInputs> sizes = {};
    ggml_tensor* slots = nullptr;  // [n_rows of the batch] i32
  };
  // By what x [head_dim, heads, n] is rotated.
  struct Rotation {
    size_t size = 0;                         // whose omegas
    const std::vector<ggml_tensor*>& lanes;  // [n_omegas] of [n], or empty
    ggml_tensor* tokens = nullptr;           // [n], or null
  };
  struct OmegaOf {
    size_t size = 0;
    size_t omega = 0;
  };

  // All tiles of one size, in one layer.
  struct Tiles {
    const LayerWeights& layer;
    const Operands& with;
    size_t size = 0;
    ggml_tensor* rows = nullptr;  // [head_dim, n_head, n_rows * n_tiles] queries, tile after tile
  };

  PlanInputs& inputs(GraphBuilder& graph, int32_t attention_class);
  ggml_tensor* omega(GraphBuilder& graph, const LayerWeights& layer, const OmegaOf& which);
  ggml_tensor* rotated(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x, const Rotation& by);
  // [query_width, n_rows * n_tiles]
  ggml_tensor* attend_tiles(GraphBuilder& graph, const LayerWeights& layer, const Operands& with,
                            size_t size);
  ggml_tensor* flash(GraphBuilder& graph, const Tiles& of);  // the same, or null where that is not possible

  std::vector<PlanInputs> plans_ = {};  // [attention classes] of the graph that is being built
};

}  // namespace lanerope::model
