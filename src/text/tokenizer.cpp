// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer.h"

#include <cassert>
#include <utility>
#include <variant>

#include "lanerope/errors.h"
#include "text/byte_pair.h"
#include "text/sentencepiece.h"
#include "text/special_tokens.h"

namespace lanerope::text {

namespace {

constexpr size_t longest_text = size_t{1} << 30;  // bytes

std::variant<BytePair, SentencePiece> algorithm(const Vocabulary& vocabulary) {
  if (vocabulary.model() == TokenizerModel::bpe) return BytePair(vocabulary);
  return SentencePiece(vocabulary);
}

}  // namespace

struct Tokenizer::Parts {
  explicit Parts(const Vocabulary& vocabulary) : special(vocabulary), text(algorithm(vocabulary)) {}

  void append(std::string_view piece, std::vector<TokenId>& tokens) const {
    std::visit([&](const auto& one) { one.append(piece, tokens); }, text);
  }

  SpecialTokens special;
  std::variant<BytePair, SentencePiece> text;
};

Tokenizer::Tokenizer(std::shared_ptr<const Vocabulary> vocabulary)
    : vocabulary_(std::move(vocabulary)), parts_(std::make_unique<const Parts>(*vocabulary_)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

std::vector<TokenId> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  if (text.size() > longest_text) {
    throw InvalidRequest("the text has " + std::to_string(text.size()) + " bytes; 1 GiB is the most");
  }
  std::vector<TokenId> tokens;
  if (options.add_special && vocabulary_->add_bos()) tokens.push_back(*vocabulary_->bos());

  // SentencePiece was trained on texts that begin with a space. What follows a control token is such a text
  // of its own, unless it has that space already, as chat templates write it; user-defined tokens are part of
  // a text.
  enum class Before { start, control, inside } before = Before::start;
  const auto append_text = [&](std::string_view part) {
    if (part.empty()) return;
    const bool prefixed = before == Before::start || (before == Before::control && !part.starts_with(' '));
    if (vocabulary_->add_space_prefix() && prefixed) {
      parts_->append(" " + std::string(part), tokens);
    } else {
      parts_->append(part, tokens);
    }
    before = Before::inside;
  };

  size_t done = 0;
  while (const auto match = parts_->special.next(text, done, options.parse_special)) {
    append_text(text.substr(done, match->begin - done));
    tokens.push_back(match->token);
    before = vocabulary_->type(match->token) == TokenType::user_defined ? Before::inside : Before::control;
    done = match->begin + match->size;
  }
  append_text(text.substr(done));

  if (options.add_special && vocabulary_->add_eos()) tokens.push_back(*vocabulary_->eos());
  return tokens;
}

std::string Tokenizer::decode(std::span<const TokenId> tokens, DecodeOptions options) const {
  std::string text;
  bool at_start = options.strip_space_prefix && vocabulary_->add_space_prefix();
  for (const TokenId token : tokens) {
    std::string_view piece = vocabulary_->piece(token);
    const TokenType type = vocabulary_->type(token);
    const bool hidden = is_hidden(type);
    if (hidden && !options.special) continue;
    if (at_start && !hidden) {
      if (type != TokenType::user_defined && piece.starts_with(' ')) piece.remove_prefix(1);
      at_start = false;
    }
    text += piece;
  }
  return text;
}

}  // namespace lanerope::text
