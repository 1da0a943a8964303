// SPDX-License-Identifier: Apache-2.0
#include "arch/tensor_table.h"

#include <utility>

#include "arch/architectures.h"

namespace lanerope::arch {

namespace {

constexpr std::pair<Role, std::string_view> stems[] = {
    {Role::token_embd, "token_embd"},
    {Role::attn_norm, "attn_norm"},
    {Role::attn_q, "attn_q"},
    {Role::attn_k, "attn_k"},
    {Role::attn_v, "attn_v"},
    {Role::attn_q_norm, "attn_q_norm"},
    {Role::attn_k_norm, "attn_k_norm"},
    {Role::attn_sinks, "attn_sinks"},
    {Role::attn_output, "attn_output"},
    {Role::post_attention_norm, "post_attention_norm"},
    {Role::ffn_norm, "ffn_norm"},
    {Role::ffn_gate_inp, "ffn_gate_inp"},
    {Role::ffn_gate_exps, "ffn_gate_exps"},
    {Role::ffn_up_exps, "ffn_up_exps"},
    {Role::ffn_down_exps, "ffn_down_exps"},
    {Role::ffn_gate, "ffn_gate"},
    {Role::ffn_up, "ffn_up"},
    {Role::ffn_down, "ffn_down"},
    {Role::post_ffw_norm, "post_ffw_norm"},
    {Role::bridge_norm, "bridge_norm"},
    {Role::bridge_q, "bridge_q"},
    {Role::bridge_k, "bridge_k"},
    {Role::bridge_v, "bridge_v"},
    {Role::bridge_output, "bridge_output"},
    {Role::output_norm, "output_norm"},
    {Role::output, "output"},
};

class Table {
 public:
  using Shape = std::array<int64_t, 3>;
  void add(Role role, int32_t layer, Shape ne) {
    specs_.push_back({.role = role, .layer = layer, .name = tensor_stem(role, layer) + ".weight", .ne = ne});
  }
  // A norm's weights, or another vector.
  void add_norm(Role role, int32_t layer, int64_t length) { add(role, layer, {length, 1, 1}); }
  void add_linear(Role role, int32_t layer, std::array<int64_t, 2> ne) {
    add(role, layer, {ne[0], ne[1], 1});
    specs_.back().linear = true;
  }
  void add_experts(Role role, int32_t layer, Shape ne) {
    add(role, layer, ne);
    specs_.back().experts = true;
  }
  // Of the linear, or of the experts, that came last.
  void add_bias() {
    const TensorSpec& of = specs_.back();
    add_bias(of.role, of.layer, of.ne[1], of.ne[2]);
  }
  void add_bias(Role role, int32_t layer, int64_t n_out, int64_t n_expert = 1) {
    specs_.push_back({.role = role,
                      .layer = layer,
                      .name = tensor_stem(role, layer) + ".bias",
                      .ne = {n_out, n_expert, 1},
                      .bias = true});
  }

