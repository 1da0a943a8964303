// SPDX-License-Identifier: Apache-2.0
#include "text/byte_pair.h"

#include <optional>

#include "text/merge_symbols.h"
#include "text/utf8.h"

namespace lanerope::text {

namespace {

uint64_t pair_key(TokenId left, TokenId right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

bool has_all_bytes(const Vocabulary& vocabulary) {
  for (int byte = 0; byte < 256; ++byte) {
    if (!vocabulary.find_byte(static_cast<uint8_t>(byte))) return false;
  }
  return true;
}

// `word` with U+FFFD for each byte that has no token; empty if U+FFFD has none either.
std::string spellable(std::string_view word, const Vocabulary& vocabulary) {
  std::string out;
  const auto has_token = [&](char byte) {
    return vocabulary.find_byte(static_cast<uint8_t>(byte)).has_value();
  };
  for (const char byte : word) {
    if (has_token(byte)) {
      out += byte;
    } else {
      for (const char part : replacement_character) {
        if (has_token(part)) out += part;
      }
    }
  }
  return out;
}

}  // namespace

BytePair::BytePair(const Vocabulary& vocabulary)
    : vocabulary_(vocabulary),
      pre_tokenizer_(vocabulary.pre_tokenizer()),
      whole_words_(traits(vocabulary.pre_tokenizer()).whole_words),
      has_all_bytes_(has_all_bytes(vocabulary)) {
  merges_.reserve(vocabulary.merges().size());
  uint32_t rank = 0;
  for (const Merge& merge : vocabulary.merges()) {
    merges_.emplace(pair_key(merge.left, merge.right), Ranked{.rank = rank++, .result = merge.result});
  }
}

void BytePair::append(std::string_view text, std::vector<TokenId>& tokens) const {
  if (!vocabulary_.bytes_mapped()) {
    const std::string spaced = vocabulary_.marks_spaces() ? spaces_for_marks(text) : std::string(text);
    for (const std::string_view word : pre_tokenizer_.split(spaced)) append_characters(word, tokens);
    return;
  }
  for (const std::string_view word : pre_tokenizer_.split(text)) {
    if (has_all_bytes_) {
      append_word(word, tokens);
    } else {
      append_word(spellable(word, vocabulary_), tokens);
    }
  }
}

std::optional<Join> BytePair::join(const Symbol& left, const Symbol& right) const {
  const auto found = merges_.find(pair_key(left.token, right.token));
  if (found == merges_.end()) return std::nullopt;
  return Join{.cost = static_cast<double>(found->second.rank), .token = found->second.result};
}

void BytePair::append_word(std::string_view word, std::vector<TokenId>& tokens) const {
  if (whole_words_ || word.size() == 1) {
    if (const auto token = vocabulary_.find(word)) {
      tokens.push_back(*token);
      return;
    }
  }
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (uint32_t i = 0; i < word.size(); ++i) {
    symbols.push_back(
        {.begin = i, .size = 1, .token = *vocabulary_.find_byte(static_cast<uint8_t>(word[i]))});
  }
  merge_symbols(symbols, [this](const Symbol& left, const Symbol& right) { return join(left, right); });
  for (const Symbol& symbol : symbols) {
    if (symbol.size > 0) tokens.push_back(symbol.token);
  }
}

void BytePair::append_characters(std::string_view word, std::vector<TokenId>& tokens) const {
  // Empty lines are tokens that no merge makes.
  const bool is_whole = whole_words_ || word.find_first_not_of('\n') == std::string_view::npos;
  if (const auto token = vocabulary_.find(word); is_whole && token) {
    tokens.push_back(*token);
    return;
  }
  std::vector<Symbol> symbols;
  for (size_t at = 0; at < word.size();) {
    const Utf8Head head = utf8_head(word.substr(at));
    const size_t size = head.status == Utf8Status::character ? head.size : 1;
    const auto token = vocabulary_.find(word.substr(at, size));
    symbols.push_back({.begin = static_cast<uint32_t>(at),
                       .size = static_cast<uint32_t>(size),
                       .token = token.value_or(no_token)});
    at += size;
  }
  merge_symbols(symbols, [this](const Symbol& left, const Symbol& right) { return join(left, right); });
  for (const Symbol& symbol : symbols) {
    if (symbol.size == 0) continue;
    if (symbol.token != no_token) {
      tokens.push_back(symbol.token);
      continue;
    }
    for (const char byte : word.substr(symbol.begin, symbol.size)) {
      const auto token = vocabulary_.find_byte(static_cast<uint8_t>(byte));
      if (token || vocabulary_.unknown()) tokens.push_back(token ? *token : *vocabulary_.unknown());
    }
  }
}

}  // namespace lanerope::text
