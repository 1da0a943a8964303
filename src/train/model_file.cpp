// SPDX-License-Identifier: Apache-2.0
#include "train/model_file.h"

#include <torch/torch.h>

#include <array>

#include "arch/config_keys.h"
#include "arch/lane_keys.h"
#include "arch/tensor_source.h"
#include "arch/tensor_table.h"
#include "arch/vocabulary_keys.h"
#include "core/theta.h"
#include "gguf/file.h"
#include "gguf/writer.h"
#include "lanerope/errors.h"
#include "model/adapter.h"

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

// Whether the rows of a tensor "blk.0.attn_q.weight", its bias or an adapter's ".lora_b" are permuted in the
// file.
bool is_permuted(const arch::ModelConfig& config, const std::string& name) {
  const std::string prefix =
      name.substr(0, name.rfind(name.find(".lora_") != std::string::npos ? ".weight" : "."));
  const auto role = arch::find_role(prefix.substr(prefix.rfind('.') + 1));
  return role && arch::has_adjacent_pairs(config, *role);
}

OmegaStart read_omega_start(const gguf::File& file) {
  const std::string init = file.find<std::string>("lanerope.init").value_or("");
  return {.init = parse<OmegaInit>(init).value_or(OmegaInit::given),
          .stride = file.find<int32_t>("lanerope.stride").value_or(0)};
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

std::optional<std::string> text_or_none(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

Coupling trained_coupling(const TrainModel& model, const LaneFacts& facts) {
  if (model.config().bridge.any()) return {.kind = CouplingKind::bridge};
  const Tensor omega = model.omega().detach().to(torch::kCPU, torch::kFloat32).contiguous();
  const float* values = omega.data_ptr<float>();
  return {.kind = CouplingKind::lanerope,
          .init = model.omega_start().init,
          .stride = model.omega_start().stride,
          .omega = {values, values + omega.numel()},
          .visibility = facts.visibility,
          .sees_from = facts.sees_from,
          .prompt_lane = facts.prompt_lane};
}

void set_lanes(gguf::Writer& writer, const TrainModel& model, const LaneFacts& facts) {
  if (facts.lanes.empty()) return;
  arch::write_lane_training(writer,
                            {.coupling = trained_coupling(model, facts),
                             .tag = facts.tag,
                             .wait = text_or_none(facts.wait),
                             .ready = text_or_none(facts.ready),
                             .lanes = facts.lanes},
                            model.lora().on_prompt);
}

}  // namespace

TrainModel::TrainModel(const std::string& path) {
  const gguf::File file(path);
  config_ = arch::read_config(file);
  if (const auto obstacle = train_obstacle(config_))
    throw InvalidRequest(path + ": " + *obstacle + ", which lanerope-train does not support");
  for (const core::RopeParameters& rope : config_.ropes) thetas_.push_back(core::effective_theta(rope));
  vocabulary_ = arch::read_vocabulary(file);
  layers_.resize(config_.layers.size());
  const arch::TensorSource source(file, config_);
  for (const arch::TensorSpec& spec : arch::tensor_table(config_)) {
    if (!spec.linear && !spec.bias) vector_at(spec) = read_tensor(source.get(spec.name));
  }
  for_each_linear([&](const arch::TensorSpec& spec, TrainLinear& linear) {
    linear.weight = read_tensor(source.get(spec.name));
    const gguf::TensorInfo* bias = source.find(arch::tensor_stem(spec.role, spec.layer) + ".bias");
    if (bias != nullptr) linear.bias = read_tensor(*bias);
    if (!arch::has_adjacent_pairs(config_, spec.role)) return;
    const int64_t head_dim = config_.attention().head_dim;
    linear.weight = permute_pairs(linear.weight, head_dim, PairOrder::to_halves);
    if (linear.bias.defined()) linear.bias = permute_pairs(linear.bias, head_dim, PairOrder::to_halves);
  });
  omega_ = torch::zeros({1, config_.attention().head_dim / 2});
  knows_lanes_ = file.has("lanerope.version");
  if (knows_lanes_) omega_start_ = read_omega_start(file);
  if (const auto omega = file.find<std::vector<float>>("lanerope.omega"))
    omega_ = torch::tensor(*omega).reshape({-1, config_.attention().head_dim / 2});
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
  for_each_linear([&](const arch::TensorSpec& spec, TrainLinear& linear) {
    const gguf::TensorInfo* a = file.find_tensor(spec.name + ".lora_a");
    const gguf::TensorInfo* b = file.find_tensor(spec.name + ".lora_b");
    if (a == nullptr || b == nullptr) return;
    const std::string stem(arch::stem(spec.role));
    if (a->ne[0] != linear.weight.size(1) || b->ne[1] != linear.weight.size(0) || a->ne[1] != info.rank)
      throw InvalidRequest(path + ": tensor " + a->name +
                           " does not fit; the adapter belongs to another model");
    linear.lora_a = read_tensor(*a);
    linear.lora_b = read_tensor(*b);
    if (arch::has_adjacent_pairs(config_, spec.role))
      linear.lora_b = permute_pairs(linear.lora_b, config_.attention().head_dim, PairOrder::to_halves);
    if (std::ranges::find(lora_.targets, stem) == lora_.targets.end()) lora_.targets.push_back(stem);
    found += 2;
  });
  if (found != static_cast<int64_t>(file.tensors().size()))
    throw InvalidRequest(path + ": it changes tensors that lanerope-train does not train");
  knows_lanes_ = knows_lanes_ || info.lanes;
  if (info.lanes && !info.lanes->coupling.omega.empty())
    set_omega(torch::tensor(info.lanes->coupling.omega).reshape({-1, config_.attention().head_dim / 2}));
  if (info.lanes) omega_start_ = read_omega_start(file);
  require_gradients();
}

void write_model_file(const TrainModel& model, const std::string& path, const ModelFileOptions& options) {
  const torch::NoGradGuard no_gradients;
  arch::ModelConfig config = model.config();
  config.name = options.name;
  Outlet outlet(path, options.type);
  gguf::Writer& writer = outlet.writer;
  arch::write_config(writer, config);
  arch::write_vocabulary(writer, model.vocabulary());
  set_lanes(writer, model, options.lanes);

  const std::map<std::string, Tensor> parameters = model.parameters();
  const double lora_scale =
      model.lora().rank > 0 ? model.lora().alpha / static_cast<double>(model.lora().rank) : 0;
  for (const auto& [name, tensor] : parameters) {
    if (name == "omega" || name.find(".lora_") != std::string::npos) continue;
    Tensor values = tensor;
    if (const auto a = parameters.find(name + ".lora_a"); a != parameters.end())
      values = values + lora_scale * torch::matmul(parameters.at(name + ".lora_b"), a->second);
    if (is_permuted(config, name))
      values = permute_pairs(values, config.attention().head_dim, PairOrder::to_adjacent);
    outlet.add(name, values);
  }
  if (!config.rope().frequency_factors.empty())
    outlet.add("rope_freqs.weight", torch::tensor(config.rope().frequency_factors), GGML_TYPE_F32);
  outlet.finish();
}

void write_adapter_file(const TrainModel& model, const std::string& path, const ModelFileOptions& options) {
  const torch::NoGradGuard no_gradients;
  const arch::ModelConfig& config = model.config();
  // f32: engines multiply f16 matrices with activations rounded to f16, which training did not do.
  Outlet outlet(path, GGML_TYPE_F32);
  gguf::Writer& writer = outlet.writer;
  writer.set("general.type", "adapter");
  writer.set("general.architecture", config.architecture);
  writer.set("general.name", options.name);
  writer.set("adapter.type", "lora");
  writer.set("adapter.lora.alpha", model.lora().alpha);
  set_lanes(writer, model, options.lanes);
  for (const auto& [name, tensor] : model.parameters()) {
    if (name.find(".lora_") == std::string::npos) continue;
    const bool permuted = name.ends_with(".lora_b") && is_permuted(config, name);
    outlet.add(
        name, permuted ? permute_pairs(tensor, config.attention().head_dim, PairOrder::to_adjacent) : tensor);
  }
  outlet.finish();
}

}  // namespace lanerope::train
