// SPDX-License-Identifier: Apache-2.0
#include "arch/architectures.h"

namespace lanerope::arch {

namespace {

using core::RopePairs;

// A new dense architecture is an entry here; where its mathematics is new as well, a value of an enum of
// model_config.h and a branch in model/decoder.cpp. docs/architecture.md says what else there is to do.
constexpr Architecture all[] = {
    // The converter permutes q and k so that the pairs of a head are adjacent.
    {.name = "llama", .pairs = RopePairs::adjacent},
    {.name = "qwen2", .qkv_bias = true},
    {.name = "qwen3", .qk_norm = QkNorm::per_head},
    // OLMo 2; OLMo 3 by its window.
    {.name = "olmo2", .norms = NormPlace::after, .qk_norm = QkNorm::whole_row, .window_period = 4},
};

}  // namespace

std::span<const Architecture> architectures() {
  return all;
}

const Architecture* find_architecture(std::string_view name) {
  for (const Architecture& architecture : all) {
    if (architecture.name == name) return &architecture;
  }
  return nullptr;
}

std::string architecture_names() {
  std::string names;
  for (const Architecture& architecture : all) {
    if (!names.empty()) names += ", ";
    names += architecture.name;
  }
  return names;
}

}  // namespace lanerope::arch
