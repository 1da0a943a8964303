// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/random_stream.h"

namespace lanerope::data {

// Whole numbers and how often each is drawn: "4", "1-8", "1:0.25,2:0.25,4:0.5" or, with exact counts,
// "2:40,3:60".
class Mixture {
 public:
  // Throws InvalidRequest if the text is none of these, or holds a number outside least .. largest; `what`
  // names the option.
  struct Limits {
    std::string_view what;
    int32_t least = 1;
    int32_t largest = 1;
  };
  static Mixture parse(std::string_view text, const Limits& limits);

  int32_t draw(RandomStream& random) const;
  int32_t largest() const;

  // Whether the weights are whole numbers that stand for counts ("2:40,3:60").
  bool counts() const { return counts_; }

  // The sum of the counts; 0 without counts.
  int64_t total_count() const;

  // Each value as often as its count says, shuffled.
  std::vector<int32_t> shuffled_counts(RandomStream& random) const;

 private:
  struct Entry {
    int32_t value = 0;
    double weight = 1;
  };
  std::vector<Entry> entries_;
  bool counts_ = false;
};

}  // namespace lanerope::data
