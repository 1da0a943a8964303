// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace lanerope::core {

// Hands out the KV pool's pages, [0, n_pages).
class PageAllocator {
 public:
  static constexpr int32_t nowhere = -2;  // behind no page

  explicit PageAllocator(int32_t n_pages);

  // A page for a segment that has come to the end of page `behind`: the next one, where that is free. Else,
  // as for a segment that begins, the one in the middle of the longest free run, so that lanes that write
  // side by side have room to stay in one piece. Nothing where no page is free.
  std::optional<int32_t> allocate(int32_t behind = nowhere);
  // The first of `n` (> 0) pages in a row, or nothing where there are not so many.
  std::optional<int32_t> allocate_row(int32_t n);
  void release(int32_t page);

  int32_t n_pages() const { return n_pages_; }
  int32_t n_free() const { return n_free_; }

 private:
  using Run = std::map<int32_t, int32_t>::iterator;
  void take(Run run, int32_t first, int32_t n);

  int32_t n_pages_;
  int32_t n_free_;
  std::map<int32_t, int32_t> free_;  // first page -> how many; runs never touch
};

}  // namespace lanerope::core
