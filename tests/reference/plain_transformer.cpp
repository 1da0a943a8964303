// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/plain_transformer.h"

#include <cmath>

namespace lanerope::reference {

namespace {

using Vector = std::vector<double>;

struct Pass {
  const PlainTransformer& model;
  const std::vector<PlainTransformer::Token>& tokens;
  const std::function<bool(size_t, size_t)>& sees;
  std::vector<Vector> state;  // [n_tokens][width]

  Vector product(const Vector& x, const std::string& stem) const {
    const Vector& weight = model.weights.at(stem + ".weight");
    Vector y(weight.size() / x.size());
    for (size_t row = 0; row < y.size(); ++row) {
      for (size_t i = 0; i < x.size(); ++i) y[row] += weight[row * x.size() + i] * x[i];
    }
    const auto bias = model.weights.find(stem + ".bias");
    for (size_t row = 0; bias != model.weights.end() && row < y.size(); ++row) y[row] += bias->second[row];
    return y;
  }

  Vector norm(const Vector& x, const std::string& name) const {
    const Vector& weight = model.weights.at(name);
    double squares = 0;
    for (const double value : x) squares += value * value;
    const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + model.facts.epsilon);
    Vector y(x.size());
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] * scale * weight[i];
    return y;
  }

  // The heads of x, each normalised where the architecture does so, and rotated to the position.
  std::vector<Vector> rotated_heads(const Vector& x, const std::string& norm_name, double position) const {
    const ModelFacts& facts = model.facts;
    std::vector<Vector> heads;
    for (auto begin = x.begin(); begin != x.end(); begin += facts.head_dim) {
      Vector head(begin, begin + facts.head_dim);
      if (facts.architecture == "qwen3") head = norm(head, norm_name);
      for (size_t t = 0; t < facts.theta.size(); ++t) {
        double& a = head[facts.first(static_cast<int64_t>(t))];
        double& b = head[facts.second(static_cast<int64_t>(t))];
        const double cosine = std::cos(facts.theta[t] * position) * facts.rotary_magnitude;
        const double sine = std::sin(facts.theta[t] * position) * facts.rotary_magnitude;
        const double rotated = a * cosine - b * sine;
        b = a * sine + b * cosine;
        a = rotated;
      }
      heads.push_back(head);
    }
    return heads;
  }

  Vector attend(size_t q, const std::vector<Vector>& queries, const std::vector<std::vector<Vector>>& keys,
                const std::vector<Vector>& values) const {
    const ModelFacts& facts = model.facts;
    Vector output;
    for (int64_t head = 0; head < facts.n_head; ++head) {
      const int64_t shared = head * facts.n_head_kv / facts.n_head;
      Vector sum(facts.head_dim);
      double total = 0;
      for (size_t k = 0; k < tokens.size(); ++k) {
        if (!sees(q, k)) continue;
        double score = 0;
        for (int64_t i = 0; i < facts.head_dim; ++i) score += queries[head][i] * keys[k][shared][i];
        const double weight = std::exp(score / std::sqrt(static_cast<double>(facts.head_dim)));
        total += weight;
        for (int64_t i = 0; i < facts.head_dim; ++i)
          sum[i] += weight * values[k][shared * facts.head_dim + i];
      }
      for (const double value : sum) output.push_back(value / total);
    }
    return output;
  }

  void layer(int64_t index) {
    const std::string prefix = "blk." + std::to_string(index) + ".";
    std::vector<std::vector<Vector>> queries;
    std::vector<std::vector<Vector>> keys;
    std::vector<Vector> values;
    for (size_t i = 0; i < tokens.size(); ++i) {
      const Vector x = norm(state[i], prefix + "attn_norm.weight");
      queries.push_back(
          rotated_heads(product(x, prefix + "attn_q"), prefix + "attn_q_norm.weight", tokens[i].position));
      keys.push_back(
          rotated_heads(product(x, prefix + "attn_k"), prefix + "attn_k_norm.weight", tokens[i].position));
      values.push_back(product(x, prefix + "attn_v"));
    }
    for (size_t i = 0; i < tokens.size(); ++i) {
      add(state[i], product(attend(i, queries[i], keys, values), prefix + "attn_output"));
      const Vector x = norm(state[i], prefix + "ffn_norm.weight");
      Vector gate = product(x, prefix + "ffn_gate");
      const Vector up = product(x, prefix + "ffn_up");
      for (size_t j = 0; j < gate.size(); ++j) gate[j] *= up[j] / (1 + std::exp(-gate[j]));
      add(state[i], product(gate, prefix + "ffn_down"));
    }
  }

  static void add(Vector& x, const Vector& y) {
    for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }
};

}  // namespace

PlainTransformer::PlainTransformer(const std::string& path) {
  const gguf::File file(path);
  facts = read_facts(file);
  for (const gguf::TensorInfo& info : file.tensors()) {
    const std::vector<float> numbers = read_numbers(info);
    weights[info.name] = Vector(numbers.begin(), numbers.end());
  }
}

std::vector<std::vector<double>> PlainTransformer::logits(
    const std::vector<Token>& tokens, const std::function<bool(size_t, size_t)>& sees) const {
  Pass pass{.model = *this, .tokens = tokens, .sees = sees, .state = {}};
  const Vector& embedding = weights.at("token_embd.weight");
  pass.state.reserve(tokens.size());
  for (const Token& token : tokens) {
    const auto row = embedding.begin() + token.id * facts.width;
    pass.state.emplace_back(row, row + facts.width);
  }
  for (int64_t layer = 0; layer < facts.n_layer; ++layer) pass.layer(layer);

  const std::string output = weights.contains("output.weight") ? "output" : "token_embd";
  std::vector<Vector> result;
  result.reserve(tokens.size());
  for (const Vector& x : pass.state)
    result.push_back(pass.product(pass.norm(x, "output_norm.weight"), output));
  return result;
}

}  // namespace lanerope::reference
