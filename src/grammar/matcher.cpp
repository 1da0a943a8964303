// SPDX-License-Identifier: Apache-2.0
#include "grammar/matcher.h"

#include <xgrammar/matcher.h>

#include <ctime>
#include <utility>

#include "grammar/compiled_parts.h"
#include "lanerope/errors.h"

namespace lanerope::grammar {

namespace {

class Watch {
 public:
  void check() const {
    if (seconds() - begin_ <= 0.25) return;
    throw InvalidRequest(
        "the answer's format is so ambiguous that following it takes too long; write it with fewer "
        "repetitions inside of repetitions");
  }

 private:
  // Of the processor, for this thread: a machine that is busy makes no format ambiguous.
  static double seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }

  double begin_ = seconds();
};

}  // namespace

struct Matcher::State {
  xgrammar::GrammarMatcher matcher;
};

Matcher::Matcher(std::shared_ptr<const CompiledFormat> format)
    : format_(std::move(format)),
      state_(std::make_unique<State>(State{xgrammar::GrammarMatcher(format_->parts().grammar)})) {}

Matcher::Matcher(std::shared_ptr<const CompiledFormat> format, std::unique_ptr<State> state,
                 int32_t n_accepted)
    : format_(std::move(format)), state_(std::move(state)), n_accepted_(n_accepted) {}

Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;

bool Matcher::accept(TokenId token) {
  const Watch watch;
  if (!state_->matcher.AcceptToken(token)) return false;
  ++n_accepted_;
  watch.check();
  return true;
}

void Matcher::take_back(int32_t tokens) {
  if (tokens == 0) return;
  state_->matcher.Rollback(tokens);
  n_accepted_ -= tokens;
}

Matcher Matcher::fork() const {
  return {format_, std::make_unique<State>(State{state_->matcher.Fork()}), n_accepted_};
}

bool Matcher::completed() const {
  return state_->matcher.IsTerminated() || state_->matcher.IsCompleted();
}

bool Matcher::ended() const {
  return state_->matcher.IsTerminated();
}

std::span<const int32_t> Matcher::allowed() {
  const auto n_words = (format_->parts().n_vocab + 31) / 32;
  words_.resize(static_cast<size_t>(n_words));
  int64_t shape = n_words;
  int64_t stride = 1;
  DLTensor tensor{.data = words_.data(),
                  .device = {.device_type = kDLCPU, .device_id = 0},
                  .ndim = 1,
                  .dtype = xgrammar::GetBitmaskDLType(),
                  .shape = &shape,
                  .strides = &stride,
                  .byte_offset = 0};
  const Watch watch;
  const bool masked = state_->matcher.FillNextTokenBitmask(&tensor);
  watch.check();
  if (!masked) return {};
  return words_;
}

}  // namespace lanerope::grammar
