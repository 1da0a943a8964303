// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/torch_model.h"

#include <torch/torch.h>

#include <cmath>
#include <limits>
#include <map>
#include <numbers>

#include "tests/reference/model_facts.h"

namespace lanerope::reference {

namespace {

using torch::Tensor;

// Torch counts dimensions the other way round: ggml's [n_in, n_out] is (n_out, n_in).
Tensor to_torch(const gguf::TensorInfo& info) {
  std::vector<float> numbers = read_numbers(info);
  const Tensor flat =
      torch::from_blob(numbers.data(), {static_cast<int64_t>(numbers.size())}, torch::kFloat32);
  const Tensor copy = flat.to(torch::kFloat64);
  if (info.ne[2] > 1) return copy.reshape({info.ne[2], info.ne[1], info.ne[0]});
  return info.ne[1] > 1 ? copy.reshape({info.ne[1], info.ne[0]}) : copy;
}

struct LowRankPair {
  Tensor a;  // (rank, n_in)
  Tensor b;  // (n_out, rank)
  double gain;
};

// Visibility and angles of all pairs of tokens, the same for every layer but for omega.
struct Geometry {
  Tensor hidden;        // (n, n) bool: query does not see key
  Tensor token_offset;  // (n, n)
  // (n, n) tokens from key to query by the clock, whatever the coupling makes of them; of lanes that see no
  // other, along the text that they read
  Tensor apart;
  Tensor lane_offset;  // (n, n)
  Tensor index;        // (n) of each token, by the clock
  Tensor together;     // (n, n) bool: tokens of lanes at one step, where such exchange through bridges
};

Geometry geometry_of(const Trace& trace) {
  const auto table = relations(trace);
  const auto n = static_cast<int64_t>(table.size());
  Geometry g{.hidden = torch::ones({n, n}, torch::kBool),
             .token_offset = torch::zeros({n, n}, torch::kFloat64),
             .apart = torch::zeros({n, n}, torch::kFloat64),
             .lane_offset = torch::zeros({n, n}, torch::kFloat64),
             .index = torch::zeros({n}, torch::kFloat64),
             .together = torch::zeros({n, n}, torch::kBool)};
  auto hidden = g.hidden.accessor<bool, 2>();
  auto token_offset = g.token_offset.accessor<double, 2>();
  auto lane_offset = g.lane_offset.accessor<double, 2>();
  auto apart = g.apart.accessor<double, 2>();
  const std::vector<TraceToken> tokens = flatten(trace);
  const auto index = [&](int64_t token) {
    return tokens[token].step + (tokens[token].lane >= 0 ? static_cast<double>(trace.prompt.size()) : 0);
  };
  for (int64_t q = 0; q < n; ++q) {
    g.index[q] = index(q);
    for (int64_t k = 0; k < n; ++k) {
      const Relation& relation = table[q][k];
      hidden[q][k] = !relation.visible;
      token_offset[q][k] = relation.token_offset;
      lane_offset[q][k] = relation.lane_offset;
      const bool lone =
          relation.visible && tokens[q].lane >= 0 && !trace.lanes[tokens[q].lane].reads_all &&
          (trace.coupling.kind == CouplingKind::independent || trace.coupling.kind == CouplingKind::bridge);
      apart[q][k] = lone ? relation.token_offset : index(q) - index(k);
      g.together[q][k] = trace.coupling.kind == CouplingKind::bridge && tokens[q].lane >= 0 &&
                         tokens[k].lane >= 0 && tokens[q].step == tokens[k].step;
    }
  }
  return g;
}

Tensor capped(const Tensor& x, double cap) {
  return cap == 0 ? x : cap * torch::tanh(x / cap);
}

std::vector<double> to_vector(const Tensor& row) {
  const Tensor values = row.contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

}  // namespace

struct TorchModel::State {
  explicit State(const std::string& path) : file(path), facts(read_facts(file)) {
    for (const gguf::TensorInfo& info : file.tensors()) weights[info.name] = to_torch(info);
    std::vector<int64_t> firsts;
    std::vector<int64_t> seconds;
    for (int64_t t = 0; t < static_cast<int64_t>(facts.theta.size()); ++t) {
      firsts.push_back(facts.first(t));
      seconds.push_back(facts.second(t));
    }
    first = torch::tensor(firsts);
    second = torch::tensor(seconds);
  }

  const Tensor& weight(const std::string& name) const { return weights.at(name); }

  Tensor norm(const Tensor& x, const std::string& name) const {
    return x / torch::sqrt(x.square().mean(-1, true) + facts.epsilon) * weight(name);
  }

