// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "grammar/compiler.h"
#include "grammar/matcher.h"
#include "tests/text/toy_vocabulary.h"

namespace lanerope::grammar {

constexpr TokenId toy_end = 264;
constexpr int32_t toy_rows = 300;  // of the logits; the vocabulary has fewer tokens

inline const Compiler& toy_compiler() {
  static const Compiler compiler(std::make_shared<const text::Vocabulary>(text::toy_bpe()), toy_rows);
  return compiler;
}

inline Matcher matcher(const AnswerFormat& format, const ThinkingRules& thinking = {}) {
  return Matcher(toy_compiler().compile(format, thinking));
}

// How many bytes of a text the format takes, a byte a token.
inline size_t accepted_bytes(Matcher& of, std::string_view text) {
  size_t n = 0;
  while (n < text.size() && of.accept(static_cast<unsigned char>(text[n]))) ++n;
  return n;
}

// All of the text, and it may end there.
inline bool takes(const AnswerFormat& format, std::string_view text, const ThinkingRules& thinking = {}) {
  Matcher of = matcher(format, thinking);
  return accepted_bytes(of, text) == text.size() && of.completed() && of.accept(toy_end);
}

}  // namespace lanerope::grammar
