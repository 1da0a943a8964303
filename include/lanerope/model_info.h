// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/coupling.h"

namespace lanerope {

// What a model or an adapter that was trained with lanes says of them: the keys `lanerope.*` of its file.
struct LaneTraining {
  std::string file = {};
  Coupling coupling = {};
  std::optional<std::string> tag = {};    // as Request::tag
  std::optional<std::string> wait = {};   // as Request::wait
  std::optional<std::string> ready = {};  // as Request::ready
  std::vector<int32_t> lanes = {};        // numbers of lanes that it was trained with
};

// An adapter as its file and its options describe it.
struct AdapterInfo {
  std::string file = {};
  float scale = 1.0F;  // as loaded
  int32_t rank = 0;
  float alpha = 0;  // it adds scale * alpha / rank * B (A x)
  int32_t n_tensors = 0;
  size_t bytes = 0;
  std::optional<LaneTraining> lanes = {};  // unset for a plain LoRA
  bool on_prompt = true;                   // whether the adapter is on while the prompt is read
};

// A model as its file describes it, and how it is loaded.
struct ModelInfo {
  std::string file = {};
  std::string name = {};          // as the file says
  std::string architecture = {};  // general.architecture: "llama", "gemma3", ...
  int32_t n_layer = 0;
  int32_t n_embd = 0;         // components of a token's vector between layers
  int32_t n_head = 0;         // query heads
  int32_t n_head_kv = 0;      // heads of keys and values
  int32_t head_dim = 0;       // components of a head
  int32_t n_ffn = 0;          // components inside a feed-forward layer, or inside one of its experts
  int32_t n_expert = 0;       // of each feed-forward layer; 0 where it is dense
  int32_t n_expert_used = 0;  // for each token
  int32_t n_vocab = 0;        // rows of the embedding
  // Of the tokenizer. Rows behind them are padding: they stand for nothing and are never drawn.
  int32_t n_tokens = 0;
  int32_t trained_context = 0;  // tokens; prompt and budget of a request must fit into it
  std::string rope = {};        // "base 10000", "base 500000, with rope_freqs", ...
  int32_t n_unrotated = 0;      // layers without RoPE
  int32_t window = 0;      // of the layers with a window: the token indices that they see; 0: none has one
  int32_t n_windowed = 0;  // layers with it
  std::string window_rope = {};  // their RoPE, where it is another one
  float score_cap = 0;           // soft-cap of attention scores; 0: none
  float logit_cap = 0;           // of logits
  int32_t n_bridges = 0;         // blocks of the coupling bridge; 0: it was not made for it
  int32_t bridge_heads = 0;      // of one
  int32_t bridge_head_dim = 0;
  bool tied_output = false;  // the output matrix is the embedding
  int64_t n_parameters = 0;
  int64_t n_active_parameters = 0;                   // all but those of experts that a token does not go to
  size_t weight_bytes = 0;                           // as stored in the file
  size_t resident_bytes = 0;                         // as held for computing
  std::map<std::string, int64_t> tensor_types = {};  // how many tensors of each type
  std::optional<int32_t> begin_token = {};           // what the tokenizer calls bos, eos and pad
  std::optional<int32_t> end_token = {};
  std::optional<int32_t> padding_token = {};
  std::string tokenizer = {};  // as the file names it: "gpt2 (qwen2)"
  // The name of a built-in template, a path, or "the file's"; empty where there is none that can be used.
  std::string chat_template = {};
  std::string chat_template_source = {};                        // in Jinja
  std::string chat_template_obstacle = {};                      // why the file's cannot be used
  std::map<std::string, bool> chat_template_capabilities = {};  // by the names of llama-server's /props
  std::string device = {};
  std::string back_end = {};  // a name of BackEnd, never "automatic"
  int32_t threads = 0;
  std::optional<LaneTraining> lanes = {};  // where the base model itself was trained with lanes
  std::vector<AdapterInfo> adapters = {};
};

}  // namespace lanerope
