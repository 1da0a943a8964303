// SPDX-License-Identifier: Apache-2.0
#include "model/adapter.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <string_view>

#include "arch/lane_keys.h"
#include "lanerope/errors.h"

namespace lanerope::model {

namespace {

constexpr std::string_view suffix_a = ".lora_a";
constexpr std::string_view suffix_b = ".lora_b";

struct Pair {
  const gguf::TensorInfo* a = nullptr;
  const gguf::TensorInfo* b = nullptr;
};

std::map<std::string, Pair> read_pairs(const gguf::File& file) {
  std::map<std::string, Pair> pairs;
  for (const gguf::TensorInfo& info : file.tensors()) {
    std::string_view stem = info.name;
    if (stem.ends_with(suffix_a)) {
      stem.remove_suffix(suffix_a.size());
      pairs[std::string(stem)].a = &info;
    } else if (stem.ends_with(suffix_b)) {
      stem.remove_suffix(suffix_b.size());
      pairs[std::string(stem)].b = &info;
    } else if (!stem.ends_with("_norm.weight")) {  // llama.cpp passes these over too
      throw BadFile(file.path() + ": tensor " + info.name + " is neither a .lora_a nor a .lora_b");
    }
  }
  for (const auto& [name, pair] : pairs) {
    if (pair.a == nullptr || pair.b == nullptr) {
      throw BadFile(file.path() + ": " + name + " has only one half of its pair; the file is incomplete");
    }
  }
  if (pairs.empty()) throw BadFile(file.path() + ": it holds no adapter tensors");
  return pairs;
}

// `path` is the adapter's, for what is said where it cannot be.
Linear& find_linear(Weights& weights, std::span<const arch::TensorSpec> table, const std::string& name,
                    const std::string& path) {
  const auto spec = std::ranges::find(table, name, &arch::TensorSpec::name);
  if (spec != table.end() && spec->experts) {
    throw InvalidRequest(
        path + ": tensor " + name + std::string(suffix_a) +
        " corrects experts, which lanerope's adapters do not; use one of the attention alone");
  }
  if (spec == table.end() || !spec->linear) {
    throw InvalidRequest(path + ": tensor " + name + std::string(suffix_a) + " corrects " + name +
                         ", which is not a linear map of this model");
  }
  return *weights.linear(spec->role, spec->layer);
}

void check_pair(const std::string& path, const Linear& linear, const Pair& pair) {
  const auto fail = [&](const gguf::TensorInfo& tensor, const std::string& what) {
    throw InvalidRequest(path + ": tensor " + tensor.name + " " + what +
                         "; the adapter belongs to another model");
  };
  const auto& a = *pair.a;
  const auto& b = *pair.b;
  if (a.ne[2] != 1 || a.ne[3] != 1 || a.ne[0] != linear.n_in()) {
    fail(a, "takes " + std::to_string(a.ne[0]) + " inputs where " + linear.name + " takes " +
                std::to_string(linear.n_in()));
  }
  if (b.ne[2] != 1 || b.ne[3] != 1 || b.ne[1] != linear.n_out()) {
    fail(b, "gives " + std::to_string(b.ne[1]) + " outputs where " + linear.name + " gives " +
                std::to_string(linear.n_out()));
  }
  if (a.ne[1] != b.ne[0]) {
    fail(b, "has rank " + std::to_string(b.ne[0]) + " and its other half has " + std::to_string(a.ne[1]));
  }
  for (const gguf::TensorInfo* half : {&a, &b}) {
    if (!kernels::LowRank::supports(half->type)) {
      fail(*half,
           std::string("is ") + ggml_type_name(half->type) + ", not f32, f16, bf16 or a quantised type");
    }
  }
}

}  // namespace

AdapterInfo read_adapter_info(const gguf::File& file) {
  const std::string& path = file.path();
  if (file.find<std::string>("general.type").value_or("") != "adapter" ||
      file.find<std::string>("adapter.type").value_or("") != "lora") {
    throw BadFile(path + ": it is not a LoRA adapter (general.type is not \"adapter\")");
  }
  AdapterInfo info{.file = path, .alpha = file.find<float>("adapter.lora.alpha").value_or(0.0F)};
  if (!std::isfinite(info.alpha)) throw BadFile(path + ": adapter.lora.alpha is not a number");
  for (const auto& [name, pair] : read_pairs(file)) {
    info.rank = std::max(info.rank, static_cast<int32_t>(pair.b->ne[0]));
    info.n_tensors += 2;
    info.bytes += pair.a->bytes + pair.b->bytes;
  }
  info.lanes = arch::read_lane_training(file);
  info.on_prompt = file.find<bool>("lanerope.prompt").value_or(true);
  return info;
}

AdapterInfo load_adapter(const AdapterFile& adapter, const arch::ModelConfig& config, const Devices& devices,
                         Weights& weights) {
  const std::string& path = adapter.path;
  const gguf::File file(path);
  AdapterInfo info = read_adapter_info(file);
  const auto architecture = file.get<std::string>("general.architecture");
  if (architecture != config.architecture) {
    throw InvalidRequest(path + ": the adapter is for architecture \"" + architecture +
                         "\" and the model is \"" + std::string(config.architecture) + "\"");
  }
  if (info.lanes) arch::check_omega(*info.lanes, config);

  const std::vector<arch::TensorSpec> table = arch::tensor_table(config);
  const auto tensor_pairs = read_pairs(file);
  std::map<int32_t, ContextHandle> contexts;  // by device
  std::vector<std::pair<ggml_tensor*, const gguf::TensorInfo*>> to_fill;
  const auto declare = [&](const gguf::TensorInfo& source, int32_t device) {
    ContextHandle& context = contexts[device];
    if (context == nullptr)
      context = make_context(tensor_pairs.size() * 6);  // at most three linears are fused
    ggml_tensor* tensor = ggml_new_tensor_2d(context.get(), source.type, source.ne[0], source.ne[1]);
    ggml_set_name(tensor, source.name.c_str());
    to_fill.emplace_back(tensor, &source);
    return tensor;
  };
  const auto add = [&](const std::string& name, const Pair& pair) {
    Linear& linear = find_linear(weights, table, name, path);
    check_pair(path, linear, pair);
    const float lora_scale = info.alpha == 0 ? 1.0F : info.alpha / static_cast<float>(pair.b->ne[0]);
    linear.lora.push_back({.adapter = adapter.index,
                           .scale = lora_scale,
                           .a = declare(*pair.a, linear.device),
                           .b = declare(*pair.b, linear.device)});
  };
  std::deque<gguf::TensorInfo> runs;
  for (const auto& [name, pair] : tensor_pairs) {
    const auto fused = weights.source->fused(name);
    if (fused.empty()) add(name, pair);
    for (const arch::TensorSource::Rows& rows : fused) {
      gguf::TensorInfo& b = runs.emplace_back(*pair.b);
      if (rows.first + rows.n > b.ne[1]) {
        throw InvalidRequest(path + ": tensor " + b.name + " gives " + std::to_string(b.ne[1]) +
                             " outputs, fewer than " + name + "; the adapter belongs to another model");
      }
      const size_t row_bytes = b.bytes / static_cast<size_t>(b.ne[1]);
      b.ne[1] = rows.n;
      b.data += static_cast<size_t>(rows.first) * row_bytes;
      b.bytes = static_cast<size_t>(rows.n) * row_bytes;
      add(rows.name, {.a = pair.a, .b = &b});
    }
  }

  for (auto& [of, context] : contexts) {
    BufferHandle buffer(ggml_backend_alloc_ctx_tensors_from_buft(context.get(), devices.buffer_type(of)));
    if (buffer == nullptr)
      throw DoesNotFit(path + ": the adapter does not fit into the memory of " + devices.name(of));
    ggml_backend_buffer_set_usage(buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    weights.contexts.push_back(std::move(context));
    weights.buffers.push_back(std::move(buffer));
  }
  for (const auto& [tensor, source] : to_fill)
    ggml_backend_tensor_set(tensor, source->data, 0, source->bytes);
  return info;
}

void pack_adapters(Weights& weights) {
  // Linears in the order in which one product joins them.
  const auto pack = [&](const kernels::PackedMatrix* matrix, std::initializer_list<const Linear*> linears) {
    if (matrix == nullptr) return;
    std::vector<kernels::LowRank::Pair> pairs;
    int32_t part = 0;
    for (const Linear* linear : linears) {
      for (const Lora& lora : linear->lora) {
        pairs.push_back({.adapter = lora.adapter,
                         .part = part,
                         .scale = lora.scale,
                         .rank = lora.b->ne[0],
                         .a = {lora.a->type, lora.a->data},
                         .b = {lora.b->type, lora.b->data}});
      }
      ++part;
    }
    if (!pairs.empty()) weights.low_rank.emplace(matrix, kernels::LowRank(*matrix, pairs));
  };
  pack(weights.output.packed, {&weights.output});
  for (const LayerWeights& layer : weights.layers) {
    pack(layer.packed_qkv, {&layer.attn_q, &layer.attn_k, &layer.attn_v});
    pack(layer.packed_gate_up, {&layer.ffn_gate, &layer.ffn_up});
    pack(layer.packed_bridge_qkv, {&layer.bridge_q, &layer.bridge_k, &layer.bridge_v});
    for (const Linear* linear : {&layer.attn_q, &layer.attn_k, &layer.attn_v, &layer.attn_output,
                                 &layer.ffn_gate_inp, &layer.ffn_gate, &layer.ffn_up, &layer.ffn_down,
                                 &layer.bridge_q, &layer.bridge_k, &layer.bridge_v, &layer.bridge_output}) {
      pack(linear->packed, {linear});
    }
  }
}

}  // namespace lanerope::model
