// SPDX-License-Identifier: Apache-2.0
#include "core/page_allocator.h"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace lanerope::core {

PageAllocator::PageAllocator(int32_t n_pages) : n_pages_(n_pages), n_free_(n_pages) {
  assert(n_pages >= 0);
  if (n_pages > 0) free_[0] = n_pages;
}

void PageAllocator::take(Run run, int32_t first, int32_t n) {
  const auto [begin, length] = *run;
  assert(first >= begin && first + n <= begin + length);
  free_.erase(run);
  if (first > begin) free_[begin] = first - begin;
  if (first + n < begin + length) free_[first + n] = begin + length - first - n;
  n_free_ -= n;
}

std::optional<int32_t> PageAllocator::allocate(int32_t behind) {
  if (free_.empty()) return std::nullopt;
  const auto next = free_.find(behind + 1);
  if (next != free_.end()) {
    take(next, behind + 1, 1);
    return behind + 1;
  }
  const auto longest = std::ranges::max_element(free_, {}, [](const auto& run) { return run.second; });
  const int32_t page = longest->first + longest->second / 2;
  take(longest, page, 1);
  return page;
}

std::optional<int32_t> PageAllocator::allocate_row(int32_t n) {
  assert(n > 0);
  const auto run = std::ranges::find_if(free_, [n](const auto& of) { return of.second >= n; });
  if (run == free_.end()) return std::nullopt;
  const int32_t first = run->first;
  take(run, first, n);
  return first;
}

void PageAllocator::release(int32_t page) {
  assert(page >= 0 && page < n_pages_);
  int32_t first = page;
  int32_t length = 1;
  ++n_free_;
  auto next = free_.lower_bound(page);
  assert(next == free_.end() || next->first > page);
  if (next != free_.end() && next->first == page + 1) {
    length += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    assert(previous->first + previous->second <= page);
    if (previous->first + previous->second == page) {
      first = previous->first;
      length += previous->second;
    }
  }
  free_[first] = length;
}

}  // namespace lanerope::core
