// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::toy {

// A total as a lane wrote it.
struct ReadTotal {
  int64_t value = 0;
  size_t last_digit = 0;  // index of the token
};

// What one lane wrote, cut into the tokens of the clock, and a place in it. The token at index i stands at
// step i + 1, for the lane's tag stands at step 0. Every fault is thrown as a TraceFault that names the lane
// and the step. The text must outlive the reader.
class LaneReader {
 public:
  LaneReader(std::string_view text, size_t lane);

  // The totals in the order in which they were written: behind "sum ", then behind each "=" up to the line
  // break. Ends early where the text is not well formed.
  std::vector<ReadTotal> totals() const;

  bool at_end() const { return at_ == tokens_.size(); }
  bool at(std::string_view token) const { return !at_end() && tokens_[at_] == token; }
  size_t step() const { return at_ + 1; }

  // Whether another lane sees at `step` that the number whose last digit is at `last_digit` has ended.
  bool readable(size_t last_digit, size_t step) const;

  void take(std::string_view token);
  int64_t take_number();
  void take_number(int64_t right, const std::string& what);

  [[noreturn]] void refuse(const std::string& what) const;

 private:
  // The number that starts at `at`, moved behind it; nothing if there is none.
  std::optional<int64_t> number_from(size_t& at) const;

  std::vector<std::string_view> tokens_;
  size_t lane_;
  size_t at_ = 0;
};

}  // namespace lanerope::toy
