// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "arch/model_config.h"
#include "lanerope/engine_options.h"  // KvType
#include "model/device.h"

namespace lanerope::model {

struct KvPoolOptions {
  int32_t n_cells = 0;
  KvType type = KvType::f16;
  int32_t n_spare = 0;                    // further cells, behind the others, that belong to nobody
  std::span<const int32_t> devices = {};  // of the layers, at least [n_layer]
};

// The keys and values of every cell, layer by layer. Keys are stored once, rotated by theta * i only. Which
// cells belong to whom is the engine's business (core/page_allocator.h).
struct KvPool {
  // Throws DoesNotFit with the numbers if the memory cannot be had.
  KvPool(const arch::ModelConfig& config, const Devices& devices, const KvPoolOptions& options);

  int32_t n_cells = 0;               // without the spare ones
  std::vector<ggml_tensor*> keys;    // per layer [head_dim * n_head_kv, n_cells + n_spare]
  std::vector<ggml_tensor*> values;  // per layer the same

 private:
  std::vector<ContextHandle> contexts_;
  std::vector<BufferHandle> buffers_;
};

ggml_type ggml_kv_type(KvType type);

// Keys and values of one cell over all layers.
size_t kv_bytes_per_cell(const arch::ModelConfig& config, KvType type);

}  // namespace lanerope::model
