// SPDX-License-Identifier: Apache-2.0
#include "tools/random_model.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <span>

#include "arch/architectures.h"
#include "arch/tensor_table.h"
#include "gguf/writer.h"
#include "lanerope/errors.h"
#include "tools/random_tensor.h"

namespace lanerope::tools {

namespace {

constexpr std::string_view mixed_type = "q4_k_m";

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

void check(const RandomModel& m) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw InvalidRequest(std::string("no such model can be: ") + what);
  };
  if (arch::find_architecture(m.architecture) == nullptr)
    throw InvalidRequest("no such model can be: the architecture must be one of " +
                         arch::architecture_names());
  require(m.n_layer > 0 && m.width > 0 && m.n_head > 0 && m.n_head_kv > 0 && m.n_ffn > 0 && m.context > 0,
          "every size must be positive");
  require(m.n_expert_used > 0 && m.n_expert_used <= m.n_expert, "a token goes to 1 to all of the experts");
  require(m.n_head % m.n_head_kv == 0, "the KV heads must divide the heads");
  require(m.head_dim > 1 && m.head_dim % 2 == 0, "the head dimension must be even");
  require(m.splits > 0 && m.splits <= m.n_layer, "there must be 1 to as many files as layers");
  require(m.bridge_heads >= 0 && m.bridge_head_dim > 0 && m.bridge_every > 0,
          "a bridge has heads of a positive size behind every so many layers");
  require(m.padding >= 0, "the padding must not be negative");
  require(m.threads > 0, "at least one thread must work");
}

// The layers for which llama.cpp's Q4_K_M keeps more bits.
bool more_bits(int32_t layer, int32_t n_layer) {
  return layer < n_layer / 8 || layer >= 7 * n_layer / 8 || (layer - n_layer / 8) % 3 == 2;
}

// Llama-3.1's divisors: 1 for pairs that turn more than 4 times within the original context, `factor` for
// those that turn less than once, and a blend of the two frequencies between.
std::vector<float> llama3_divisors(const RandomModel& m) {
  std::vector<float> divisors;
  const double original = m.rope_original_context > 0 ? m.rope_original_context : m.context;
  const int32_t n_rot = m.rotated > 0 ? m.rotated : m.head_dim;
  for (int32_t t = 0; t < n_rot / 2; ++t) {
    const double turns = original * std::pow(m.rope_base, -2.0 * t / n_rot) / (2 * std::numbers::pi);
    const double keep = std::clamp((turns - 1) / 3, 0.0, 1.0);
    divisors.push_back(static_cast<float>(1 / ((1 - keep) / m.rope_factor + keep)));
  }
  return divisors;
}

// Enough of a config for its table of tensors. Keys are written by hand below, so that what reads them is not
// judged by its own writer.
arch::ModelConfig config_of(const RandomModel& m, int32_t n_vocab) {
  const arch::Architecture& architecture = *arch::find_architecture(m.architecture);
  arch::ModelConfig config{
      .architecture = architecture.name, .n_embd = m.width, .n_vocab = n_vocab, .tied = m.tied};
  config.layers.assign(m.n_layer, {.norms = architecture.norms,
                                   .attention = {.n_head = m.n_head,
                                                 .n_head_kv = m.n_head_kv,
                                                 .head_dim = m.head_dim,
                                                 .qk_norm = architecture.qk_norm,
                                                 .qkv_bias = architecture.qkv_bias,
                                                 .output_bias = architecture.biases,
                                                 .sinks = architecture.sinks},
                                   .ffn = {.n_ffn = m.n_ffn,
                                           .n_expert = architecture.experts ? m.n_expert : 0,
                                           .n_expert_used = architecture.experts ? m.n_expert_used : 0,
                                           .bias = architecture.biases}});
  config.bridge = {.n_head = m.bridge_heads, .head_dim = m.bridge_head_dim, .every = m.bridge_every};
  return config;
}

class TensorList {
 public:
  TensorList(const RandomModel& model, const ToyTokenizer& tokenizer) : m_(model), tokenizer_(tokenizer) {}

