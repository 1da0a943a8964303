// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "lanerope/answer_format.h"
#include "text/vocabulary.h"

namespace lanerope::grammar {

// A format, made ready for one vocabulary. Immutable, shared by all lanes that keep to it.
class CompiledFormat {
 public:
  struct Parts;  // matcher.cpp and compiler.cpp; hides xgrammar
  explicit CompiledFormat(std::unique_ptr<const Parts> parts);
  ~CompiledFormat();
  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<const Parts> parts_;
};

// What a model may think before the format begins.
struct ThinkingRules {
  std::string begin = {};    // "<think>"; empty: it does not think
  std::string end = {};      // "</think>"
  std::string message = {};  // behind the thinking
  std::string answer = {};   // before what has the format
  bool opened = false;       // the prompt ends inside of the thinking
  int32_t most_tokens = -1;  // its budget; -1: none
};

// Makes formats ready for the vocabulary of one model, and remembers the latest ones. All members may be
// called from any thread; compiling takes from milliseconds to seconds.
class Compiler {
 public:
  // n_vocab: the width of the logits, at least the size of the vocabulary.
  Compiler(std::shared_ptr<const text::Vocabulary> vocabulary, int32_t n_vocab);
  ~Compiler();

  // Throws InvalidRequest with one sentence for what is no such format, and for a schema that holds something
  // that could not be kept. Null for FormatKind::any without a budget for thinking.
  std::shared_ptr<const CompiledFormat> compile(const AnswerFormat& format,
                                                const ThinkingRules& thinking = {}) const;

 private:
  struct Engines;
  Engines& engines() const;

  std::shared_ptr<const text::Vocabulary> vocabulary_;
  int32_t n_vocab_;
  mutable std::once_flag made_;
  mutable std::unique_ptr<Engines> engines_;
};

}  // namespace lanerope::grammar
