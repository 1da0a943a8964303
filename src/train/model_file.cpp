// SPDX-License-Identifier: Apache-2.0
#include "train/model_file.h"

#include <torch/torch.h>

#include <array>

#include "core/theta.h"
#include "gguf/file.h"
#include "gguf/writer.h"
#include "lanerope/errors.h"
#include "model/adapter.h"
#include "model/architecture.h"
#include "model/vocabulary_reader.h"
#include "train/files/vocabulary_file.h"

namespace lanerope::train {

using torch::Tensor;

namespace {

// Torch counts dimensions the other way round: ggml's [n_in, n_out] is (n_out, n_in).
Tensor read_tensor(const gguf::TensorInfo& info) {
  const int64_t count = info.ne[0] * info.ne[1] * info.ne[2] * info.ne[3];
  Tensor values = torch::empty({count}, torch::kFloat32);
  if (info.type == GGML_TYPE_F32) {
    std::memcpy(values.data_ptr<float>(), info.data, info.bytes);
  } else {
    const ggml_type_traits* traits = ggml_get_type_traits(info.type);
    if (traits->to_float == nullptr) {
      throw BadFile("tensor " + info.name + " is of type " + ggml_type_name(info.type) +
                    ", which cannot be trained from");
    }
    traits->to_float(info.data, values.data_ptr<float>(), count);
  }
  return info.ne[1] > 1 || info.name.find(".lora_") != std::string::npos
             ? values.reshape({info.ne[1], info.ne[0]})
             : values;
}

// llama's files hold each head's rotary pairs side by side, (2t, 2t + 1); inside they are halves.
enum class PairOrder { to_halves, to_adjacent };

Tensor permute_pairs(const Tensor& rows, int64_t head_dim, PairOrder order) {
  const int64_t heads = rows.size(0) / head_dim;
  const int64_t half = head_dim / 2;
  const auto inner =
      order == PairOrder::to_halves ? std::array<int64_t, 2>{half, 2} : std::array<int64_t, 2>{2, half};
  return rows.reshape({heads, inner[0], inner[1], -1}).transpose(1, 2).reshape(rows.sizes()).contiguous();
}

bool is_permuted(const model::Hyperparameters& h, const std::string& stem) {
  return h.architecture->pairs == core::RopePairs::adjacent && (stem == "attn_q" || stem == "attn_k");
}

std::string stem_of(const std::string& name) {
  return name.substr(name.rfind('.') + 1);
}

class Outlet {
 public:
  Outlet(const std::string& path, ggml_type type) : writer(path), type_(type) {}

  void add(const std::string& name, const Tensor& tensor, ggml_type type) {
    Tensor values = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
    const auto ne = values.dim() == 2 ? std::vector<int64_t>{values.size(1), values.size(0)}
                                      : std::vector<int64_t>{values.size(0)};
    writer.add_tensor(name, type, ne);
    tensors_.emplace_back(type, std::move(values));
  }
  void add(const std::string& name, const Tensor& tensor) {
    add(name, tensor, tensor.dim() == 2 ? type_ : GGML_TYPE_F32);
  }

  void finish() {
    writer.begin();
    for (const auto& [type, values] : tensors_) {
      const Tensor stored = type == GGML_TYPE_F16    ? values.to(torch::kHalf)
                            : type == GGML_TYPE_BF16 ? values.to(torch::kBFloat16)
                                                     : values;
      writer.write({static_cast<const std::byte*>(stored.data_ptr()), stored.nbytes()});
    }
    writer.finish();
  }

  gguf::Writer writer;

