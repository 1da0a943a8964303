// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ggml.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/theta.h"
#include "tools/toy_tokenizer.h"

namespace lanerope::tools {

// A model with random weights, scaled so that hidden states keep their size, attention depends on what is
// read, and greedy decoding has a clear favourite at each step. Bit for bit the same everywhere for the same
// values.
struct RandomModel {
  std::string architecture = "qwen2";  // any of arch/architectures.cpp
  int32_t n_layer = 3;
  int32_t width = 128;
  int32_t n_head = 4;
  int32_t n_head_kv = 2;
  int32_t head_dim = 32;
  int32_t n_ffn = 256;        // of one expert, where the architecture has experts
  int32_t n_expert = 8;       // where it has experts
  int32_t n_expert_used = 2;  // likewise
  int32_t n_vocab = 0;        // 0: what the tokenizer has by nature
  // Rows of embedding and output behind the tokens, likelier to be drawn than any token.
  int32_t padding = 0;
  int32_t context = 4096;
  // Any name that ggml gives a type, or q4_k_m: q4_K with q6_K where llama.cpp's quantiser puts it.
  std::string type = "f32";
  std::string type_of_v_and_up =
      {};                    // where attn_v and ffn_up are to be of another type than their neighbours
  bool tied = false;         // the output matrix is the token embedding
  int32_t window = 0;        // attention.sliding_window; 0: no such key
  float score_cap = 0;       // attn_logit_softcapping; 0: no such key
  float logit_cap = 0;       // final_logit_softcapping; 0: no such key
  int32_t rotated = 0;       // rope.dimension_count; 0: the whole head
  float log_multiplier = 0;  // rope.scaling.yarn_log_multiplier; 0: no such key
  float temperature = 0;     // attention.temperature_scale; 0: no such key
  int32_t bridge_heads = 0;  // of blocks for the coupling bridge; 0: it has none
  int32_t bridge_head_dim = 16;
  int32_t bridge_every = 1;
  bool bridge_zero = false;  // their outputs are zero, as before any training
  float rope_base = 10000.0F;
  core::RopeScaling rope_scaling = core::RopeScaling::none;
  float rope_factor = 1.0F;
  int32_t rope_original_context = 0;
  bool llama3_rope_freqs =
      false;  // a rope_freqs.weight tensor; rope_factor, rope_original_context are its parameters
  ToyChat chat = ToyChat::chatml;
  float output_gain = 6.0F;  // deviation of the logits, about
  uint64_t seed = 1;
  int splits = 1;  // files; more than one are named -0000k-of-0000n.gguf
  int threads = 2;
};

// "tiny" (the default values), or "r1-1.5b": DeepSeek-R1-Distill-Qwen-1.5B's shape in q4_k_m, about 1.1 GB.
// Throws InvalidRequest for other names.
RandomModel preset_model(std::string_view name);

// Writes the model to `path` and returns the path to open: `path` itself, or the first of the split files.
// Throws InvalidRequest where values make no sense, and SystemError when the disk refuses.
std::string write_random_model(const RandomModel& model, const std::string& path);

// The type of that name, in either case of letters. Throws InvalidRequest.
ggml_type parse_tensor_type(std::string_view name);

}  // namespace lanerope::tools
