// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace lanerope::core {

// Sizes that a graph is built for, so that batches of nearly one size share it. Both are at least n.

// 1, 2, 3, 4, 6, 8, 12 ... 48, 64, then multiples of 64.
constexpr int32_t rounded_rows(int32_t n) {
  if (n > 64) return (n + 63) / 64 * 64;
  const auto power = static_cast<int32_t>(std::bit_ceil(static_cast<uint32_t>(std::max(1, n))));
  return power >= 4 && n <= power / 4 * 3 ? power / 4 * 3 : power;
}

// The most rows that rounded_rows adds.
inline constexpr int32_t most_added_rows = 63;

// Multiples of 32, and beyond 256 four sizes between a power of two and the next.
constexpr int32_t rounded_cells(int32_t n) {
  const auto below = static_cast<int32_t>(std::bit_floor(static_cast<uint32_t>(std::max(1, n - 1))));
  const int32_t unit = std::max(32, below / 4);
  return (std::max(1, n) + unit - 1) / unit * unit;
}

}  // namespace lanerope::core