  // (n, n_in) to (n, n_out)
  Tensor linear(const Tensor& x, const std::string& stem) const {
    Tensor y = torch::matmul(x, weight(stem + ".weight").t());
    if (const auto bias = weights.find(stem + ".bias"); bias != weights.end()) y = y + bias->second;
    const auto [begin, end] = pairs.equal_range(stem + ".weight");
    for (auto pair = begin; pair != end; ++pair) {
      const auto& [a, b, gain] = pair->second;
      y = y + gain * torch::matmul(torch::matmul(x, a.t()), b.t());
    }
    return y;
  }

  // <R(alpha) q, R(beta) k> of one head for every pair of tokens, where alpha - beta is `angle`: (n, n).
  // `magnitude` multiplies the rotated part of both.
  Tensor scores(const Tensor& q, const Tensor& k, const Tensor& angle, double magnitude) const {
    const auto column = [](const Tensor& x, const Tensor& index) {
      return x.index_select(1, index).unsqueeze(1);
    };
    const auto row = [](const Tensor& x, const Tensor& index) {
      return x.index_select(1, index).unsqueeze(0);
    };
    const Tensor along = column(q, first) * row(k, first) + column(q, second) * row(k, second);
    const Tensor across = column(q, first) * row(k, second) - column(q, second) * row(k, first);
    const Tensor rotated =
        magnitude * magnitude * (along * torch::cos(angle) + across * torch::sin(angle)).sum(-1);
    const auto n_rotated = static_cast<int64_t>(2 * facts.theta.size());
    return rotated + torch::matmul(q.slice(1, n_rotated), k.slice(1, n_rotated).t());
  }

  Tensor attention(const Tensor& x, int64_t layer, const Geometry& g,
                   const std::vector<double>& omega) const {
    const std::string prefix = "blk." + std::to_string(layer) + ".";
    const int64_t n = x.size(0);
    const auto heads = [&](const Tensor& rows) { return rows.reshape({n, -1, facts.head_dim}); };
    const std::vector<int64_t> widths = {facts.n_head * facts.head_dim, facts.n_head_kv * facts.head_dim,
                                         facts.n_head_kv * facts.head_dim};
    const std::vector<Tensor> qkv =
        facts.architecture == "phi3"
            ? linear(x, prefix + "attn_qkv").split_with_sizes(widths, -1)
            : std::vector<Tensor>{linear(x, prefix + "attn_q"), linear(x, prefix + "attn_k"),
                                  linear(x, prefix + "attn_v")};
    Tensor q = heads(qkv[0]);
    Tensor k = heads(qkv[1]);
    const Tensor v = heads(qkv[2]);
    if (facts.architecture == "olmo2") {  // all heads of a token as one vector
      q = norm(q.reshape({n, -1}), prefix + "attn_q_norm.weight").reshape(q.sizes());
      k = norm(k.reshape({n, -1}), prefix + "attn_k_norm.weight").reshape(k.sizes());
    }
    if (facts.architecture == "qwen3" || facts.architecture == "qwen3moe" || facts.architecture == "gemma3") {
      q = norm(q, prefix + "attn_q_norm.weight");
      k = norm(k, prefix + "attn_k_norm.weight");
    }

    const Tensor grown =
        1 + facts.temperature * torch::log1p(torch::floor(g.index / facts.temperature_length));
    q = q * grown.reshape({n, 1, 1});
    const Tensor theta = torch::tensor(facts.theta_of(layer), torch::kFloat64);
    const Tensor hidden = facts.is_local(layer) ? g.hidden.logical_or(g.apart >= facts.window) : g.hidden;
    Tensor angle = g.token_offset.unsqueeze(-1) * theta;  // (n, n, pairs)
    if (!omega.empty()) {
      const auto n_pairs = static_cast<int64_t>(facts.theta.size());
      const Tensor all = torch::tensor(omega, torch::kFloat64).reshape({-1, n_pairs});
      angle = angle + g.lane_offset.unsqueeze(-1) * all[all.size(0) > 1 ? layer : 0];
    }
    if (facts.is_unrotated(layer)) angle = torch::zeros_like(angle);
    const double magnitude = facts.magnitude_of(layer);
    std::vector<Tensor> outputs;
    for (int64_t head = 0; head < facts.n_head; ++head) {
      const int64_t shared = head / (facts.n_head / facts.n_head_kv);
      const Tensor score =
          capped(scores(q.select(1, head), k.select(1, shared), angle, magnitude) * facts.score_scale,
                 facts.score_cap);
      Tensor seen = score.masked_fill(hidden, -std::numeric_limits<double>::infinity());
      if (facts.is_gpt_oss()) {  // one more key, which all see and which has no value
        const Tensor sink = weight(prefix + "attn_sinks.weight")[head].expand({n, 1});
        seen = torch::cat({seen, sink}, 1);
      }
      const Tensor share = torch::softmax(seen, -1).slice(1, 0, n);
      outputs.push_back(torch::matmul(share, v.select(1, shared)));
    }
    return linear(torch::cat(outputs, 1), prefix + "attn_output");
  }