 private:
  ggml_type type_;
  std::vector<std::pair<ggml_type, Tensor>> tensors_;
};

void set_rope(gguf::Writer& writer, const model::Hyperparameters& h, const std::string& prefix) {
  writer.set(prefix + "rope.dimension_count", static_cast<uint32_t>(h.rope.dimensions));
  writer.set(prefix + "rope.freq_base", h.rope.base);
  if (h.rope.scaling == core::RopeScaling::none) return;
  writer.set(prefix + "rope.scaling.type", h.rope.scaling == core::RopeScaling::linear ? "linear" : "yarn");
  writer.set(prefix + "rope.scaling.factor", h.rope.factor);
  writer.set(prefix + "rope.scaling.original_context_length", static_cast<uint32_t>(h.rope.original_context));
  writer.set(prefix + "rope.scaling.attn_factor", h.rope.attention_factor);
  writer.set(prefix + "rope.scaling.yarn_ext_factor", h.rope.extrapolation);
  writer.set(prefix + "rope.scaling.yarn_beta_fast", h.rope.beta_fast);
  writer.set(prefix + "rope.scaling.yarn_beta_slow", h.rope.beta_slow);
}

void set_lanes(gguf::Writer& writer, const TrainModel& model, const LaneFacts& facts) {
  if (facts.lanes.empty()) return;
  writer.set("lanerope.version", uint32_t{1});
  writer.set("lanerope.coupling", name(CouplingKind::lanerope));
  writer.set("lanerope.init", name(facts.omega.init));
  writer.set("lanerope.stride", facts.omega.stride);
  writer.set("lanerope.visibility", name(facts.visibility));
  writer.set("lanerope.tag", facts.tag);
  writer.set("lanerope.lanes", std::span<const int32_t>(facts.lanes));
  writer.set("lanerope.prompt", model.lora().on_prompt);
  const Tensor omega = model.omega().detach().to(torch::kCPU, torch::kFloat32).contiguous();
  writer.set("lanerope.omega",
             std::span<const float>(omega.data_ptr<float>(), static_cast<size_t>(omega.numel())));
}

}  // namespace

TrainModel::TrainModel(const std::string& path) {
  const gguf::File file(path);
  h_ = model::read_hyperparameters(file);
  if (h_.rope.dimensions != h_.head_dim)
    throw InvalidRequest(path + ": only part of each head is rotated, which lanerope-train does not support");
  const core::Theta theta = core::effective_theta(h_.rope);
  theta_ = theta.theta;
  magnitude_ = theta.magnitude;
  vocabulary_ = model::read_vocabulary(file);
  const auto optional = [&](const std::string& name) {
    const gguf::TensorInfo* info = file.find_tensor(name);
    return info != nullptr ? read_tensor(*info) : Tensor();
  };
  token_embd_ = read_tensor(file.tensor("token_embd.weight"));
  output_norm_ = read_tensor(file.tensor("output_norm.weight"));
  output_.weight = optional("output.weight");
  layers_.resize(static_cast<size_t>(h_.n_layer));
  for_each_linear([&](const std::string& name, TrainLinear& linear) {
    linear.weight = read_tensor(file.tensor(name + ".weight"));
    linear.bias = optional(name + ".bias");
    if (!is_permuted(h_, stem_of(name))) return;
    linear.weight = permute_pairs(linear.weight, h_.head_dim, PairOrder::to_halves);
    if (linear.bias.defined()) linear.bias = permute_pairs(linear.bias, h_.head_dim, PairOrder::to_halves);
  });
  for (size_t i = 0; i < layers_.size(); ++i) {
    const std::string prefix = "blk." + std::to_string(i) + ".";
    layers_[i].attn_norm = read_tensor(file.tensor(prefix + "attn_norm.weight"));
    layers_[i].ffn_norm = read_tensor(file.tensor(prefix + "ffn_norm.weight"));
    layers_[i].attn_q_norm = optional(prefix + "attn_q_norm.weight");
    layers_[i].attn_k_norm = optional(prefix + "attn_k_norm.weight");
  }
  omega_ = torch::zeros({1, h_.head_dim / 2});
  knows_lanes_ = file.has("lanerope.version");
  if (const auto omega = file.find<std::vector<float>>("lanerope.omega"))
    omega_ = torch::tensor(*omega).reshape({-1, h_.head_dim / 2});
  require_gradients();
}

void TrainModel::load_adapter(const std::string& path) {
  const gguf::File file(path);
  const AdapterInfo info = model::read_adapter_info(file);
  lora_.rank = info.rank;
  lora_.alpha = info.alpha == 0 ? static_cast<float>(info.rank) : info.alpha;
  lora_.on_prompt = info.on_prompt;
  lora_.targets.clear();
  int64_t found = 0;
  for_each_linear([&](const std::string& name, TrainLinear& linear) {
    const gguf::TensorInfo* a = file.find_tensor(name + ".weight.lora_a");
    const gguf::TensorInfo* b = file.find_tensor(name + ".weight.lora_b");
    if (a == nullptr || b == nullptr) return;
    const std::string stem = stem_of(name);
    if (a->ne[0] != linear.weight.size(1) || b->ne[1] != linear.weight.size(0) || a->ne[1] != info.rank)
      throw InvalidRequest(path + ": tensor " + a->name +
                           " does not fit; the adapter belongs to another model");
    linear.lora_a = read_tensor(*a);
    linear.lora_b = read_tensor(*b);
    if (is_permuted(h_, stem))
      linear.lora_b = permute_pairs(linear.lora_b, h_.head_dim, PairOrder::to_halves);
    if (std::ranges::find(lora_.targets, stem) == lora_.targets.end()) lora_.targets.push_back(stem);
    found += 2;
  });
  if (found != static_cast<int64_t>(file.tensors().size()))
    throw InvalidRequest(path + ": it changes tensors that lanerope-train does not train");
  knows_lanes_ = knows_lanes_ || info.lanes;
  if (info.lanes && !info.lanes->coupling.omega.empty())
    set_omega(torch::tensor(info.lanes->coupling.omega).reshape({-1, h_.head_dim / 2}));
  require_gradients();
}

void write_model_file(const TrainModel& model, const std::string& path, const ModelFileOptions& options) {
  const torch::NoGradGuard no_gradients;
  const model::Hyperparameters& h = model.hyperparameters();
  const std::string architecture(h.architecture->name);
  const std::string prefix = architecture + ".";
  Outlet outlet(path, options.type);
  gguf::Writer& writer = outlet.writer;
  writer.set("general.architecture", architecture);
  writer.set("general.type", "model");
  writer.set("general.name", options.name);
  writer.set(prefix + "block_count", static_cast<uint32_t>(h.n_layer));
  writer.set(prefix + "embedding_length", static_cast<uint32_t>(h.n_embd));
  writer.set(prefix + "feed_forward_length", static_cast<uint32_t>(h.n_ffn));
  writer.set(prefix + "context_length", static_cast<uint32_t>(h.trained_context));
  writer.set(prefix + "attention.head_count", static_cast<uint32_t>(h.n_head));
  writer.set(prefix + "attention.head_count_kv", static_cast<uint32_t>(h.n_head_kv));
  writer.set(prefix + "attention.key_length", static_cast<uint32_t>(h.head_dim));
  writer.set(prefix + "attention.value_length", static_cast<uint32_t>(h.head_dim));
  writer.set(prefix + "attention.layer_norm_rms_epsilon", h.rms_epsilon);
  set_rope(writer, h, prefix);
  write_vocabulary(writer, model.vocabulary());
  set_lanes(writer, model, options.lanes);

  const std::map<std::string, Tensor> parameters = model.parameters();
  const double gain = model.lora().rank > 0 ? model.lora().alpha / static_cast<double>(model.lora().rank) : 0;
  for (const auto& [name, tensor] : parameters) {
    if (name == "omega" || name.find(".lora_") != std::string::npos) continue;
    Tensor values = tensor;
    if (const auto a = parameters.find(name + ".lora_a"); a != parameters.end())
      values = values + gain * torch::matmul(parameters.at(name + ".lora_b"), a->second);
    const std::string linear = name.substr(0, name.rfind('.'));
    if (is_permuted(h, stem_of(linear))) values = permute_pairs(values, h.head_dim, PairOrder::to_adjacent);
    outlet.add(name, values);
  }
  if (!h.rope.frequency_factors.empty())
    outlet.add("rope_freqs.weight", torch::tensor(h.rope.frequency_factors), GGML_TYPE_F32);
  outlet.finish();
}

void write_adapter_file(const TrainModel& model, const std::string& path, const ModelFileOptions& options) {
  const torch::NoGradGuard no_gradients;
  const model::Hyperparameters& h = model.hyperparameters();
  // f32: engines multiply f16 matrices with activations rounded to f16, which training did not do.
  Outlet outlet(path, GGML_TYPE_F32);
  gguf::Writer& writer = outlet.writer;
  writer.set("general.type", "adapter");
  writer.set("general.architecture", h.architecture->name);
  writer.set("general.name", options.name);
  writer.set("adapter.type", "lora");
  writer.set("adapter.lora.alpha", model.lora().alpha);
  set_lanes(writer, model, options.lanes);
  for (const auto& [name, tensor] : model.parameters()) {
    if (name.find(".lora_") == std::string::npos) continue;
    const std::string linear = name.substr(0, name.find(".weight.lora_"));
    const bool permuted = name.ends_with(".lora_b") && is_permuted(h, stem_of(linear));
    outlet.add(name, permuted ? permute_pairs(tensor, h.head_dim, PairOrder::to_adjacent) : tensor);
  }
  outlet.finish();
}

}  // namespace lanerope::train
