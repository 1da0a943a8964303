// SPDX-License-Identifier: Apache-2.0
#include "text/detokenizer.h"

#include <utility>

namespace lanerope::text {

Detokenizer::Detokenizer(std::shared_ptr<const Vocabulary> vocabulary, Options options)
    : vocabulary_(std::move(vocabulary)), options_(options) {}

std::string Detokenizer::push(TokenId token) {
  const std::string_view piece = vocabulary_->piece(token);
  if (is_hidden(vocabulary_->type(token)) && !options_.special) return {};
  return assembler_.push(piece);
}

std::string Detokenizer::flush() {
  return assembler_.flush();
}

}  // namespace lanerope::text
