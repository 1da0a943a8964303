// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "kernels/packed_matrix.h"
#include "model/backend.h"
#include "model/gguf_file.h"
#include "model/hyperparameters.h"

namespace lanerope {

// A low-rank correction of one linear map: y += row_scale * gain * B (A x).
struct LowRank {
  int32_t adapter = 0;       // index of the adapter that it belongs to
  float gain = 1.0F;         // alpha / rank
  ggml_tensor* a = nullptr;  // [n_in, rank]
  ggml_tensor* b = nullptr;  // [rank, n_out]
};

// y = W x + bias, with the corrections of the loaded adapters.
struct Linear {
  std::string name = {};  // of the weight in the file
  const TensorInfo* source = nullptr;
  ggml_tensor* weight = nullptr;         // [n_in, n_out]; null where only `packed` is held
  ggml_tensor* bias = nullptr;           // [n_out] or null
  const PackedMatrix* packed = nullptr;  // the same weight for lanerope's kernels, or null
  std::vector<LowRank> low_rank = {};

  int64_t n_in() const { return source->ne[0]; }
  int64_t n_out() const { return source->ne[1]; }
};

struct LayerWeights {
  int32_t index = 0;
  ggml_tensor* attention_norm = nullptr;         // [width]
  Linear query;                                  // [width, head_dim * n_head]
  Linear key;                                    // [width, head_dim * n_head_kv]
  Linear value;                                  // [width, head_dim * n_head_kv]
  ggml_tensor* query_norm = nullptr;             // [head_dim] or null
  ggml_tensor* key_norm = nullptr;               // [head_dim] or null
  Linear attention_output;                       // [head_dim * n_head, width]
  ggml_tensor* ffn_norm = nullptr;               // [width]
  Linear ffn_gate;                               // [width, n_ffn]
  Linear ffn_up;                                 // [width, n_ffn]
  Linear ffn_down;                               // [n_ffn, width]
  const PackedMatrix* packed_qkv = nullptr;      // query, key and value as one product, in place of theirs
  const PackedMatrix* packed_gate_up = nullptr;  // gate and up as one product, in place of theirs

  std::vector<Linear*> linears() {
    return {&query, &key, &value, &attention_output, &ffn_gate, &ffn_up, &ffn_down};
  }
};

// The tensors of a model, where the back end computes with them. On the CPU they lie in the mapped file.
struct Weights {
  ggml_tensor* token_embedding = nullptr;  // [width, n_vocab]
  std::vector<LayerWeights> layers = {};
  ggml_tensor* output_norm = nullptr;  // [width]
  Linear output;                       // [width, n_vocab]; the token embedding where the file ties them
  bool tied_output = false;

  std::deque<PackedMatrix> packed = {};  // owns what Linear::packed points to
  std::vector<ContextHandle> contexts = {};
  std::vector<BufferHandle> buffers = {};
  size_t resident_bytes = 0;  // held in memory: packed, or on a device; mapped pages are not counted twice
};

struct WeightOptions {
  bool pack = false;  // hold the linears for lanerope's kernels where they have one
  std::function<void(float)> progress = {};
};

// Throws BadFile, naming the tensor, where one is missing or has the wrong shape. `file` must outlive the
// weights.
Weights load_weights(const GgufFile& file, const Hyperparameters& h, const Backend& backend,
                     const WeightOptions& options);

}  // namespace lanerope
