// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/file.h"

namespace lanerope::reference {

// What the references need to know of a model, read from the file without src/model's loader.
struct ModelFacts {
  std::string architecture;
  int64_t n_layer = 0;
  int64_t width = 0;
  int64_t n_head = 0;
  int64_t n_head_kv = 0;
  int64_t head_dim = 0;
  int64_t n_vocab = 0;
  double epsilon = 0;
  bool adjacent_pairs = false;  // pair t is (2t, 2t + 1), else (t, t + n / 2)
  std::vector<double>
      theta;  // [n / 2] radians a token, all scaling included; n components of a head are rotated
  double rotary_magnitude = 1;  // multiplies the cosines and sines of queries and of keys
  // Local layers see the keys of tokens less than `window` earlier; those of gemma3 and olmo2 are rotated by
  // a theta of their own, unscaled.
  int64_t window = 0;
  std::vector<double> local_theta = {};  // [n / 2]

  // granite: of the looked-up rows, of what a layer adds, of a score; logits are divided by the last.
  double embedding_scale = 1;
  double residual_scale = 1;
  double score_scale = 1;
  double logit_divisor = 1;
  // gpt-oss has a score for each head without a value, biases, and clamps what its experts multiply.
  bool is_gpt_oss() const { return architecture == "gpt-oss"; }
  // gemma2: a score s becomes cap * tanh(s / cap), a logit likewise; 0: it stays.
  double score_cap = 0;
  double logit_cap = 0;
  int64_t n_expert_used = 0;  // of the experts of each layer; 0 where there are none
  // mistral3: queries of the token at index i times 1 + beta ln(1 + floor(i / length)).
  double temperature = 0;
  double temperature_length = 1;

  // smollm3: every fourth layer.
  bool is_unrotated(int64_t layer) const { return architecture == "smollm3" && layer % 4 == 3; }
  // gemma2 and gpt-oss: every other layer, beginning with the first. gemma3: five layers of six.
  bool alternates() const { return architecture == "gemma2" || architecture == "gpt-oss"; }
  bool is_local(int64_t layer) const {
    return window > 0 && (alternates() ? layer % 2 == 0 : layer % 6 != 5);
  }
  bool has_own_rope(int64_t layer) const { return is_local(layer) && !alternates(); }
  const std::vector<double>& theta_of(int64_t layer) const {
    return has_own_rope(layer) ? local_theta : theta;
  }
  double magnitude_of(int64_t layer) const {
    return has_own_rope(layer) || is_unrotated(layer) ? 1 : rotary_magnitude;
  }

  // The two components of a head that pair t rotates.
  int64_t first(int64_t t) const { return adjacent_pairs ? 2 * t : t; }
  int64_t second(int64_t t) const {
    return adjacent_pairs ? 2 * t + 1 : t + static_cast<int64_t>(theta.size());
  }
};

ModelFacts read_facts(const gguf::File& file);

// The tensor's numbers, dequantised by ggml where need be, in the order of the file.
std::vector<float> read_numbers(const gguf::TensorInfo& tensor);

}  // namespace lanerope::reference
