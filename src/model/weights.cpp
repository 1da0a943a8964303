// SPDX-License-Identifier: Apache-2.0
#include "model/weights.h"

#include <algorithm>
#include <array>

#include "gguf/finite.h"
#include "kernels/thread_pool.h"
#include "lanerope/errors.h"

namespace lanerope::model {

namespace {

std::string shape_text(std::span<const int64_t> ne) {
  std::string text = "[";
  for (size_t i = 0; i < ne.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(ne[i]);
  return text + "]";
}

class Loader {
 public:
  Loader(const gguf::File& file, const arch::ModelConfig& config, const Devices& devices,
         const Placement& placement)
      : file_(file),
        config_(config),
        devices_(devices),
        placement_(placement),
        source_(std::make_shared<arch::TensorSource>(file, config)),
        contexts_(devices.size() + 1) {}

  // Declares every tensor of the model and checks its shape; nothing has data yet.
  void declare(Weights& weights) {
    weights.source = source_;
    weights.layers.resize(config_.n_layer());
    for (int32_t i = 0; i < config_.n_layer(); ++i) weights.layers[i].index = i;
    for (const arch::TensorSpec& spec : arch::tensor_table(config_)) {
      if (spec.bias) continue;  // comes with its linear
      if (Linear* place = weights.linear(spec.role, spec.layer)) {
        const std::string stem = arch::tensor_stem(spec.role, spec.layer);
        *place = linear(stem, spec.ne, layer_of_tensor(stem, config_.n_layer()));
      } else {
        *weights.vector(spec.role, spec.layer) =
            spec.ne[1] == 1 ? vector(spec.name, {spec.ne[0], 1, 1}) : tensor(spec.name, spec.ne);
      }
    }
    if (config_.tied)
      weights.output = linear("token_embd", {config_.n_embd, config_.n_vocab, 1}, config_.n_layer());
  }

  // Gives the declared tensors their data: the mapped file itself, or a copy on the device.
  void place(Weights& weights, const WeightOptions& options) {
    if (contexts_[0] != nullptr) wrap_file(weights);
    for (int32_t device = 0; device < devices_.size(); ++device) copy_to_device(weights, device, options);
    for (const Declared& item : declared_) weights.in_file.emplace(item.tensor, item.info);
    for (ContextHandle& context : contexts_) {
      if (context != nullptr) weights.contexts.push_back(std::move(context));
    }
  }

 private:
  using Shape = std::array<int64_t, 3>;
  struct Declared {
    ggml_tensor* tensor;
    const gguf::TensorInfo* info;
    int32_t device;
  };

  Linear linear(const std::string& stem, Shape ne, int32_t layer) {
    Linear result{.name = stem + ".weight"};
    result.weight = tensor(result.name, ne, layer);
    result.source = source_->find(result.name);
    result.device = placement_.of_tensor(source_->name_in_file(result.name), layer);
    if (source_->find(stem + ".bias") != nullptr) result.bias = vector(stem + ".bias", {ne[1], ne[2], 1});
    return result;
  }

  ggml_tensor* vector(const std::string& name, Shape ne) {
    ggml_tensor* result = tensor(name, ne);
    if (result->type != GGML_TYPE_F32) {
      throw BadFile(file_.path() + ": tensor " + name + " is " + ggml_type_name(result->type) +
                    " and must be f32");
    }
    return result;
  }

  ggml_tensor* tensor(const std::string& name, Shape ne) {
    return tensor(name, ne, layer_of_tensor(name, config_.n_layer()));
  }

  ggml_tensor* tensor(const std::string& name, Shape ne, int32_t layer) {
    const gguf::TensorInfo& info = source_->get(name);
    const std::array<int64_t, 4> expected = {ne[0], ne[1], ne[2], 1};
    if (info.ne != expected) {
      throw BadFile(file_.path() + ": tensor " + name + " has shape " + shape_text(info.ne) +
                    " and must have " + shape_text(std::span(ne).first(ne[2] == 1 ? 2 : 3)) +
                    "; the file does not fit its own metadata");
    }
    // A tied output on another device than the embedding is a tensor of its own.
    const int32_t device = placement_.of_tensor(source_->name_in_file(name), layer);
    for (const Declared& other : declared_) {
      if (other.info == &info && other.device == device) return other.tensor;
    }
    if (!gguf::all_finite(info)) {
      throw BadFile(file_.path() + ": tensor " + name +
                    " holds values that are not numbers; the file is damaged");
    }
    ContextHandle& context = contexts_[device + 1];
    // Every linear may have a bias, and a tied output is a second use of the embedding.
    if (context == nullptr) context = make_context(file_.tensors().size() * 3 + 16);
    ggml_tensor* result = ggml_new_tensor_3d(context.get(), info.type, ne[0], ne[1], ne[2]);
    ggml_set_name(result, name.c_str());
    declared_.push_back({.tensor = result, .info = &info, .device = device});
    return result;
  }

  void wrap_file(Weights& weights) {
    for (int32_t shard = 0; shard < file_.n_shards(); ++shard) {
      const auto bytes = file_.shard(shard);
      // ggml never writes to weights; the mapping is read-only.
      BufferHandle buffer = devices_.wrap_memory(const_cast<std::byte*>(bytes.data()), bytes.size());
      if (buffer == nullptr) throw SystemError(file_.path() + ": the CPU back end cannot use a mapped file");
      ggml_backend_buffer_set_usage(buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
      for (const Declared& item : declared_) {
        if (item.info->shard != shard || item.device != cpu_device) continue;
        ggml_backend_tensor_alloc(buffer.get(), item.tensor, const_cast<std::byte*>(item.info->data));
      }
      weights.buffers.push_back(std::move(buffer));
    }
    for (const Declared& item : declared_) {
      if (item.device == cpu_device) weights.resident_bytes += item.info->bytes;
    }
  }

  void copy_to_device(Weights& weights, int32_t device, const WeightOptions& options) {
    if (contexts_[device + 1] == nullptr) return;
    BufferHandle buffer(
        ggml_backend_alloc_ctx_tensors_from_buft(contexts_[device + 1].get(), devices_.buffer_type(device)));
    if (buffer == nullptr) {
      size_t bytes = 0;
      for (const Declared& item : declared_) bytes += item.device == device ? item.info->bytes : 0;
      throw DoesNotFit(file_.path() + ": " + std::to_string(bytes >> 20) + " MiB of its weights are for " +
                       devices_.name(device) + " and do not fit there; " + options.advice());
    }
    ggml_backend_buffer_set_usage(buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    weights.resident_bytes += ggml_backend_buffer_get_size(buffer.get());
    for (const Declared& item : declared_) {
      if (item.device != device) continue;
      ggml_backend_tensor_set(item.tensor, item.info->data, 0, item.info->bytes);
      ++n_copied_;
      if (options.progress) {
        const auto n_all = std::ranges::count_if(
            declared_, [](const Declared& other) { return other.device != cpu_device; });
        options.progress(static_cast<float>(n_copied_) / static_cast<float>(n_all));
      }
    }
    weights.buffers.push_back(std::move(buffer));
  }

  const gguf::File& file_;
  const arch::ModelConfig& config_;
  const Devices& devices_;
  const Placement& placement_;
  std::shared_ptr<const arch::TensorSource> source_;
  std::vector<ContextHandle> contexts_;  // [devices + 1], the CPU's first; null where nothing lies
  std::vector<Declared> declared_;
  int64_t n_copied_ = 0;
};

// Packs the linears that are on the CPU for the kernels, on the threads that the model is loaded for.
class Packer {
 public:
  Packer(Weights& weights, const gguf::File& file, const Placement& placement, int32_t threads)
      : weights_(weights), file_(file), placement_(placement), pool_(threads) {}

  void run(bool tied, const std::function<void(float)>& progress) {
    // A tied output is packed, and the rows of the embedding are still read from the file.
    if (tied && weights_.output.device == cpu_device)
      weights_.resident_bytes += weights_.output.source->bytes;
    single(weights_.output);
    for (LayerWeights& layer : weights_.layers) {
      // Rows of a joined product are not contiguous, which is for the CPU alone.
      if (placement_.layers[layer.index] == cpu_device)
        layer.packed_qkv = joined({&layer.attn_q, &layer.attn_k, &layer.attn_v});
      if (layer.packed_qkv == nullptr) {
        for (Linear* linear : {&layer.attn_q, &layer.attn_k, &layer.attn_v}) single(*linear);
      }
      single(layer.attn_output);
      if (layer.ffn_gate_inp.source != nullptr) {
        single(layer.ffn_gate_inp);
        if (layer.ffn_down.device == cpu_device) {  // all three, or none (splits_experts)
          layer.packed_gate_up = experts({&layer.ffn_gate, &layer.ffn_up});
          layer.ffn_down.packed = experts({&layer.ffn_down});
        }
      } else {
        layer.packed_gate_up = joined({&layer.ffn_gate, &layer.ffn_up});
        if (layer.packed_gate_up == nullptr) {
          for (Linear* linear : {&layer.ffn_gate, &layer.ffn_up}) single(*linear);
        }
        single(layer.ffn_down);
      }
      if (layer.bridge_norm != nullptr) bridge(layer);
      if (progress)
        progress(static_cast<float>(layer.index + 1) / static_cast<float>(weights_.layers.size()));
    }
  }

 private:
  void bridge(LayerWeights& layer) {
    if (placement_.layers[layer.index] == cpu_device)
      layer.packed_bridge_qkv = joined({&layer.bridge_q, &layer.bridge_k, &layer.bridge_v});
    if (layer.packed_bridge_qkv == nullptr) {
      for (Linear* linear : {&layer.bridge_q, &layer.bridge_k, &layer.bridge_v}) single(*linear);
    }
    single(layer.bridge_output);
  }

  // Linears over the same input as one product, where their types allow it; nullptr if they do not.
  const kernels::PackedMatrix* joined(std::initializer_list<const Linear*> linears) {
    std::vector<kernels::PackedMatrix::Source> sources;
    for (const Linear* linear : linears) {
      const gguf::TensorInfo& source = *linear->source;
      const bool fits = linear->device == cpu_device &&
                        kernels::PackedMatrix::supports(source.type, linear->n_in()) &&
                        kernels::PackedMatrix::joins((*linears.begin())->source->type, source.type);
      if (!fits) return nullptr;
      sources.push_back({.type = source.type, .n_out = linear->n_out(), .data = source.data});
    }
    return packed(sources, linears);
  }

  // The experts' linears over the same input: those of the first expert, those of the second, and so on.
  // Where their types want columns of two forms, they stay as they are in the file, which wants one.
  const kernels::PackedMatrix* experts(std::initializer_list<const Linear*> linears) {
    using Matrix = kernels::PackedMatrix;
    bool joins = true;
    for (const Linear* linear : linears) {
      if (!Matrix::supports(linear->source->type, linear->n_in())) refuse(*linear);
      joins = joins && Matrix::joins((*linears.begin())->source->type, linear->source->type);
    }
    std::vector<Matrix::Source> sources;
    for (int64_t e = 0; e < (*linears.begin())->source->ne[2]; ++e) {
      for (const Linear* linear : linears) {
        const gguf::TensorInfo& source = *linear->source;
        const auto bytes_of_expert = static_cast<int64_t>(source.bytes) / source.ne[2];
        const bool as_in_file = !joins && ggml_is_quantized(source.type);
        sources.push_back({.type = source.type,
                           .n_out = linear->n_out(),
                           .data = source.data + e * bytes_of_expert,
                           .form = as_in_file ? Matrix::Form::as_in_file : Matrix::Form::best});
      }
    }
    return packed(sources, linears);
  }

  const kernels::PackedMatrix* packed(std::span<const kernels::PackedMatrix::Source> sources,
                                      std::initializer_list<const Linear*> linears) {
    weights_.packed.emplace_back((*linears.begin())->n_in(), sources, &pool_);
    weights_.resident_bytes += weights_.packed.back().bytes();
    for (const Linear* linear : linears) {
      weights_.resident_bytes -= linear->source->bytes;
      file_.forget(*linear->source);
    }
    return &weights_.packed.back();
  }

  void single(Linear& linear) {
    if (linear.device != cpu_device) return;
    linear.packed = joined({&linear});
    if (linear.packed == nullptr) refuse(linear);
  }

  [[noreturn]] void refuse(const Linear& linear) const {
    throw BadFile(file_.path() + ": tensor " + linear.name + " is " + ggml_type_name(linear.source->type) +
                  ", which is no type of weights; use --backend ggml, or convert the file anew");
  }

  Weights& weights_;
  const gguf::File& file_;
  const Placement& placement_;
  kernels::ThreadPool pool_;
};

}  // namespace

Linear* Weights::linear(arch::Role role, int32_t index) {
  using arch::Role;
  if (role == Role::output) return &output;
  if (index < 0) return nullptr;
  LayerWeights& layer = layers[index];
  switch (role) {
    case Role::attn_q:
      return &layer.attn_q;
    case Role::attn_k:
      return &layer.attn_k;
    case Role::attn_v:
      return &layer.attn_v;
    case Role::attn_output:
      return &layer.attn_output;
    case Role::ffn_gate_inp:
      return &layer.ffn_gate_inp;
    case Role::ffn_gate:
    case Role::ffn_gate_exps:
      return &layer.ffn_gate;
    case Role::ffn_up:
    case Role::ffn_up_exps:
      return &layer.ffn_up;
    case Role::ffn_down:
    case Role::ffn_down_exps:
      return &layer.ffn_down;
    case Role::bridge_q:
      return &layer.bridge_q;
    case Role::bridge_k:
      return &layer.bridge_k;
    case Role::bridge_v:
      return &layer.bridge_v;
    case Role::bridge_output:
      return &layer.bridge_output;
    default:
      return nullptr;
  }
}

ggml_tensor** Weights::vector(arch::Role role, int32_t index) {
  using arch::Role;
  if (role == Role::token_embd) return &token_embd;
  if (role == Role::output_norm) return &output_norm;
  if (index < 0) return nullptr;
  LayerWeights& layer = layers[index];
  switch (role) {
    case Role::attn_norm:
      return &layer.attn_norm;
    case Role::attn_q_norm:
      return &layer.attn_q_norm;
    case Role::attn_k_norm:
      return &layer.attn_k_norm;
    case Role::attn_sinks:
      return &layer.attn_sinks;
    case Role::post_attention_norm:
      return &layer.post_attention_norm;
    case Role::ffn_norm:
      return &layer.ffn_norm;
    case Role::post_ffw_norm:
      return &layer.post_ffw_norm;
    case Role::bridge_norm:
      return &layer.bridge_norm;
    default:
      return nullptr;
  }
}

const float* Weights::values(const ggml_tensor* vector) const {
  return vector != nullptr ? reinterpret_cast<const float*>(in_file.at(vector)->data) : nullptr;
}

Weights load_weights(const gguf::File& file, const arch::ModelConfig& config, const WeightPlaces& places,
                     const WeightOptions& options) {
  const auto& [devices, placement] = places;
  Weights weights;
  Loader loader(file, config, devices, placement);
  loader.declare(weights);
  loader.place(weights, options);
  if (options.pack) Packer(weights, file, placement, devices.threads()).run(config.tied, options.progress);
  return weights;
}

}  // namespace lanerope::model
