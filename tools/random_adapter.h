// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gguf/file.h"
#include "lanerope/coupling.h"

namespace lanerope::tools {

// A LoRA adapter with random values in the layout that llama.cpp reads. Unlike one before training, B is not
// zero.
struct RandomAdapter {
  int32_t rank = 4;
  float alpha = 8;
  float strength = 0.2F;  // the size of B (A x) at scale alpha / rank = 1, beside that of W x
  std::string type =
      "f32";  // or any other; rows that do not divide into its blocks are written as f16, as llama.cpp does
  std::vector<std::string> targets = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                      "ffn_gate", "ffn_up", "ffn_down"};
  bool output = false;  // a pair for output.weight too
  uint64_t seed = 7;
  // The lanerope.* keys, which are left out where there is no coupling. Coupling::omega is written where not
  // empty.
  std::optional<Coupling> coupling = std::nullopt;
  std::string tag = "<lane{k}>";
  std::vector<int32_t> lanes = {4};
  bool on_prompt = true;
};

// Writes an adapter that fits `base`. Throws BadFile where `base` lacks a target, SystemError when the disk
// refuses.
void write_random_adapter(const RandomAdapter& adapter, const gguf::File& base, const std::string& path);

}  // namespace lanerope::tools