  std::vector<RandomTensor> make() {
    const arch::ModelConfig config =
        config_of(m_, static_cast<int32_t>(tokenizer_.tokens.size()) + m_.padding);
    for (const arch::TensorSpec& spec : arch::tensor_table(config)) {
      if (!is_fused_away(spec.role)) add(random_tensor(spec));
    }
    if (m_.llama3_rope_freqs)
      add({.name = "rope_freqs.weight",
           .ne = {(m_.rotated > 0 ? m_.rotated : m_.head_dim) / 2},
           .values = llama3_divisors(m_)});
    return std::move(tensors_);
  }

 private:
  // Rows of a neighbour: of attn_v, which stands for q and k too and is called attn_qkv, or of ffn_up.
  bool is_fused_away(arch::Role role) const {
    using arch::Role;
    const arch::Architecture& of = *arch::find_architecture(m_.architecture);
    return (of.fused_qkv && (role == Role::attn_q || role == Role::attn_k)) ||
           (of.fused_gate_up && role == Role::ffn_gate);
  }

  std::vector<float> row_scales() const {
    constexpr float padding_prominence = 4.0F;
    std::vector<float> scales = tokenizer_.prominence;
    scales.insert(scales.end(), m_.padding, padding_prominence);
    return scales;
  }

  RandomTensor random_tensor(const arch::TensorSpec& spec) const {
    using arch::Role;
    const arch::Architecture& of = *arch::find_architecture(m_.architecture);
    const float row = m_.output_gain / std::sqrt(static_cast<float>(m_.width));
    // A tied embedding is small beside what the layers add, or a token would best predict itself; the last
    // norm then makes up for it.
    constexpr float tied_deviation = 0.2F;
    if (spec.bias) {
      RandomTensor bias{.name = spec.name, .ne = {spec.ne[0]}, .deviation = 0.3F};
      if (spec.ne[1] > 1) bias.ne.push_back(spec.ne[1]);
      return bias;
    }
    if (spec.role == Role::attn_sinks) return {.name = spec.name, .ne = {spec.ne[0]}, .deviation = 2};
    RandomTensor tensor{.name = spec.name, .ne = {spec.ne[0], spec.ne[1]}};
    switch (spec.role) {
      case Role::token_embd:
        tensor.deviation = m_.tied ? tied_deviation : 1.0F;
        if (arch::find_architecture(m_.architecture)->scales_embedding)
          tensor.deviation /= std::sqrt(static_cast<float>(m_.width));
        if (m_.tied) tensor.row_scale = row_scales();
        return tensor;
      case Role::output:
        tensor.deviation = row;
        tensor.row_scale = row_scales();
        return tensor;
      case Role::output_norm: {
        const float last = m_.tied ? row / tied_deviation : 1.0F;
        return {.name = spec.name, .ne = {m_.width}, .mean = last, .deviation = 0.1F * last};
      }
      default:
        break;
    }
    if (spec.experts) tensor.ne.push_back(spec.ne[2]);
    if (!spec.linear && !spec.experts)
      return {.name = spec.name, .ne = {spec.ne[0]}, .mean = 1, .deviation = 0.1F};
    // Queries and keys are large enough that attention picks, and what a block adds stays below what it
    // reads.
    constexpr float sharp = 1.4F;
    const bool picks = spec.role == Role::attn_q || spec.role == Role::attn_k ||
                       spec.role == Role::ffn_gate_inp || spec.role == Role::bridge_q ||
                       spec.role == Role::bridge_k;
    tensor.deviation = (picks ? sharp : 1.0F) / std::sqrt(static_cast<float>(spec.ne[0]));
    if (spec.role == Role::bridge_output && m_.bridge_zero) tensor.deviation = 0;
    // Large enough that some of what is clamped is, and small behind it.
    if (of.activation == arch::Activation::clamped_silu) {
      if (spec.role == Role::ffn_gate_exps || spec.role == Role::ffn_up_exps) tensor.deviation *= 3;
      if (spec.role == Role::ffn_down_exps) tensor.deviation /= 6;
    }
    if (of.fused_gate_up && spec.role == Role::ffn_up) tensor.ne[1] *= 2;
    if (of.fused_qkv && spec.role == Role::attn_v) {
      tensor.name = "blk." + std::to_string(spec.layer) + ".attn_qkv.weight";
      tensor.ne[1] += int64_t{m_.head_dim} * (m_.n_head + m_.n_head_kv);
    }
    return tensor;
  }