  Tensor feed_forward(const Tensor& x, int64_t layer) const {
    const std::string prefix = "blk." + std::to_string(layer) + ".";
    // glm4 and phi3 have the gate's rows and then those of up in one matrix.
    const bool fused = facts.architecture == "glm4" || facts.architecture == "phi3";
    const std::vector<Tensor> both =
        fused ? linear(x, prefix + "ffn_up").chunk(2, -1)
              : std::vector<Tensor>{linear(x, prefix + "ffn_gate"), linear(x, prefix + "ffn_up")};
    const Tensor& gate = both[0];
    const Tensor active =
        facts.architecture == "gemma2" || facts.architecture == "gemma3"
            ? gate / 2 * (1 + torch::tanh(std::sqrt(2 / std::numbers::pi) * (gate + 0.044715 * gate.pow(3))))
            : gate * torch::sigmoid(gate);
    return linear(active * both[1], prefix + "ffn_down");
  }

  // (n, n_in) of one expert to (n, n_out)
  Tensor of_expert(const Tensor& x, const std::string& stem, int64_t expert) const {
    const Tensor y = torch::matmul(x, weight(stem + ".weight")[expert].t());
    return facts.is_gpt_oss() ? y + weight(stem + ".bias")[expert] : y;
  }

  // What experts make of gate and up.
  Tensor active(const Tensor& gate, const Tensor& up) const {
    if (!facts.is_gpt_oss()) return gate * torch::sigmoid(gate) * up;
    const Tensor clamped = gate.clamp_max(7);
    return clamped * torch::sigmoid(1.702 * clamped) * (up.clamp(-7, 7) + 1);
  }

  // (n, n_expert), not 0 for the experts that a token goes to. Of qwen3moe's router the soft-max over all
  // experts is taken, and of that the largest, made to add up to 1; of gpt-oss's the largest, and of these
  // the soft-max.
  Tensor shares(const Tensor& scores) const {
    if (facts.is_gpt_oss()) {
      const auto [largest, chosen] = scores.topk(facts.n_expert_used, -1);
      return torch::zeros_like(scores).scatter(-1, chosen, torch::softmax(largest, -1));
    }
    const Tensor all = torch::softmax(scores, -1);
    const auto [largest, chosen] = all.topk(facts.n_expert_used, -1);
    return torch::zeros_like(all).scatter(-1, chosen, largest / largest.sum(-1, /*keepdim=*/true));
  }

  // Every expert for every token, times nothing where the token does not go to it.
  Tensor experts(const Tensor& x, int64_t layer) const {
    const std::string prefix = "blk." + std::to_string(layer) + ".";
    const Tensor share = shares(linear(x, prefix + "ffn_gate_inp"));  // (n, n_expert)
    Tensor sum = torch::zeros_like(x);
    for (int64_t e = 0; e < share.size(1); ++e) {
      const Tensor gate = of_expert(x, prefix + "ffn_gate_exps", e);
      const Tensor up = of_expert(x, prefix + "ffn_up_exps", e);
      const Tensor y = of_expert(active(gate, up), prefix + "ffn_down_exps", e);
      sum = sum + share.select(1, e).unsqueeze(1) * y;
    }
    return sum;
  }

  // What a layer makes of its input and of the attention and feed-forward layer in it: llama's way norms
  // stand before both, olmo2's behind both, gemma3's before and behind.
  Tensor layer(Tensor x, int64_t index, const Geometry& g, const std::vector<double>& omega) const {
    const std::string prefix = "blk." + std::to_string(index) + ".";
    const auto maybe = [&](const Tensor& y, const char* name) {
      return weights.contains(prefix + name) ? norm(y, prefix + name) : y;
    };
    const double scale = facts.residual_scale;
    if (facts.is_gpt_oss()) {  // its second norm stands before the experts, whatever it is called
      x = x + attention(norm(x, prefix + "attn_norm.weight"), index, g, omega);
      return x + experts(norm(x, prefix + "post_attention_norm.weight"), index);
    }
    x = x +
        scale * maybe(attention(maybe(x, "attn_norm.weight"), index, g, omega), "post_attention_norm.weight");
    const Tensor inputs = maybe(x, "ffn_norm.weight");
    const Tensor y = facts.n_expert_used > 0 ? experts(inputs, index) : feed_forward(inputs, index);
    return bridge(x + scale * maybe(y, "post_ffw_norm.weight"), index, g);
  }

