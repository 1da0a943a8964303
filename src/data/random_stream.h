// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <utility>

namespace lanerope::data {

// Random whole numbers that are the same on every system: std::mt19937_64 is fixed by the C++ standard, the
// standard library's distributions are not.
class RandomStream {
 public:
  explicit RandomStream(uint64_t seed) : bits_(seed) {}

  // Uniform in 0 .. n-1, n > 0.
  uint64_t below(uint64_t n) {
    assert(n > 0);
    const uint64_t uneven = (UINT64_MAX % n + 1) % n;  // how many of the largest values would be one too many
    uint64_t drawn = bits_();
    while (drawn > UINT64_MAX - uneven) drawn = bits_();
    return drawn % n;
  }

  // Uniform in first .. last, both included.
  int64_t between(int64_t first, int64_t last) {
    assert(first <= last);
    return first + static_cast<int64_t>(below(static_cast<uint64_t>(last - first) + 1));
  }

  // Uniform in [0, 1), 53 bits.
  double unit() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }

  template <typename Range>
  const auto& pick(const Range& range) {
    return range[below(std::size(range))];
  }

  template <typename Value>
  void shuffle(std::span<Value> values) {
    for (size_t left = values.size(); left > 1; --left) std::swap(values[left - 1], values[below(left)]);
  }

 private:
  std::mt19937_64 bits_;
};

}  // namespace lanerope::data
