// SPDX-License-Identifier: Apache-2.0
#include "model/kv_pool.h"

#include <algorithm>

#include "lanerope/errors.h"

namespace lanerope::model {

ggml_type ggml_kv_type(KvType type) {
  switch (type) {
    case KvType::f16:
      return GGML_TYPE_F16;
    case KvType::f32:
      return GGML_TYPE_F32;
    case KvType::q8_0:
      return GGML_TYPE_Q8_0;
  }
  return GGML_TYPE_F16;
}

size_t kv_bytes_per_cell(const arch::ModelConfig& config, KvType type) {
  size_t bytes = 0;
  for (const arch::LayerConfig& layer : config.layers) {
    bytes += 2 * ggml_row_size(ggml_kv_type(type), layer.attention.kv_width());
  }
  return bytes;
}

KvPool::KvPool(const arch::ModelConfig& config, const Device& device, const KvPoolOptions& options)
    : n_cells(options.n_cells) {
  const ggml_type type = ggml_kv_type(options.type);
  if (options.type == KvType::q8_0 && config.attention().head_dim % 32 != 0) {
    throw InvalidRequest("q8_0 KV cells need heads of a multiple of 32, and this model's are of " +
                         std::to_string(config.attention().head_dim) + "; use --kv-type f16");
  }
  const int64_t n_all = static_cast<int64_t>(n_cells) + options.n_spare;
  const int32_t first = std::clamp(options.first_on_device, 0, config.n_layer());
  const auto add_layers = [&](int32_t begin, int32_t end, ggml_backend_buffer_type_t where) {
    if (begin == end) return;
    ggml_context* context = contexts_.emplace_back(make_context(2 * static_cast<size_t>(end - begin))).get();
    for (int32_t layer = begin; layer < end; ++layer) {
      const int64_t width = config.layers[layer].attention.kv_width();
      keys.push_back(ggml_new_tensor_2d(context, type, width, n_all));
      values.push_back(ggml_new_tensor_2d(context, type, width, n_all));
    }
    buffers_.emplace_back(ggml_backend_alloc_ctx_tensors_from_buft(context, where));
    if (buffers_.back() == nullptr) {
      throw DoesNotFit("the KV cells need " +
                       std::to_string(kv_bytes_per_cell(config, options.type) * n_cells >> 20) + " MiB (" +
                       std::to_string(n_cells) +
                       " cells), which this machine does not have; use fewer lanes or a smaller budget");
    }
    // A cell that was never written may be multiplied by a weight of zero, and 0 * NaN is NaN.
    ggml_backend_buffer_clear(buffers_.back().get(), 0);
  };
  add_layers(0, first, device.cpu_buffer_type());
  add_layers(first, config.n_layer(), device.buffer_type());
}

}  // namespace lanerope::model
