// SPDX-License-Identifier: Apache-2.0
#include "toy/lane_reader.h"

#include <algorithm>

#include "toy/question_reader.h"

namespace lanerope::toy {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The length of the token that the text starts with, or 0 if no trace holds such a token.
size_t token_length(std::string_view text) {
  for (const std::string_view word : {"####", "sum", " wait"}) {
    if (text.starts_with(word)) return word.size();
  }
  if (text.starts_with("<lane")) {
    const size_t end = text.find_first_not_of("0123456789", 5);
    return end != std::string_view::npos && end > 5 && text[end] == '>' ? end + 1 : 0;
  }
  return is_digit(text.front()) || std::string_view(":*=+-\n ").find(text.front()) != std::string_view::npos;
}

// As it stands between quotes in a message.
std::string shown(std::string_view token) {
  return token == "\n" ? "a line break" : "'" + std::string(token) + "'";
}

}  // namespace

LaneReader::LaneReader(std::string_view text, size_t lane) : lane_(lane) {
  while (!text.empty()) {
    const size_t length = token_length(text);
    if (length == 0) {
      at_ = tokens_.size();
      refuse("'" + std::string(text.substr(0, 10)) + "' starts with no token of a trace");
    }
    tokens_.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
}

std::optional<int64_t> LaneReader::number_from(size_t& at) const {
  const size_t first = at;
  int64_t number = 0;
  while (at < tokens_.size() && is_digit(tokens_[at].front()) && at - first < 16) {
    number = number * 10 + (tokens_[at].front() - '0');
    ++at;
  }
  const size_t digits = at - first;
  const bool padded = digits > 1 && tokens_[first] == "0";
  return digits == 0 || digits == 16 || padded ? std::nullopt : std::optional(number);
}

std::vector<ReadTotal> LaneReader::totals() const {
  std::vector<ReadTotal> found;
  const auto sum = std::find(tokens_.begin(), tokens_.end(), "sum");
  if (tokens_.end() - sum < 3) return found;
  size_t at = static_cast<size_t>(sum - tokens_.begin()) + 2;
  while (true) {
    const std::optional<int64_t> value = number_from(at);
    if (!value) return found;
    found.push_back({.value = *value, .last_digit = at - 1});
    while (at < tokens_.size() && tokens_[at] != "=" && tokens_[at] != "\n") ++at;
    if (at == tokens_.size() || tokens_[at] == "\n") return found;
    ++at;
  }
}

bool LaneReader::readable(size_t last_digit, size_t step) const {
  const size_t behind = last_digit + 1;
  const size_t step_behind = behind + 1;
  return behind < tokens_.size() && step_behind < step;
}

void LaneReader::take(std::string_view token) {
  if (at_end()) refuse("ends where " + shown(token) + " must follow");
  if (!at(token)) refuse("writes " + shown(tokens_[at_]) + " where " + shown(token) + " must stand");
  ++at_;
}

int64_t LaneReader::take_number() {
  size_t end = at_;
  const std::optional<int64_t> number = number_from(end);
  if (!number) {
    refuse(at_end() ? "ends where a number must follow"
                    : "writes " + shown(tokens_[at_]) + " where a number of at most 15 digits must stand");
  }
  at_ = end;
  return *number;
}

void LaneReader::take_number(int64_t right, const std::string& what) {
  const size_t start = at_;
  const int64_t written = take_number();
  if (written == right) return;
  at_ = start;
  refuse("writes " + std::to_string(written) + " where " + what + " is " + std::to_string(right));
}

void LaneReader::refuse(const std::string& what) const {
  throw TraceFault("lane " + std::to_string(lane_ + 1) + " at step " + std::to_string(step()) + " " + what);
}

}  // namespace lanerope::toy
