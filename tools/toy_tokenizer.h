// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gguf/writer.h"

namespace lanerope::tools {

// Which chat format, and with it which special tokens, a made-up model speaks.
enum class ToyChat {
  chatml,    // <|im_start|>role ... <|im_end|>; pre-tokenizer qwen2
  deepseek,  // <｜User｜> and <｜Assistant｜> at the ids of DeepSeek-R1-Distill-Qwen; needs 151,650 tokens
};

// A byte-level BPE vocabulary that takes any text: the 256 bytes, some English words with the merges that
// lead to them, pseudo-words up to the size asked for, and the special tokens.
struct ToyTokenizer {
  std::vector<std::string> tokens;
  std::vector<int32_t> types;  // as tokenizer.ggml.token_type has them
  std::vector<std::string> merges;
  // How likely a random model should be to say a token: 1 for words, less for fragments, least for what
  // cannot be printed. It scales the token's row of the output matrix.
  std::vector<float> prominence;
  std::string pre_tokenizer;
  std::string chat_template;
  int32_t bos = 0;
  int32_t eos = 0;
  bool add_bos = false;
};

// n_vocab 0 is the natural size. Throws InvalidRequest where n_vocab is too small for the bytes and special
// tokens.
ToyTokenizer make_toy_tokenizer(int32_t n_vocab, ToyChat chat);

// Writes the tokenizer.* keys.
void write_tokenizer(gguf::Writer& writer, const ToyTokenizer& tokenizer);

}  // namespace lanerope::tools
