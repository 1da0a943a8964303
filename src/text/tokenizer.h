// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/token.h"
#include "text/vocabulary.h"

namespace lanerope::text {

struct EncodeOptions {
  bool add_special = true;     // the begin and end tokens that the file asks for
  bool parse_special = false;  // the name of a control token in the text becomes that token
};

struct DecodeOptions {
  bool special = false;            // control tokens are written out by name; else they are left out
  bool strip_space_prefix = true;  // undo the space that encode put before the text (SentencePiece)
};

// Text to tokens and back, by byte-level BPE or SentencePiece as the vocabulary says. Immutable after
// construction; all members may be called from any thread.
//
// Any bytes can be encoded. What is not UTF-8 is encoded byte by byte, so that
//   decode(encode(x, {.add_special = false}), {.special = true}) == x
// for all x with byte-level BPE, as far as the vocabulary has all 256 bytes; a byte that it lacks becomes
// U+FFFD. With SentencePiece the same holds without parse_special for x that does not contain U+2581, which
// stands for a space.
class Tokenizer {
 public:
  // Shares the vocabulary.
  explicit Tokenizer(std::shared_ptr<const Vocabulary> vocabulary);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  const Vocabulary& vocabulary() const { return *vocabulary_; }

  // Time is O(n log n) in the length of the text, whatever it holds. Throws InvalidRequest for more than 1
  // GiB.
  std::vector<TokenId> encode(std::string_view text, EncodeOptions options) const;

  // Raw bytes: see text/detokenizer.h for text. Throws InvalidRequest for an id outside the vocabulary.
  std::string decode(std::span<const TokenId> tokens, DecodeOptions options) const;

 private:
  struct Parts;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace lanerope::text
