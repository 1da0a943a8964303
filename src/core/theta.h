// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace lanerope::core {

// How a model file stretches RoPE beyond its trained context.
enum class RopeScaling { none, linear, yarn };

// Which components of a head form rotary pair t.
enum class RopePairs {
  adjacent,  // (2t, 2t + 1): llama after the converter's permutation ("norm")
  halves,    // (t, t + d/2): qwen2, qwen3 ("neox")
};

struct RopeParameters {
  int32_t dimensions = 0;  // d, the rotated part of a head; even
  RopePairs pairs = RopePairs::halves;
  float base = 10000.0F;
  RopeScaling scaling = RopeScaling::none;
  float factor = 1.0F;           // of linear and yarn
  int32_t original_context = 0;  // of yarn: the context before stretching
  float extrapolation = 1.0F;    // of yarn
  float log_multiplier = 0;      // of yarn: its temperature is divided by 1 + 0.1 * this * ln(factor)
  float attention_factor = 1.0F;
  float beta_fast = 32.0F;
  float beta_slow = 1.0F;
  bool rotates = true;  // false: layers without RoPE, whose theta is 0 (and whose omega is, too)
  // d/2 divisors of the frequencies (llama-3's rope_freqs.weight), or empty.
  std::vector<float> frequency_factors = {};
};

// What RoPE comes to once the scaling is worked in: pair t of a token at position i is rotated by theta[t] *
// i, and multiplied by `magnitude` (YaRN's temperature; 1 otherwise).
struct Theta {
  std::vector<double> theta = {};  // [d/2], radians a token
  float magnitude = 1.0F;
};

// Every scaling is linear in the position, so one vector of frequencies says it all.
// Sources: RoFormer (2104.09864); YaRN (2309.00071) equations 18 to 22; llama-3's divisors as in its release.
Theta effective_theta(const RopeParameters& parameters);

}  // namespace lanerope::core
