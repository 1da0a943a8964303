// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "arch/tensor_source.h"
#include "arch/tensor_table.h"
#include "gguf/file.h"
#include "kernels/low_rank.h"
#include "kernels/packed_matrix.h"
#include "model/device.h"
#include "model/placement.h"

namespace lanerope::model {

// A LoRA term of one linear map: y += row_scale * scale * B (A x).
struct Lora {
  int32_t adapter = 0;       // index of the adapter that it belongs to
  float scale = 1.0F;        // alpha / rank
  ggml_tensor* a = nullptr;  // [n_in, rank]
  ggml_tensor* b = nullptr;  // [rank, n_out]
};

// y = W x + bias, with the LoRA terms of the loaded adapters.
struct Linear {
  std::string name = {};  // of the weight in the file
  const gguf::TensorInfo* source = nullptr;
  ggml_tensor* weight = nullptr;                  // [n_in, n_out], of experts [n_in, n_out, n_expert]
  ggml_tensor* bias = nullptr;                    // [n_out], of experts [n_out, n_expert], or null
  int32_t device = cpu_device;                    // that the weight lies on
  const kernels::PackedMatrix* packed = nullptr;  // the same weight for lanerope's kernels, or null
  std::vector<Lora> lora = {};

  int64_t n_in() const { return source->ne[0]; }
  int64_t n_out() const { return source->ne[1]; }
};

struct LayerWeights {
  int32_t index = 0;
  ggml_tensor* attn_norm = nullptr;                   // [n_embd], or null where norms stand behind
  Linear attn_q;                                      // [n_embd, query_width]
  Linear attn_k;                                      // [n_embd, kv_width]
  Linear attn_v;                                      // [n_embd, kv_width]
  ggml_tensor* attn_q_norm = nullptr;                 // [head_dim] or [query_width], or null
  ggml_tensor* attn_k_norm = nullptr;                 // [head_dim] or [kv_width], or null
  ggml_tensor* attn_sinks = nullptr;                  // [n_head] or null
  Linear attn_output;                                 // [query_width, n_embd]
  ggml_tensor* post_attention_norm = nullptr;         // [n_embd] or null
  ggml_tensor* ffn_norm = nullptr;                    // [n_embd], or null where norms stand behind
  Linear ffn_gate_inp;                                // [n_embd, n_expert]: the router, if any
  Linear ffn_gate;                                    // [n_embd, n_ffn], or [n_embd, n_ffn, n_expert]
  Linear ffn_up;                                      // as ffn_gate
  Linear ffn_down;                                    // [n_ffn, n_embd], or [n_ffn, n_embd, n_expert]
  ggml_tensor* post_ffw_norm = nullptr;               // [n_embd] or null
  ggml_tensor* bridge_norm = nullptr;                 // [n_embd], or null where no bridge is behind the layer
  Linear bridge_q;                                    // [n_embd, bridge width]
  Linear bridge_k;                                    // as bridge_q
  Linear bridge_v;                                    // as bridge_q
  Linear bridge_output;                               // [bridge width, n_embd]
  const kernels::PackedMatrix* packed_qkv = nullptr;  // q, k and v as one product, in place of theirs
  // Gate and up as one product, in place of theirs; of experts gate and up of the first, of the second ...
  const kernels::PackedMatrix* packed_gate_up = nullptr;
  const kernels::PackedMatrix* packed_bridge_qkv = nullptr;  // as packed_qkv
};

// The tensors of a model, where they are computed with. On the CPU they lie in the mapped file.
struct Weights {
  ggml_tensor* token_embd = nullptr;  // [n_embd, n_vocab]
  std::vector<LayerWeights> layers = {};
  ggml_tensor* output_norm = nullptr;  // [n_embd]
  Linear output;                       // [n_embd, n_vocab]; the token embedding where the file ties them

  // The place of what arch::tensor_table names, nullptr where it has another kind. Experts are linears here.
  Linear* linear(arch::Role role, int32_t layer);
  ggml_tensor** vector(arch::Role role, int32_t layer);
  // What a vector (a norm, a bias, sinks) holds, in the mapped file, whatever device it lies on; nullptr of
  // null.
  const float* values(const ggml_tensor* vector) const;

  std::shared_ptr<const arch::TensorSource> source = {};  // owns what Linear::source points to
  std::unordered_map<const ggml_tensor*, const gguf::TensorInfo*> in_file = {};
  std::deque<kernels::PackedMatrix> packed = {};  // owns what Linear::packed points to
  // What adapters do to the products of these; made by pack_adapters.
  std::map<const kernels::PackedMatrix*, kernels::LowRank> low_rank = {};
  std::vector<ContextHandle> contexts = {};
  std::vector<BufferHandle> buffers = {};
  size_t resident_bytes = 0;  // held in memory: packed, or on a device; mapped pages are not counted twice
};

struct WeightOptions {
  bool pack = false;                         // hold the linears on the CPU for lanerope's kernels
  std::function<std::string()> advice = {};  // what to do where the weights do not fit, for the message
  std::function<void(float)> progress = {};
};

// Where weights go; it must outlive the call.
struct WeightPlaces {
  const Devices& devices;
  const Placement& placement;
};

// Throws BadFile, naming the tensor, where one is missing or has the wrong shape. `file` must outlive the
// weights.
Weights load_weights(const gguf::File& file, const arch::ModelConfig& config, const WeightPlaces& places,
                     const WeightOptions& options);

}  // namespace lanerope::model