  void add_layer(const ModelConfig& config, int32_t i) {
    const auto& [norms, attention, ffn, attention_class] = config.layers[i];
    const int64_t n_embd = config.n_embd;
    const int64_t queries = attention.query_width();
    const int64_t keys = attention.kv_width();
    if (norms != NormPlace::after) add_norm(Role::attn_norm, i, n_embd);
    add_linear(Role::attn_q, i, {n_embd, queries});
    add_linear(Role::attn_k, i, {n_embd, keys});
    add_linear(Role::attn_v, i, {n_embd, keys});
    if (attention.qkv_bias) {
      add_bias(Role::attn_q, i, queries);
      add_bias(Role::attn_k, i, keys);
      add_bias(Role::attn_v, i, keys);
    }
    if (attention.qk_norm != QkNorm::none) {
      const bool whole = attention.qk_norm == QkNorm::whole_row;
      add_norm(Role::attn_q_norm, i, whole ? queries : attention.head_dim);
      add_norm(Role::attn_k_norm, i, whole ? keys : attention.head_dim);
    }
    if (attention.sinks) add_norm(Role::attn_sinks, i, attention.n_head);
    add_linear(Role::attn_output, i, {queries, n_embd});
    if (attention.output_bias) add_bias();
    if (norms != NormPlace::before) add_norm(Role::post_attention_norm, i, n_embd);
    if (norms != NormPlace::after) {
      add_norm(Role::ffn_norm, i, n_embd);
      if (const Architecture* architecture = find_architecture(config.architecture))
        specs_.back().name =
            "blk." + std::to_string(i) + "." + std::string(architecture->ffn_norm_stem) + ".weight";
    }
    if (ffn.has_experts()) {
      add_linear(Role::ffn_gate_inp, i, {n_embd, ffn.n_expert});
      if (ffn.bias) add_bias();
      add_experts(Role::ffn_gate_exps, i, {n_embd, ffn.n_ffn, ffn.n_expert});
      if (ffn.bias) add_bias();
      add_experts(Role::ffn_up_exps, i, {n_embd, ffn.n_ffn, ffn.n_expert});
      if (ffn.bias) add_bias();
      add_experts(Role::ffn_down_exps, i, {ffn.n_ffn, n_embd, ffn.n_expert});
      if (ffn.bias) add_bias();
    } else {
      add_linear(Role::ffn_gate, i, {n_embd, ffn.n_ffn});
      add_linear(Role::ffn_up, i, {n_embd, ffn.n_ffn});
      add_linear(Role::ffn_down, i, {ffn.n_ffn, n_embd});
    }
    if (norms != NormPlace::before) add_norm(Role::post_ffw_norm, i, n_embd);
    if (config.bridge.behind(i)) add_bridge(i, n_embd, config.bridge.width());
  }

  void add_bridge(int32_t layer, int64_t n_embd, int64_t width) {
    add_norm(Role::bridge_norm, layer, n_embd);
    for (const Role role : {Role::bridge_q, Role::bridge_k, Role::bridge_v})
      add_linear(role, layer, {n_embd, width});
    add_linear(Role::bridge_output, layer, {width, n_embd});
  }

  std::vector<TensorSpec> take() { return std::move(specs_); }

 private:
  std::vector<TensorSpec> specs_;
};

}  // namespace

std::string_view stem(Role role) {
  return stems[static_cast<size_t>(role)].second;
}

std::optional<Role> find_role(std::string_view text) {
  for (const auto& [role, name] : stems) {
    if (name == text) return role;
  }
  return std::nullopt;
}

std::string tensor_stem(Role role, int32_t layer) {
  const std::string prefix = layer < 0 ? "" : "blk." + std::to_string(layer) + ".";
  return prefix + std::string(stem(role));
}

std::vector<TensorSpec> tensor_table(const ModelConfig& config) {
  Table table;
  table.add(Role::token_embd, -1, {config.n_embd, config.n_vocab, 1});
  for (int32_t i = 0; i < config.n_layer(); ++i) table.add_layer(config, i);
  table.add_norm(Role::output_norm, -1, config.n_embd);
  if (!config.tied) table.add_linear(Role::output, -1, {config.n_embd, config.n_vocab});
  return table.take();
}

bool is_of_bridge(Role role) {
  return role >= Role::bridge_norm && role <= Role::bridge_output;
}

std::vector<std::string_view> lora_targets() {
  std::vector<std::string_view> targets;
  for (const Role role : {Role::attn_q, Role::attn_k, Role::attn_v, Role::attn_output, Role::ffn_gate,
                          Role::ffn_up, Role::ffn_down, Role::output}) {
    targets.push_back(stem(role));
  }
  return targets;
}

bool has_adjacent_pairs(const ModelConfig& config, Role role) {
  return config.rope().pairs == core::RopePairs::adjacent && (role == Role::attn_q || role == Role::attn_k);
}

}  // namespace lanerope::arch
