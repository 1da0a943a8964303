// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/random_stream.h"

namespace lanerope::toy {

// One part of a word problem: first * second + third. third is 0 where there is none, and may be negative.
struct Part {
  int64_t first = 0;
  int64_t second = 0;
  int64_t third = 0;

  int64_t value() const { return first * second + third; }
  auto operator<=>(const Part&) const = default;
};

struct WordProblem {
  std::string question = {};     // one paragraph of plain English; the parts are told in shuffled order
  std::vector<Part> parts = {};  // in the order of their labels: parts[0] is the one with label 1

  int64_t total() const;
};

struct NumberRange {
  int64_t first = 0;
  int64_t last = 0;  // included
};

// How hard the parts are.
struct Difficulty {
  NumberRange first = {.first = 11, .last = 99};
  NumberRange second = {.first = 2, .last = 9};
  NumberRange third = {.first = 11, .last = 99};
  int64_t least_value = 10;
  int64_t largest_total = 0;  // of all parts together; 0: any
};

enum class Split { train, dev, test };

std::string_view name(Split split);

// Which split a problem belongs to: a hash of its parts' numbers, whatever their order and the wording, so
// that no two splits can share a problem. One in 16 is in test, one in 16 in dev.
Split split_of(std::span<const Part> parts);

// The hash behind split_of(): the same for the same parts in any order.
uint64_t parts_hash(std::span<const Part> parts);

inline constexpr int32_t max_parts = 16;

// Draws problems of one split. The same seed and the same calls give the same problems on every system.
class WordProblemSource {
 public:
  // Throws InvalidRequest if the difficulty has an empty range, numbers outside 2 .. 9999, or a least value
  // that no part can reach.
  WordProblemSource(const Difficulty& difficulty, Split split);

  // A problem of `n_parts` parts, 1 .. max_parts, else InvalidRequest.
  WordProblem draw(int32_t n_parts, data::RandomStream& random) const;

 private:
  Part draw_part(data::RandomStream& random) const;

  Difficulty difficulty_;
  Split split_;
};

}  // namespace lanerope::toy
