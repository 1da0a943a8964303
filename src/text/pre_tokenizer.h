// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::text {

// How byte-level BPE cuts a text into words before it merges. Names of models that do the same are aliases.
enum class PreTokenizerKind { gpt_2, llama_bpe, qwen2, smollm, tekken };

// By the name in `tokenizer.ggml.pre`, aliases included; nothing for an unknown one.
std::optional<PreTokenizerKind> parse_pre_tokenizer(std::string_view name);
std::string allowed_pre_tokenizers();  // "gpt-2, llama-bpe, ...", for messages

struct PreTokenizerTraits {
  bool whole_words = false;  // a word that is a token is not merged
  bool add_bos = false;      // where the file says nothing
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