  // Each token of a lane adds what it gathers from the tokens of all lanes at its step, head by head.
  Tensor bridge(const Tensor& x, int64_t layer, const Geometry& g) const {
    const std::string prefix = "blk." + std::to_string(layer) + ".bridge_";
    const Tensor speaks = g.together.diagonal();  // (n)
    if (!weights.contains(prefix + "output.weight") || !speaks.any().item<bool>()) return x;
    const Tensor h = norm(x, prefix + "norm.weight");
    const auto n_head = file.get<int64_t>("lanerope.bridge.head_count");
    const std::vector<Tensor> q = linear(h, prefix + "q").chunk(n_head, 1);
    const std::vector<Tensor> k = linear(h, prefix + "k").chunk(n_head, 1);
    const std::vector<Tensor> v = linear(h, prefix + "v").chunk(n_head, 1);
    std::vector<Tensor> gathered;
    for (int64_t head = 0; head < n_head; ++head) {
      const Tensor score =
          torch::matmul(q[head], k[head].t()) / std::sqrt(static_cast<double>(q[head].size(1)));
      const Tensor weight = torch::exp(score) * g.together;
      gathered.push_back(torch::matmul(weight / weight.sum(1, true).clamp_min(1e-300), v[head]));
    }
    return x + linear(torch::cat(gathered, 1), prefix + "output") * speaks.unsqueeze(1);
  }

  gguf::File file;
  ModelFacts facts;
  std::map<std::string, Tensor> weights;
  std::multimap<std::string, LowRankPair> pairs;
  Tensor first;  // components that the pairs rotate
  Tensor second;
};

TorchModel::TorchModel(const std::string& path) : state_(std::make_unique<State>(path)) {}
TorchModel::~TorchModel() = default;

void TorchModel::add_adapter(const std::string& path, double scale) {
  const gguf::File file(path);
  const double alpha = file.find<double>("adapter.lora.alpha").value_or(0);
  constexpr std::string_view ending = ".lora_a";
  for (const gguf::TensorInfo& info : file.tensors()) {
    if (!info.name.ends_with(ending)) continue;
    const std::string base = info.name.substr(0, info.name.size() - ending.size());
    const gguf::TensorInfo& b = file.tensor(base + ".lora_b");
    // A pair of rank 1 is still two matrices.
    LowRankPair pair{.a = to_torch(info).reshape({info.ne[1], info.ne[0]}),
                     .b = to_torch(b).reshape({b.ne[1], b.ne[0]}),
                     .gain = alpha == 0 ? scale : scale * alpha / static_cast<double>(b.ne[0])};
    state_->pairs.emplace(base, std::move(pair));
  }
}

TraceLogits TorchModel::logits(const Trace& trace, const std::vector<double>& omega) const {
  const torch::NoGradGuard no_gradients;
  const State& s = *state_;
  const std::vector<TraceToken> tokens = flatten(trace);
  const Geometry geometry = geometry_of(trace);
  std::vector<int64_t> ids;
  ids.reserve(tokens.size());
  for (const TraceToken& token : tokens) ids.push_back(token.id);

  Tensor x = s.weight("token_embd.weight").index_select(0, torch::tensor(ids));
  x = x * s.facts.embedding_scale;
  for (int64_t layer = 0; layer < s.facts.n_layer; ++layer) x = s.layer(x, layer, geometry, omega);
  const bool tied = !s.weights.contains("output.weight");
  const Tensor all = capped(
      s.linear(s.norm(x, "output_norm.weight"), tied ? "token_embd" : "output") / s.facts.logit_divisor,
      s.facts.logit_cap);

  TraceLogits result;
  result.lanes.resize(trace.lanes.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    const bool last_of_prompt = i + 1 == trace.prompt.size();
    if (last_of_prompt) result.prompt = to_vector(all[static_cast<int64_t>(i)]);
    if (tokens[i].lane >= 0) result.lanes[tokens[i].lane].push_back(to_vector(all[static_cast<int64_t>(i)]));
  }
  return result;
}

}  // namespace lanerope::reference
