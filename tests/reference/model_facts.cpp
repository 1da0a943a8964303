// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/model_facts.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace lanerope::reference {

namespace {

struct Scaling {
  std::string type;
  double factor = 1;
  double log_multiplier = 0;
  double original_context = 0;
};

// YaRN keeps the frequency of pairs that rotate more than 32 times within the original context, divides that
// of pairs that rotate less than once, and blends between, along the index of the pair, rounded outwards
// (2309.00071, section 3.2).
double yarn_keep(double t, double base, double dimensions, double original_context) {
  // Pair t rotates c * base^(-2t/d) / (2 pi) times; solved for t.
  const auto pair_that_turns = [&](double offsets) {
    return dimensions / 2 * std::log(original_context / (2 * std::numbers::pi * offsets)) / std::log(base);
  };
  const double begin = std::max(std::floor(pair_that_turns(32)), 0.0);
  const double end = std::min(std::ceil(pair_that_turns(1)), dimensions - 1);
  return 1 - std::clamp((t - begin) / std::max(end - begin, 0.001), 0.0, 1.0);
}

void read_rotation(const gguf::File& file, const Scaling& scaling, ModelFacts& facts) {
  const std::string rope = facts.architecture + ".rope.";
  const double base = file.find<double>(rope + "freq_base").value_or(10000);
  const auto dimensions = file.find<int64_t>(rope + "dimension_count").value_or(facts.head_dim);
  std::vector<float> divisors(dimensions / 2, 1.0F);
  if (const gguf::TensorInfo* tensor = file.find_tensor("rope_freqs.weight"))
    divisors = read_numbers(*tensor);

  for (int64_t t = 0; t < dimensions / 2; ++t) {
    const double frequency =
        1 / std::pow(base, static_cast<double>(2 * t) / static_cast<double>(dimensions)) / divisors[t];
    double keep = scaling.type == "none" ? 1 : 0;
    if (scaling.type == "yarn") {
      keep =
          yarn_keep(static_cast<double>(t), base, static_cast<double>(dimensions), scaling.original_context);
    }
    facts.theta.push_back(keep * frequency + (1 - keep) * frequency / scaling.factor);
  }
  if (scaling.type == "yarn") {
    facts.rotary_magnitude =
        (1 + 0.1 * std::log(scaling.factor)) / (1 + 0.1 * scaling.log_multiplier * std::log(scaling.factor));
  }
}

}  // namespace

ModelFacts read_facts(const gguf::File& file) {
  ModelFacts facts;
  facts.architecture = file.get<std::string>("general.architecture");
  const std::string prefix = facts.architecture + ".";
  facts.n_layer = file.get<int64_t>(prefix + "block_count");
  facts.width = file.get<int64_t>(prefix + "embedding_length");
  facts.n_head = file.get<int64_t>(prefix + "attention.head_count");
  facts.n_head_kv = file.get<int64_t>(prefix + "attention.head_count_kv");
  facts.head_dim = file.find<int64_t>(prefix + "attention.key_length").value_or(facts.width / facts.n_head);
  facts.n_vocab = file.tensor("token_embd.weight").ne[1];
  facts.epsilon = file.get<double>(prefix + "attention.layer_norm_rms_epsilon");
  facts.adjacent_pairs = facts.architecture == "llama" || facts.architecture == "mistral3" ||
                         facts.architecture == "granite" || facts.architecture == "smollm3" ||
                         facts.architecture == "glm4";
  facts.score_scale = 1 / std::sqrt(static_cast<double>(facts.head_dim));
  if (facts.architecture == "gemma2") {
    facts.score_cap = file.find<double>(prefix + "attn_logit_softcapping").value_or(50);
    facts.logit_cap = file.find<double>(prefix + "final_logit_softcapping").value_or(30);
  }
  if (facts.architecture == "gemma2" || facts.architecture == "gemma3")
    facts.embedding_scale = std::sqrt(static_cast<double>(facts.width));
  if (facts.architecture == "granite") {
    facts.embedding_scale = file.get<double>(prefix + "embedding_scale");
    facts.residual_scale = file.get<double>(prefix + "residual_scale");
    facts.score_scale = file.get<double>(prefix + "attention.scale");
    facts.logit_divisor = file.get<double>(prefix + "logit_scale");
  }
  facts.n_expert_used = file.find<int64_t>(prefix + "expert_used_count").value_or(0);
  const Scaling scaling{
      .type = file.find<std::string>(prefix + "rope.scaling.type").value_or("none"),
      .factor = file.find<double>(prefix + "rope.scaling.factor").value_or(1),
      .log_multiplier = file.find<double>(prefix + "rope.scaling.yarn_log_multiplier").value_or(0),
      .original_context =
          static_cast<double>(file.find<int64_t>(prefix + "rope.scaling.original_context_length")
                                  .value_or(file.get<int64_t>(prefix + "context_length")))};
  read_rotation(file, scaling, facts);
  facts.temperature = file.find<double>(prefix + "attention.temperature_scale").value_or(0);
  facts.temperature_length = scaling.original_context;
  facts.window = file.find<int64_t>(prefix + "attention.sliding_window").value_or(0);
  const double local_base = file.find<double>(prefix + "rope.freq_base_swa").value_or(10000);
  for (size_t t = 0; t < facts.theta.size(); ++t)
    facts.local_theta.push_back(
        std::pow(local_base, -static_cast<double>(t) / static_cast<double>(facts.theta.size())));
  return facts;
}

std::vector<float> read_numbers(const gguf::TensorInfo& tensor) {
  const auto count = static_cast<size_t>(tensor.ne[0] * tensor.ne[1] * tensor.ne[2] * tensor.ne[3]);
  std::vector<float> numbers(count);
  if (tensor.type == GGML_TYPE_F32) {
    std::memcpy(numbers.data(), tensor.data, tensor.bytes);
  } else {
    ggml_get_type_traits(tensor.type)->to_float(tensor.data, numbers.data(), static_cast<int64_t>(count));
  }
  return numbers;
}

}  // namespace lanerope::reference
