// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lanerope/token.h"
#include "text/vocabulary.h"

namespace lanerope::text {

// The vocabularies that the tests compare with: gpt-2 and phi-3 from the data shared between checkouts, qwen2
// from the package that script/lib/fetch-qwen2-vocabulary fetches. Nothing where the file is absent.
//
// The shared GGUF files are damaged: each byte that was not UTF-8 was replaced by U+FFFD, so that every text
// in them is whole and some lengths and most scores are not. Lengths are found again by looking for the end
// of the text; the scores follow SentencePiece's rule (minus the number of the piece among the merged ones),
// and the damaged bytes are checked against it, so that a wrong guess is an error (std::runtime_error) and
// not another vocabulary.
std::optional<VocabularyData> shared_vocabulary(const std::string& name);
std::optional<VocabularyData> qwen2_vocabulary();

struct Vector {
  std::string text;
  std::vector<TokenId> tokens;
};
// NAME.gguf.inp and NAME.gguf.out of the shared data; nothing where they are absent.
std::optional<std::vector<Vector>> shared_vectors(const std::string& name);

}  // namespace lanerope::text
