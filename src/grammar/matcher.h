// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "grammar/compiler.h"
#include "lanerope/token.h"

namespace lanerope::grammar {

// Where one text stands in its format. One thread at a time; different ones in parallel. A format can be so
// ambiguous that following it takes ever longer: accept() and allowed() throw InvalidRequest once one call
// of theirs has taken a quarter of a second of the processor, in which a model writes many tokens.
class Matcher {
 public:
  explicit Matcher(std::shared_ptr<const CompiledFormat> format);
  ~Matcher();
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;

  // Takes the next token of the text; false, and nothing happens, where the format does not allow it.
  bool accept(TokenId token);
  // Takes back the last tokens.
  void take_back(int32_t tokens);
  int32_t n_accepted() const { return n_accepted_; }
  // Another one that stands where this one does.
  Matcher fork() const;

  // The text may end here.
  bool completed() const;
  // It has ended: an end token was taken, and nothing may follow.
  bool ended() const;
  // One bit a row of the logits, 32 a word, lowest first: 1 where the token is allowed next. Empty where all
  // are. An end token is allowed where the text is complete. Until the next call.
  std::span<const int32_t> allowed();

 private:
  struct State;
  Matcher(std::shared_ptr<const CompiledFormat> format, std::unique_ptr<State> state, int32_t n_accepted);

  std::shared_ptr<const CompiledFormat> format_;
  std::unique_ptr<State> state_;
  int32_t n_accepted_ = 0;
  std::vector<int32_t> words_ = {};
};

}  // namespace lanerope::grammar
