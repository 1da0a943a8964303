// SPDX-License-Identifier: Apache-2.0
#include "arch/config_keys.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "arch/architectures.h"
#include "arch/bridge_keys.h"
#include "lanerope/errors.h"

namespace lanerope::arch {

namespace {

using core::RopeParameters;
using core::RopeScaling;

// Large enough for any model of these architectures, small enough that products of two fit 64 bits.
constexpr int64_t largest_size = 1 << 24;

// LongRoPE has two sets of divisors, for contexts up to the original one and for longer ones. Keys that are
// stored under one set mean nothing under the other, so lanerope takes the short one, and the original
// context with it.
constexpr auto short_factors = "rope_factors_short.weight";

// What rope.scaling.type is called.
constexpr std::pair<RopeScaling, const char*> scalings[] = {
    {RopeScaling::none, "none"}, {RopeScaling::linear, "linear"}, {RopeScaling::yarn, "yarn"}};

class KeyReader {
 public:
  KeyReader(const gguf::File& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

  int32_t size(const std::string& key) const { return checked(key, file_.get<int64_t>(prefix_ + key)); }

  int32_t size_or(const std::string& key, int32_t otherwise) const {
    const auto value = file_.find<int64_t>(prefix_ + key);
    return value ? checked(key, *value) : otherwise;
  }

  float positive(const std::string& key, float otherwise) const {
    const float value = file_.find<float>(prefix_ + key).value_or(otherwise);
    if (!std::isfinite(value) || value <= 0) fail(key, "must be a positive number");
    return value;
  }

  float number(const std::string& key, float otherwise) const {
    return file_.find<float>(prefix_ + key).value_or(otherwise);
  }

  std::string text_or(const std::string& key, const std::string& otherwise) const {
    return file_.find<std::string>(prefix_ + key).value_or(otherwise);
  }

  bool flag(const std::string& key, bool otherwise) const {
    return file_.find<bool>(prefix_ + key).value_or(otherwise);
  }

  bool has(const std::string& key) const { return file_.has(prefix_ + key); }

  bool is_zero(const std::string& key) const { return file_.find<int64_t>(prefix_ + key) == 0; }

  bool is_list(const std::string& key) const {
    const gguf::Value* value = file_.find_value(prefix_ + key);
    return value != nullptr && value->array;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw BadFile(file_.path() + ": " + prefix_ + key + " " + what +
                  "; the file is damaged or of another kind");
  }

 private:
  int32_t checked(const std::string& key, int64_t value) const {
    if (value < 1 || value > largest_size) fail(key, "is " + std::to_string(value) + ", which cannot be");
    return static_cast<int32_t>(value);
  }

  const gguf::File& file_;
  std::string prefix_;
};

std::vector<float> read_frequency_factors(const gguf::File& file, size_t pairs) {
  const gguf::TensorInfo* tensor = file.find_tensor("rope_freqs.weight");
  if (tensor == nullptr) tensor = file.find_tensor(short_factors);
  if (tensor == nullptr) return {};
  if (tensor->type != GGML_TYPE_F32 || tensor->bytes != pairs * sizeof(float)) {
    throw BadFile(file.path() + ": tensor " + tensor->name + " must hold " + std::to_string(pairs) +
                  " f32 values");
  }
  std::vector<float> factors(pairs);
  std::memcpy(factors.data(), tensor->data, tensor->bytes);
  for (const float value : factors) {
    if (!std::isfinite(value) || value <= 0) {
      throw BadFile(file.path() + ": tensor " + tensor->name +
                    " holds a value that is not a positive number");
    }
  }
  return factors;
}

RopeScaling read_scaling(const KeyReader& keys) {
  const std::string text = keys.text_or("rope.scaling.type", "none");
  for (const auto& [scaling, name] : scalings) {
    if (text == name) return scaling;
  }
  keys.fail("rope.scaling.type", "is \"" + text + "\", and lanerope reads none, linear and yarn");
}

RopeParameters read_rope(const gguf::File& file, const KeyReader& keys, const ModelConfig& config,
                         int32_t head_dim) {
  RopeParameters rope{.dimensions = keys.size_or("rope.dimension_count", head_dim),
                      .pairs = find_architecture(config.architecture)->pairs};
  if (rope.dimensions % 2 != 0 || rope.dimensions > head_dim) {
    keys.fail("rope.dimension_count",
              "must be even and at most the head dimension, " + std::to_string(head_dim));
  }
  rope.base = keys.positive("rope.freq_base", 10000.0F);
  rope.scaling = read_scaling(keys);
  rope.factor = keys.positive("rope.scaling.factor", keys.positive("rope.scale_linear", 1.0F));
  rope.original_context = keys.size_or("rope.scaling.original_context_length", config.trained_context);
  rope.attention_factor = keys.positive("rope.scaling.attn_factor", 1.0F);
  rope.extrapolation = keys.number("rope.scaling.yarn_ext_factor", 1.0F);
  rope.log_multiplier = keys.number("rope.scaling.yarn_log_multiplier", 0);
  rope.beta_fast = keys.positive("rope.scaling.yarn_beta_fast", 32.0F);
  rope.beta_slow = keys.positive("rope.scaling.yarn_beta_slow", 1.0F);
  if (rope.scaling == RopeScaling::none && keys.has("rope.scale_linear") && rope.factor != 1.0F) {
    rope.scaling = RopeScaling::linear;
  }
  rope.frequency_factors = read_frequency_factors(file, static_cast<size_t>(rope.dimensions / 2));
  return rope;
}

AttentionConfig read_attention(const KeyReader& keys, const ModelConfig& config,
                               const Architecture& architecture) {
  AttentionConfig attention{.qk_norm = architecture.qk_norm,
                            .qkv_bias = architecture.qkv_bias,
                            .output_bias = architecture.biases,
                            .sinks = architecture.sinks};
  attention.n_head = keys.size("attention.head_count");
  attention.n_head_kv = keys.size_or("attention.head_count_kv", attention.n_head);
  if (attention.n_head % attention.n_head_kv != 0)
    keys.fail("attention.head_count_kv", "does not divide attention.head_count");
  attention.head_dim = keys.size_or("attention.key_length", config.n_embd / attention.n_head);
  if (attention.head_dim < 2 || attention.head_dim > 1024)
    keys.fail("attention.key_length", "must be between 2 and 1024");
  if (static_cast<int64_t>(attention.head_dim) * attention.n_head > largest_size)
    keys.fail("attention.head_count", "is too large");
  if (keys.size_or("attention.value_length", attention.head_dim) != attention.head_dim) {
    keys.fail("attention.value_length", "differs from the key length, which lanerope does not support");
  }
  attention.scale = 1.0F / std::sqrt(static_cast<float>(attention.head_dim));
  return attention;
}

FfnConfig read_ffn(const KeyReader& keys, const Architecture& architecture) {
  FfnConfig ffn{.activation = architecture.activation,
                .n_ffn = keys.size("feed_forward_length"),
                .bias = architecture.biases};
  if (!architecture.experts) {
    if (keys.size_or("expert_count", 1) > 1)
      keys.fail("expert_count", "is more than 1, and this architecture is dense where lanerope runs it");
    return ffn;
  }
  ffn.n_expert = keys.size("expert_count");
  ffn.n_expert_used = keys.size("expert_used_count");
  if (ffn.n_expert > 4096)
    keys.fail("expert_count", "is " + std::to_string(ffn.n_expert) + ", which cannot be");
  if (ffn.n_expert_used > ffn.n_expert) keys.fail("expert_used_count", "is more than expert_count");
  ffn.n_ffn = keys.size_or("expert_feed_forward_length", std::max(1, ffn.n_ffn / ffn.n_expert_used));
  return ffn;
}

// A missing multiplier is 1, and so is one of 0.
float multiplier(const KeyReader& keys, const std::string& key) {
  const float value = keys.number(key, 1.0F);
  if (!std::isfinite(value)) keys.fail(key, "is not a number");
  return value == 0 ? 1.0F : value;
}

void set_multipliers(const KeyReader& keys, ModelConfig& config) {
  config.embedding_scale = multiplier(keys, "embedding_scale");
  config.residual_scale = multiplier(keys, "residual_scale");
  config.logit_scale = 1.0F / multiplier(keys, "logit_scale");
  if (keys.number("attention.scale", 0) == 0) return;
  for (LayerConfig& layer : config.layers) layer.attention.scale = keys.positive("attention.scale", 1.0F);
}

// Layers without RoPE: every period-th, or all of a file that says so.
void set_unrotated(const KeyReader& keys, const Architecture& architecture, ModelConfig& config) {
  const bool none = architecture.multipliers && !keys.flag("rope.scaling.finetuned", true);
  if (architecture.rope_period == 0 && !none) return;
  config.ropes.push_back(
      {.dimensions = config.rope().dimensions, .pairs = config.rope().pairs, .rotates = false});
  for (int32_t i = 0; i < config.n_layer(); ++i) {
    if (none || i % architecture.rope_period == architecture.rope_period - 1)
      config.layers[i].attention.rope = 1;
  }
}

// Gives all but every period-th layer the file's window, if there is one, and their own rope.
void set_windows(const KeyReader& keys, const Architecture& architecture, ModelConfig& config) {
  if (architecture.window_period == 0) return;
  const bool stated = keys.has("attention.sliding_window");
  if (stated ? keys.is_zero("attention.sliding_window") : architecture.window == 0) return;
  const int32_t window = keys.size_or("attention.sliding_window", architecture.window);
  const int32_t period = keys.is_list("attention.sliding_window_pattern")
                             ? architecture.window_period
                             : keys.size_or("attention.sliding_window_pattern", architecture.window_period);
  RopeParameters rope{.dimensions = config.rope().dimensions, .pairs = config.rope().pairs};
  if (architecture.windows_rescaled) rope = config.rope();
  rope.base =
      keys.positive("rope.freq_base_swa",
                    architecture.window_rope_base > 0 ? architecture.window_rope_base : config.rope().base);
  const bool own_rope = !architecture.windows_rescaled || rope.base != config.rope().base;
  if (own_rope) config.ropes.push_back(rope);
  for (int32_t i = 0; i < config.n_layer(); ++i) {
    if (i % period == period - 1) continue;
    config.layers[i].attention.rope = own_rope ? 1 : 0;
    config.layers[i].attention.window = window;
  }
}

float read_cap(const KeyReader& keys, const std::string& key, float otherwise) {
  const float cap = keys.number(key, otherwise);
  if (!std::isfinite(cap) || cap < 0) keys.fail(key, "must be a positive number, or 0 for none");
  return cap;
}

}  // namespace

void set_attention_classes(ModelConfig& config) {
  config.attention_classes.clear();
  for (LayerConfig& layer : config.layers) {
    const AttentionClass wanted{.rope = layer.attention.rope, .window = layer.attention.window};
    const auto found = std::ranges::find(config.attention_classes, wanted);
    layer.attention_class = static_cast<int32_t>(found - config.attention_classes.begin());
    if (found == config.attention_classes.end()) config.attention_classes.push_back(wanted);
  }
}

ModelConfig read_config(const gguf::File& file) {
  const auto wanted = file.get<std::string>("general.architecture");
  const Architecture* architecture = find_architecture(wanted);
  if (wanted == "gptoss") {
    throw BadFile(file.path() +
                  ": it is gpt-oss in another program's layout, \"gptoss\"; get a file of the "
                  "architecture \"gpt-oss\", as llama.cpp's converter makes it");
  }
  if (architecture == nullptr) {
    throw BadFile(file.path() + ": architecture \"" + wanted + "\" is not one that lanerope runs; it runs " +
                  architecture_names());
  }
  ModelConfig config{.architecture = architecture->name,
                     .name = file.find<std::string>("general.name").value_or("")};
  const KeyReader keys(file, wanted + ".");
  const int32_t n_layer = keys.size("block_count");
  if (n_layer > 4096) keys.fail("block_count", "is " + std::to_string(n_layer) + ", which cannot be");
  config.n_embd = keys.size("embedding_length");
  LayerConfig layer{.norms = architecture->norms, .attention = read_attention(keys, config, *architecture)};
  layer.ffn = read_ffn(keys, *architecture);
  config.trained_context = keys.size("context_length");
  config.rms_epsilon = keys.positive("attention.layer_norm_rms_epsilon", 1e-5F);
  config.ropes.push_back(read_rope(file, keys, config, layer.attention.head_dim));
  if (file.find_tensor(short_factors) != nullptr)
    config.trained_context = std::min(config.trained_context, config.rope().original_context);
  config.layers.assign(n_layer, layer);
  set_windows(keys, *architecture, config);
  set_unrotated(keys, *architecture, config);
  if (architecture->multipliers) set_multipliers(keys, config);
  if (architecture->temperature && keys.has("attention.temperature_scale")) {
    config.temperature_scale = keys.positive("attention.temperature_scale", 1.0F);
    config.temperature_length = config.rope().original_context;
  }
  for (LayerConfig& of : config.layers)
    of.attention.score_cap = read_cap(keys, "attn_logit_softcapping", architecture->score_cap);
  config.logit_cap = read_cap(keys, "final_logit_softcapping", architecture->logit_cap);
  if (architecture->scales_embedding) config.embedding_scale = std::sqrt(static_cast<float>(config.n_embd));
  config.n_vocab = static_cast<int32_t>(file.tensor("token_embd.weight").ne[1]);
  config.tied = file.find_tensor("output.weight") == nullptr;
  if (architecture->finish != nullptr) architecture->finish(config);
  set_attention_classes(config);
  config.bridge = read_bridge(file, n_layer);
  return config;
}

namespace {

void write_windows(gguf::Writer& writer, const std::string& prefix, const ModelConfig& config) {
  const auto windowed = [](const LayerConfig& layer) { return layer.attention.window > 0; };
  const auto first = std::ranges::find_if(config.layers, windowed);
  const Architecture& architecture = *find_architecture(config.architecture);
  if (first == config.layers.end()) {
    if (architecture.window > 0) writer.set(prefix + "attention.sliding_window", uint32_t{0});
    return;
  }
  writer.set(prefix + "attention.sliding_window", static_cast<uint32_t>(first->attention.window));
  writer.set(prefix + "rope.freq_base_swa", config.ropes[first->attention.rope].base);
  const auto global = std::ranges::find_if_not(config.layers, windowed);
  const auto period = static_cast<int32_t>(global - config.layers.begin()) + 1;
  if (period != architecture.window_period && global != config.layers.end())
    writer.set(prefix + "attention.sliding_window_pattern", static_cast<uint32_t>(period));
}

}  // namespace

void write_config(gguf::Writer& writer, const ModelConfig& config) {
  const std::string prefix = std::string(config.architecture) + ".";
  const auto set_size = [&](const char* key, int32_t value) {
    writer.set(prefix + key, static_cast<uint32_t>(value));
  };
  const AttentionConfig& attention = config.attention();
  writer.set("general.architecture", config.architecture);
  writer.set("general.type", "model");
  writer.set("general.name", config.name);
  set_size("block_count", config.n_layer());
  set_size("embedding_length", config.n_embd);
  set_size("feed_forward_length", config.ffn().n_ffn);
  if (config.ffn().has_experts()) {
    set_size("expert_count", config.ffn().n_expert);
    set_size("expert_used_count", config.ffn().n_expert_used);
    set_size("expert_feed_forward_length", config.ffn().n_ffn);
  }
  set_size("context_length", config.trained_context);
  set_size("attention.head_count", attention.n_head);
  set_size("attention.head_count_kv", attention.n_head_kv);
  set_size("attention.key_length", attention.head_dim);
  set_size("attention.value_length", attention.head_dim);
  writer.set(prefix + "attention.layer_norm_rms_epsilon", config.rms_epsilon);
  const Architecture& architecture = *find_architecture(config.architecture);
  if (attention.score_cap != architecture.score_cap)
    writer.set(prefix + "attn_logit_softcapping", attention.score_cap);
  if (config.logit_cap != architecture.logit_cap)
    writer.set(prefix + "final_logit_softcapping", config.logit_cap);
  write_windows(writer, prefix, config);
  write_bridge(writer, config.bridge);
  if (architecture.multipliers) {
    writer.set(prefix + "embedding_scale", config.embedding_scale);
    writer.set(prefix + "residual_scale", config.residual_scale);
    writer.set(prefix + "attention.scale", attention.scale);
    writer.set(prefix + "logit_scale", 1.0F / config.logit_scale);
    writer.set(prefix + "rope.scaling.finetuned", config.ropes[attention.rope].rotates);
  }
  const RopeParameters& rope = config.rope();
  set_size("rope.dimension_count", rope.dimensions);
  writer.set(prefix + "rope.freq_base", rope.base);
  if (config.temperature_scale != 0)
    writer.set(prefix + "attention.temperature_scale", config.temperature_scale);
  if (rope.scaling == RopeScaling::none) return;
  for (const auto& [scaling, name] : scalings) {
    if (scaling == rope.scaling) writer.set(prefix + "rope.scaling.type", name);
  }
  writer.set(prefix + "rope.scaling.factor", rope.factor);
  set_size("rope.scaling.original_context_length", rope.original_context);
  writer.set(prefix + "rope.scaling.attn_factor", rope.attention_factor);
  writer.set(prefix + "rope.scaling.yarn_ext_factor", rope.extrapolation);
  if (rope.log_multiplier != 0) writer.set(prefix + "rope.scaling.yarn_log_multiplier", rope.log_multiplier);
  writer.set(prefix + "rope.scaling.yarn_beta_fast", rope.beta_fast);
  writer.set(prefix + "rope.scaling.yarn_beta_slow", rope.beta_slow);
}

}  // namespace lanerope::arch
