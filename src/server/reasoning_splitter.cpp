// SPDX-License-Identifier: Apache-2.0
#include "server/reasoning_splitter.h"

#include <algorithm>
#include <utility>

namespace lanerope::server {

namespace {

constexpr std::string_view white_space = " \t\r\n";

// The length of the longest end of `text` that is a beginning of `mark`.
size_t begun(std::string_view text, std::string_view mark) {
  for (size_t length = std::min(text.size(), mark.size() - 1); length > 0; --length) {
    if (text.ends_with(mark.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

ReasoningSplitter::ReasoningSplitter(Mode mode, ThinkingMarks marks)
    : marks_(std::move(marks)),
      state_(mode == Mode::opened  ? State::thinking
             : mode == Mode::maybe ? State::start
                                   : State::saying),
      trim_(mode == Mode::opened) {}

ReasoningSplitter::Parts ReasoningSplitter::push(std::string_view text) {
  held_ += text;
  Parts parts;
  advance(parts, /*at_end=*/false);
  return parts;
}

ReasoningSplitter::Parts ReasoningSplitter::finish() {
  Parts parts;
  advance(parts, /*at_end=*/true);
  return parts;
}

void ReasoningSplitter::advance(Parts& parts, bool at_end) {
  const std::string_view open_mark = marks_.begin;
  const std::string_view close_mark = marks_.end;
  if (state_ == State::start) {
    const size_t first = held_.find_first_not_of(white_space);
    const std::string_view rest = first == std::string::npos ? "" : std::string_view(held_).substr(first);
    if (rest.size() < open_mark.size() && open_mark.starts_with(rest) && !at_end) return;
    state_ = State::saying;
    if (rest.starts_with(open_mark)) {
      state_ = State::thinking;
      trim_ = true;
      held_ = std::string(rest.substr(open_mark.size()));
    }
  }
  const auto drop_leading_space = [this] {
    if (!trim_) return;
    held_.erase(0, std::min(held_.find_first_not_of(white_space), held_.size()));
    trim_ = held_.empty();
  };
  if (state_ == State::thinking) {
    drop_leading_space();
    const size_t mark = held_.find(close_mark);
    if (mark == std::string::npos) {
      const size_t keep = at_end ? 0 : begun(held_, close_mark);
      parts.reasoning += held_.substr(0, held_.size() - keep);
      held_.erase(0, held_.size() - keep);
      return;
    }
    parts.reasoning += held_.substr(0, mark);
    held_.erase(0, mark + close_mark.size());
    state_ = State::saying;
    trim_ = true;
  }
  drop_leading_space();
  parts.content += held_;
  held_.clear();
}

}  // namespace lanerope::server