  void add(RandomTensor tensor) {
    // Routers and biases are f32 in every file, those of experts too, of which there is one each.
    const bool kept = tensor.name.ends_with(".bias") || tensor.name.ends_with("ffn_gate_inp.weight");
    if (tensor.ne.size() > 1 && !kept) tensor.type = type_for_row(type_of(tensor.name), tensor.ne[0]);
    tensors_.push_back(std::move(tensor));
  }

  ggml_type type_of(const std::string& name) const {
    const auto is = [&](const std::string& stem) { return name.find('.' + stem) != std::string::npos; };
    const bool v_or_up = is("attn_v.") || is("ffn_up");
    if (v_or_up && !m_.type_of_v_and_up.empty()) return parse_tensor_type(m_.type_of_v_and_up);
    if (m_.type != mixed_type) return parse_tensor_type(m_.type);
    if (name == (m_.tied ? "token_embd.weight" : "output.weight")) return GGML_TYPE_Q6_K;
    const bool keeps = is("attn_v.") || is("ffn_down");
    return keeps && more_bits(std::stoi(name.substr(4)), m_.n_layer) ? GGML_TYPE_Q6_K : GGML_TYPE_Q4_K;
  }

  const RandomModel& m_;
  const ToyTokenizer& tokenizer_;
  std::vector<RandomTensor> tensors_;
};

// What general.file_type calls the type, for the names that llama.cpp has for it.
void set_file_type(gguf::Writer& writer, const std::string& type) {
  constexpr std::pair<std::string_view, uint32_t> file_types[] = {
      {"f32", 0}, {"f16", 1}, {"q4_0", 2}, {"q8_0", 7}, {"q4_k_m", 15}, {"q6_k", 18}, {"bf16", 32}};
  for (const auto& [name, number] : file_types) {
    if (same_name(name, type)) writer.set("general.file_type", number);
  }
}

void set_metadata(gguf::Writer& writer, const RandomModel& m, const ToyTokenizer& tokenizer) {
  const std::string prefix = m.architecture + ".";
  const auto set_size = [&](const char* key, size_t value) {
    writer.set(prefix + key, static_cast<uint32_t>(value));
  };
  writer.set("general.architecture", m.architecture);
  writer.set("general.type", "model");
  writer.set("general.name", "random weights, seed " + std::to_string(m.seed));
  writer.set("general.quantization_version", uint32_t{2});
  set_file_type(writer, m.type);
  set_size("context_length", m.context);
  set_size("embedding_length", m.width);
  set_size("block_count", m.n_layer);
  set_size("feed_forward_length", m.n_ffn);
  if (arch::find_architecture(m.architecture)->experts) {
    set_size("expert_count", m.n_expert);
    set_size("expert_used_count", m.n_expert_used);
    set_size("expert_feed_forward_length", m.n_ffn);
  }
  set_size("vocab_size", tokenizer.tokens.size());
  set_size("attention.head_count", m.n_head);
  set_size("attention.head_count_kv", m.n_head_kv);
  set_size("attention.key_length", m.head_dim);
  set_size("attention.value_length", m.head_dim);
  set_size("rope.dimension_count", m.rotated > 0 ? m.rotated : m.head_dim);
  if (m.log_multiplier != 0) writer.set(prefix + "rope.scaling.yarn_log_multiplier", m.log_multiplier);
  if (m.temperature > 0) writer.set(prefix + "attention.temperature_scale", m.temperature);
  if (arch::find_architecture(m.architecture)->multipliers) {
    writer.set(prefix + "embedding_scale", 1.5F);
    writer.set(prefix + "residual_scale", 0.7F);
    writer.set(prefix + "attention.scale", 0.3F);
    writer.set(prefix + "logit_scale", 2.0F);
  }
  if (m.bridge_heads > 0) {
    writer.set("lanerope.bridge.head_count", static_cast<uint32_t>(m.bridge_heads));
    writer.set("lanerope.bridge.key_length", static_cast<uint32_t>(m.bridge_head_dim));
    writer.set("lanerope.bridge.every", static_cast<uint32_t>(m.bridge_every));
  }
  if (m.window > 0) set_size("attention.sliding_window", m.window);
  if (m.score_cap > 0) writer.set(prefix + "attn_logit_softcapping", m.score_cap);
  if (m.logit_cap > 0) writer.set(prefix + "final_logit_softcapping", m.logit_cap);
  writer.set(prefix + "attention.layer_norm_rms_epsilon", 1e-6F);
  writer.set(prefix + "rope.freq_base", m.rope_base);
  if (m.rope_scaling != core::RopeScaling::none) {
    writer.set(prefix + "rope.scaling.type", m.rope_scaling == core::RopeScaling::yarn ? "yarn" : "linear");
    writer.set(prefix + "rope.scaling.factor", m.rope_factor);
    if (m.rope_original_context > 0)
      set_size("rope.scaling.original_context_length", m.rope_original_context);
  }
  write_tokenizer(writer, tokenizer);
}

