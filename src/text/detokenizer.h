// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "lanerope/token.h"
#include "text/utf8.h"
#include "text/vocabulary.h"

namespace lanerope::text {

// Text of one lane while it is decoded: never half a character. All that push and flush return, in a row, is
// what Tokenizer::decode gives for the same tokens with strip_space_prefix off and broken bytes as U+FFFD.
class Detokenizer {
 public:
  struct Options {
    bool special = false;  // control tokens are written out by name; else they are left out
  };

  Detokenizer(std::shared_ptr<const Vocabulary> vocabulary, Options options);

  // The text that became complete with this token: whole characters, maybe none. Throws InvalidRequest for an
  // id outside the vocabulary.
  std::string push(TokenId token);
  // What is left at the end of the lane: U+FFFD if the last token broke off inside a character.
  std::string flush();
  bool holds() const { return assembler_.holds(); }  // half a character back

 private:
  std::shared_ptr<const Vocabulary> vocabulary_;
  Options options_;
  Utf8Assembler assembler_;
};

}  // namespace lanerope::text
