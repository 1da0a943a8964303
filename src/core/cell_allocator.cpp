// SPDX-License-Identifier: Apache-2.0
#include "core/cell_allocator.h"

#include <cassert>
#include <iterator>

namespace lanerope::core {

CellAllocator::CellAllocator(int32_t n_cells) : n_cells_(n_cells), n_free_(n_cells) {
  assert(n_cells >= 0);
  if (n_cells > 0) free_[0] = n_cells;
}

std::optional<int32_t> CellAllocator::allocate(int32_t length) {
  assert(length > 0);
  for (auto run = free_.begin(); run != free_.end(); ++run) {
    const auto [first, available] = *run;
    if (available < length) continue;
    free_.erase(run);
    if (available > length) free_[first + length] = available - length;
    n_free_ -= length;
    return first;
  }
  return std::nullopt;
}

void CellAllocator::release(int32_t first, int32_t length) {
  assert(first >= 0 && length > 0 && first + length <= n_cells_);
  n_free_ += length;
  auto next = free_.lower_bound(first);
  assert(next == free_.end() || next->first >= first + length);
  if (next != free_.end() && next->first == first + length) {
    length += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    assert(previous->first + previous->second <= first);
    if (previous->first + previous->second == first) {
      previous->second += length;
      return;
    }
  }
  free_[first] = length;
}

}  // namespace lanerope::core