std::string split_path(const std::string& path, int number, int count) {
  constexpr std::string_view ending = ".gguf";
  const std::string stem = path.ends_with(ending) ? path.substr(0, path.size() - ending.size()) : path;
  char text[32];
  std::snprintf(text, sizeof(text), "-%05d-of-%05d.gguf", number, count);
  return stem + text;
}

}  // namespace

RandomModel preset_model(std::string_view name) {
  if (name == "tiny") return {};
  if (name != "r1-1.5b") {
    throw InvalidRequest("there is no preset \"" + std::string(name) +
                         "\"; the presets are tiny and r1-1.5b");
  }
  return {.architecture = "qwen2",
          .n_layer = 28,
          .width = 1536,
          .n_head = 12,
          .n_head_kv = 2,
          .head_dim = 128,
          .n_ffn = 8960,
          .n_vocab = 151936,
          .context = 131072,
          .type = std::string(mixed_type),
          .chat = ToyChat::deepseek};
}

std::string write_random_model(const RandomModel& model, const std::string& path) {
  check(model);
  const ToyTokenizer tokenizer = make_toy_tokenizer(model.n_vocab, model.chat);
  const std::vector<RandomTensor> tensors = TensorList(model, tokenizer).make();

  const int files = model.splits;
  for (int i = 0; i < files; ++i) {
    gguf::Writer writer(files == 1 ? path : split_path(path, i + 1, files));
    if (i == 0) set_metadata(writer, model, tokenizer);
    if (files > 1) {
      writer.set("split.no", static_cast<uint16_t>(i));
      writer.set("split.count", static_cast<uint16_t>(files));
      writer.set("split.tensors.count", static_cast<int32_t>(tensors.size()));
    }
    const size_t begin = tensors.size() * i / files;
    const auto part = std::span(tensors).subspan(begin, tensors.size() * (i + 1) / files - begin);
    for (const RandomTensor& tensor : part) writer.add_tensor(tensor.name, tensor.type, tensor.ne);
    writer.begin();
    for (const RandomTensor& tensor : part) write_random_tensor(writer, tensor, model.seed, model.threads);
    writer.finish();
  }
  return files == 1 ? path : split_path(path, 1, files);
}

ggml_type parse_tensor_type(std::string_view name) {
  for (int type = 0; type < GGML_TYPE_COUNT; ++type) {
    const auto candidate = static_cast<ggml_type>(type);
    const bool weight = ggml_is_quantized(candidate) || candidate == GGML_TYPE_F32 ||
                        candidate == GGML_TYPE_F16 || candidate == GGML_TYPE_BF16;
    if (weight && ggml_blck_size(candidate) > 0 && same_name(name, ggml_type_name(candidate)))
      return candidate;
  }
  throw InvalidRequest("there is no tensor type \"" + std::string(name) +
                       "\"; f32, f16, bf16, q8_0, q4_0, q4_K are some");
}

}  // namespace lanerope::tools
