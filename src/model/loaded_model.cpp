// SPDX-License-Identifier: Apache-2.0
#include "model/loaded_model.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "arch/config_keys.h"
#include "arch/lane_keys.h"
#include "arch/vocabulary_keys.h"
#include "lanerope/errors.h"
#include "lanerope/inspect.h"
#include "model/adapter.h"
#include "model/cpu_operations.h"
#include "model/graph_operations.h"
#include "model/kv_pool.h"
#include "model/mixed_operations.h"

namespace lanerope::model {

namespace {

std::string rope_text(const core::RopeParameters& rope) {
  std::string text = "base " + std::to_string(static_cast<int64_t>(rope.base));
  char factor_text[32];
  std::snprintf(factor_text, sizeof(factor_text), "%g", rope.factor);
  const std::string factor = factor_text;
  switch (rope.scaling) {
    case core::RopeScaling::none:
      break;
    case core::RopeScaling::linear:
      text += ", linear x" + factor;
      break;
    case core::RopeScaling::yarn:
      text += ", yarn x" + factor;
      break;
  }
  if (!rope.frequency_factors.empty()) text += ", with rope_freqs";
  return text;
}

// What layers differ in.
void describe_layers(ModelInfo& info, const arch::ModelConfig& config) {
  for (const arch::LayerConfig& layer : config.layers) {
    const core::RopeParameters& rope = config.ropes[layer.attention.rope];
    if (!rope.rotates) ++info.n_unrotated;
    if (layer.attention.window == 0) continue;
    info.window = layer.attention.window;
    ++info.n_windowed;
    if (layer.attention.rope != 0) info.window_rope = rope_text(rope);
  }
}

// Those of experts count for the share of them that a token goes to.
int64_t active_parameters(const gguf::TensorInfo& tensor, int64_t n, const arch::FfnConfig& ffn) {
  const bool of_experts = ffn.has_experts() && tensor.name.find("_exps.") != std::string::npos;
  return of_experts ? n / ffn.n_expert * ffn.n_expert_used : n;
}

BackEnd choose_back_end(BackEnd wanted, const Devices& devices, const arch::ModelConfig& config) {
  const auto obstacle = CpuOperations::obstacle(config);
  if (wanted == BackEnd::kernels && obstacle) {
    throw InvalidRequest("lanerope's kernels cannot run this model (" + *obstacle + "); use --backend ggml");
  }
  if (wanted == BackEnd::kernels && !devices.cpu_alone()) {
    throw InvalidRequest("lanerope's kernels run on the CPU; leave --backend out with --device " +
                         devices.names() + ", and they compute what stays there");
  }
  if (wanted != BackEnd::automatic) return wanted;
  return devices.cpu_alone() && !obstacle ? BackEnd::kernels : BackEnd::ggml;
}

Placement choose_placement(const ModelOptions& options, const Devices& devices, const gguf::File& file,
                           const arch::ModelConfig& config) {
  const arch::TensorSource tensors(file, config);
  return place_model(options, devices.facts(), {.config = config, .tensors = tensors});
}

// Whether what lies on the CPU is held for the kernels: also beside other devices, unless plain ggml was
// asked for or one operation wants weights of both.
bool packs_weights(const LoadedModel& model, BackEnd wanted) {
  if (model.back_end == BackEnd::kernels) return true;
  if (wanted != BackEnd::automatic || CpuOperations::obstacle(model.config)) return false;
  const Placement& placement = model.placement;
  const bool some = std::ranges::find(placement.layers, cpu_device) != placement.layers.end() ||
                    std::ranges::find(placement.overrides, cpu_device, &TensorOverride::device) !=
                        placement.overrides.end();
  if (!some) return false;
  const arch::TensorSource tensors(model.file, model.config);
  return !splits_experts(model.placement, {.config = model.config, .tensors = tensors});
}

// For a model whose weights found no room; `devices` as they were before it was loaded.
std::string advice(const ModelOptions& options, const LoadedModel& model,
                   std::span<const DeviceInfo> devices) {
  const arch::TensorSource tensors(model.file, model.config);
  const std::optional<int32_t> layers =
      fitting_gpu_layers(options, devices, {.config = model.config, .tensors = tensors}, {});
  if (!layers) return "use fewer --gpu-layers, --device cpu or a smaller quantisation";
  return "with --gpu-layers " + std::to_string(*layers) +
         " they would, KV cells not counted; or use --device cpu or a smaller quantisation";
}

}  // namespace

ModelInfo describe_model(const gguf::File& file, const arch::ModelConfig& config) {
  ModelInfo info{.file = file.path(),
                 .name = config.name,
                 .architecture = std::string(config.architecture),
                 .n_layer = config.n_layer(),
                 .n_embd = config.n_embd,
                 .n_head = config.attention().n_head,
                 .n_head_kv = config.attention().n_head_kv,
                 .head_dim = config.attention().head_dim,
                 .n_ffn = config.ffn().n_ffn,
                 .n_expert = config.ffn().n_expert,
                 .n_expert_used = config.ffn().n_expert_used,
                 .n_vocab = config.n_vocab,
                 .n_tokens = config.n_vocab,
                 .trained_context = config.trained_context,
                 .rope = rope_text(config.rope()),
                 .score_cap = config.attention().score_cap,
                 .logit_cap = config.logit_cap,
                 .bridge_heads = config.bridge.n_head,
                 .bridge_head_dim = config.bridge.head_dim,
                 .tied_output = config.tied};
  for (int32_t i = 0; i < config.n_layer(); ++i) info.n_bridges += config.bridge.behind(i) ? 1 : 0;
  describe_layers(info, config);
  for (const gguf::TensorInfo& tensor : file.tensors()) {
    const int64_t n = tensor.ne[0] * tensor.ne[1] * tensor.ne[2] * tensor.ne[3];
    info.n_parameters += n;
    info.n_active_parameters += active_parameters(tensor, n, config.ffn());
    info.weight_bytes += tensor.bytes;
    ++info.tensor_types[ggml_type_name(tensor.type)];
  }
  info.lanes = arch::read_lane_training(file);
  info.tokenizer = file.find<std::string>("tokenizer.ggml.model").value_or("");
  const auto pre = file.find<std::string>("tokenizer.ggml.pre");
  if (pre) info.tokenizer += " (" + *pre + ")";
  if (!pre && info.tokenizer == "gpt2") info.tokenizer += " (no pre-tokenizer is named; default)";
  return info;
}

void describe_template(ModelInfo& info, const text::ChatTemplates& templates) {
  info.chat_template = templates.chat ? templates.chat->source().name : "";
  info.chat_template_obstacle = templates.obstacle;
  if (!templates.chat) return;
  const text::ChatTemplate* with_tools = templates.choose(true);
  const text::TemplateCapabilities& can = templates.chat->capabilities();
  info.chat_template_source = templates.chat->source().jinja;
  info.chat_template_capabilities = {
      {"supports_system_role", can.system_role},
      {"supports_tools", with_tools->capabilities().tools},
      {"supports_tool_calls", with_tools->capabilities().tool_calls},
      {"supports_parallel_tool_calls", with_tools->capabilities().parallel_tool_calls},
      {"supports_string_content", can.string_content},
      {"supports_typed_content", can.typed_content},
      {"supports_object_arguments", with_tools->capabilities().object_arguments},
  };
}

void describe_template(ModelInfo& info, const gguf::File& file) {
  const auto chat = file.find<std::string>("tokenizer.chat_template");
  const auto tool_use = file.find<std::string>("tokenizer.chat_template.tool_use");
  describe_template(info, text::file_chat_templates({.chat = chat ? *chat : std::string_view(),
                                                     .tool_use = tool_use ? *tool_use : std::string_view()},
                                                    {}, {}));
}

LoadedModel::LoadedModel(const ModelOptions& options)
    : file(options.file),
      config(arch::read_config(file)),
      devices(wanted_devices(options), options.threads),
      placement(choose_placement(options, devices, file, config)),
      wanted_back_end(options.back_end),
      back_end(choose_back_end(options.back_end, devices, config)),
      vocabulary(std::make_shared<const text::Vocabulary>(arch::read_vocabulary(file))),
      tokenizer(vocabulary),
      templates(text::load_chat_templates(*vocabulary, options.chat_template, options.template_arguments)),
      weights(load_weights(
          file, config, {.devices = devices, .placement = placement},
          {.pack = packs_weights(*this, options.back_end),
           .advice = [&options, facts = devices.facts(), this] { return advice(options, *this, facts); },
           .progress = options.progress})),
      formats(vocabulary, config.n_vocab) {
  if (vocabulary->size() > static_cast<size_t>(config.n_vocab)) {
    throw BadFile(options.file + ": the tokenizer has " + std::to_string(vocabulary->size()) +
                  " tokens and the model " + std::to_string(config.n_vocab) +
                  "; the file does not fit together");
  }
  info = describe_model(file, config);
  info.n_tokens = static_cast<int32_t>(vocabulary->size());
  info.begin_token = vocabulary->bos();
  info.end_token = vocabulary->eos();
  info.padding_token = vocabulary->pad();
  if (info.lanes) arch::check_omega(*info.lanes, config);
  if (info.lanes && info.lanes->coupling.kind == CouplingKind::bridge && !config.bridge.any()) {
    throw BadFile(options.file +
                  ": it says that its lanes exchange through bridges and holds none; the file is incomplete");
  }
  info.resident_bytes = weights.resident_bytes;
  describe_template(info, templates);
  info.device = devices.names();
  info.back_end = lanerope::name(back_end);
  info.threads = devices.threads();
  for (const AdapterOptions& adapter : options.adapters) {
    const auto index = static_cast<int32_t>(info.adapters.size());
    info.adapters.push_back(load_adapter({.path = adapter.file, .index = index}, config, devices, weights));
    info.adapters.back().scale = adapter.scale;
  }
  if (!info.adapters.empty()) pack_adapters(weights);
}

std::unique_ptr<Operations> LoadedModel::make_operations(KvType kv_type) const {
  const int32_t threads = devices.threads();
  // f32 cells are for measuring exactness, and the kernels read f16 and q8_0.
  if (kv_type == KvType::f32 && wanted_back_end == BackEnd::kernels) {
    throw InvalidRequest(
        "lanerope's kernels read keys and values of f16 or q8_0; use --kv-type f16, or leave --backend out "
        "and plain ggml computes with f32");
  }
  if (kv_type == KvType::f32 || weights.packed.empty()) return std::make_unique<GraphOperations>(threads);
  if (devices.cpu_alone()) return std::make_unique<CpuOperations>(config, weights, threads);
  return std::make_unique<MixedOperations>(config, weights, placement.layers, threads);
}

}  // namespace lanerope::model
