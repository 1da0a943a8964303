// SPDX-License-Identifier: Apache-2.0
#include "tests/text/toy_vocabulary.h"

#include <cstdio>

namespace lanerope::text {

namespace {

void add(VocabularyData& data, const std::string& token, TokenType type) {
  data.tokens.push_back(token);
  data.types.push_back(static_cast<int32_t>(type));
}

}  // namespace

std::string mapped_byte(unsigned char byte) {
  int character = 0x100;
  for (int other = 0; other <= byte; ++other) {
    const bool printable = (other > 0x20 && other < 0x7F) || (other > 0xA0 && other != 0xAD);
    if (other == byte && printable) character = byte;
    if (other < byte && !printable) ++character;
  }
  if (character < 0x80) return std::string(1, static_cast<char>(character));
  return {static_cast<char>(0xC0 + character / 64), static_cast<char>(0x80 + character % 64)};
}

std::string mapped(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += mapped_byte(static_cast<unsigned char>(byte));
  return text;
}

VocabularyData toy_bpe() {
  VocabularyData data{.model = "gpt2", .pre = "qwen2"};
  for (int byte = 0; byte < 256; ++byte)
    add(data, mapped_byte(static_cast<unsigned char>(byte)), TokenType::normal);
  for (const char* token : {"th", "the", " the", "aa", "aaaa", "12", "123"}) {
    add(data, mapped(token), TokenType::normal);
  }
  add(data, "<|im_start|>", TokenType::control);
  add(data, "<|im_end|>", TokenType::control);
  add(data, "<tool>", TokenType::user_defined);
  add(data, "<|bos|>", TokenType::control);
  data.merges = {"t h", "th e", mapped(" ") + " the", "a a", "aa aa", "1 2", "12 3"};
  data.bos = 266;
  data.eos = 264;
  return data;
}

VocabularyData toy_sentencepiece() {
  VocabularyData data{.model = "llama"};
  add(data, "<unk>", TokenType::unknown);
  add(data, "<s>", TokenType::control);
  add(data, "</s>", TokenType::control);
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
    add(data, name, TokenType::byte);
  }
  for (const char* piece : {"▁", "a", "b", "é", "ab", "▁a", "▁ab", "▁▁", "</", "s>"}) {
    add(data, piece, TokenType::normal);
  }
  add(data, "[INST]", TokenType::control);
  add(data, "<tool>", TokenType::user_defined);
  for (size_t i = 0; i < data.tokens.size(); ++i) data.scores.push_back(-static_cast<float>(i));
  data.bos = 1;
  data.eos = 2;
  data.unknown = 0;
  return data;
}

}  // namespace lanerope::text
