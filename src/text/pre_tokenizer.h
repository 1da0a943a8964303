// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::text {

// How BPE cuts a text into words before it merges, by the first of the names of models that do the same.
enum class PreTokenizerKind {
  llama_bpe,
  dbrx,
  glm4,
  qwen2,
  qwen35,
  ufakzeka,
  laguna,
  minicpm5,
  seed_coder,
  bailingmoe,
  exaone_moe,
  jais_2,
  gpt_2,
  smollm,
  gpt_4o,
  granite_97m,
  tekken,
  tiny_aya,
  youtu,
  deepseek_v3,
  spark2_5,
  afmoe,
  deepseek_llm,
  deepseek_coder,
  falcon,
  bloom,
  viking,
  chameleon,
  superbpe,
  kimi_k2,
  gemma4,
  sarvam_moe,
  whitespace,
  unnamed,  // "default", and where the file names none
};

// By the name in `tokenizer.ggml.pre`, one of about 90; empty is "default". Nothing for an unknown one.
std::optional<PreTokenizerKind> parse_pre_tokenizer(std::string_view name);
std::vector<std::string> pre_tokenizer_names();

struct PreTokenizerTraits {
  bool whole_words = false;   // a word that is a token is not merged
  bool add_bos = false;       // where the file says nothing
  bool bytes_mapped = true;   // tokens are bytes, written as text/byte_map.h says; else they are characters,
                              // and what has no token is spelt in byte tokens
  bool marks_spaces = false;  // U+2581 stands for a space
};
PreTokenizerTraits traits(PreTokenizerKind kind);

// Immutable; split may be called from any thread.
class PreTokenizer {
 public:
  explicit PreTokenizer(PreTokenizerKind kind);
  PreTokenizer(PreTokenizer&&) noexcept;
  PreTokenizer& operator=(PreTokenizer&&) noexcept;
  ~PreTokenizer();

  // The words of `text`, in order, without gaps. Each byte that is not UTF-8 is a word of its own.
  std::vector<std::string_view> split(std::string_view text) const;

 private:
  struct Pattern;
  std::vector<std::unique_ptr<Pattern>> passes_;  // each applied to the words of the one before
};

}  // namespace lanerope::text
