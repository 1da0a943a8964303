// SPDX-License-Identifier: Apache-2.0
#include "model/kv_pool.h"

#include <string>

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

KvPool::KvPool(const arch::ModelConfig& config, const Devices& devices, const KvPoolOptions& options)
    : n_cells(options.n_cells) {
  const ggml_type type = ggml_kv_type(options.type);
  if (options.type == KvType::q8_0 && config.attention().head_dim % 32 != 0) {
    throw InvalidRequest("q8_0 KV cells need heads of a multiple of 32, and this model's are of " +
                         std::to_string(config.attention().head_dim) + "; use --kv-type f16");
  }
  const int64_t n_all = static_cast<int64_t>(n_cells) + options.n_spare;
  contexts_.resize(devices.size() + 1);  // the CPU's first; null where no layer is
  for (int32_t layer = 0; layer < config.n_layer(); ++layer) {
    ContextHandle& context = contexts_[options.devices[layer] + 1];
    if (context == nullptr) context = make_context(2 * static_cast<size_t>(config.n_layer()));
    const int64_t width = config.layers[layer].attention.kv_width();
    keys.push_back(ggml_new_tensor_2d(context.get(), type, width, n_all));
    values.push_back(ggml_new_tensor_2d(context.get(), type, width, n_all));
  }
  for (int32_t device = cpu_device; device < devices.size(); ++device) {
    if (contexts_[device + 1] == nullptr) continue;
    buffers_.emplace_back(
        ggml_backend_alloc_ctx_tensors_from_buft(contexts_[device + 1].get(), devices.buffer_type(device)));
    if (buffers_.back() == nullptr) {
      throw DoesNotFit(
          "the KV cells need " + std::to_string(kv_bytes_per_cell(config, options.type) * n_cells >> 20) +
          " MiB (" + std::to_string(n_cells) + " cells), which " +
          (device == cpu_device
               ? "this machine does not have; use fewer lanes or a smaller budget"
               : devices.name(device) + " does not have for its layers; use fewer lanes, a smaller "
                                        "budget or fewer --gpu-layers"));
    }
    // A cell that was never written may be multiplied by a weight of zero, and 0 * NaN is NaN.
    ggml_backend_buffer_clear(buffers_.back().get(), 0);
  }
}

}  // namespace lanerope::model
