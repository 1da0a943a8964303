// SPDX-License-Identifier: Apache-2.0
#include "core/page_allocator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace lanerope::core {
namespace {

int32_t longest_row(const std::vector<bool>& used) {
  int32_t longest = 0;
  int32_t row = 0;
  for (const bool page : used) longest = std::max(longest, row = page ? 0 : row + 1);
  return longest;
}

// Against a row of flags: no page is handed out twice, and one is refused only where there is none.
TEST(PageAllocator, HandsOutEveryFreePageAndNoneTwice) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    const auto n_pages = static_cast<int32_t>(1 + random() % 60);
    PageAllocator allocator(n_pages);
    std::vector<bool> used(n_pages);
    std::vector<int32_t> taken;
    const auto take = [&](int32_t first, int32_t n) {
      for (int32_t page = first; page < first + n; ++page) {
        ASSERT_TRUE(page >= 0 && page < n_pages && !used[page]) << page;
        used[page] = true;
        taken.push_back(page);
      }
    };
    for (int i = 0; i < 600; ++i) {
      const auto kind = random() % 4;
      if (kind == 0) {
        const auto n = static_cast<int32_t>(1 + random() % 8);
        const auto first = allocator.allocate_row(n);
        ASSERT_EQ(first.has_value(), longest_row(used) >= n);
        if (first) take(*first, n);
      } else if (kind == 1) {
        const int32_t behind = taken.empty() ? PageAllocator::nowhere : taken.back();
        const auto page = allocator.allocate(behind);
        ASSERT_EQ(page.has_value(), std::ranges::count(used, false) > 0);
        const bool next_is_free = behind >= 0 && behind + 1 < n_pages && !used[behind + 1];
        if (next_is_free) {
          ASSERT_EQ(page, behind + 1);
        }
        if (page) take(*page, 1);
      } else if (!taken.empty()) {
        std::swap(taken[random() % taken.size()], taken.back());
        allocator.release(taken.back());
        used[taken.back()] = false;
        taken.pop_back();
      }
      ASSERT_EQ(allocator.n_free(), std::ranges::count(used, false));
    }
    for (const int32_t page : taken) allocator.release(page);
    EXPECT_EQ(allocator.allocate_row(n_pages), 0) << "all runs have grown together again";
  }
}

// Lanes that grow in turn stay in one run each, as long as the gaps between them last.
TEST(PageAllocator, KeepsSegmentsThatGrowSideBySideInOneRun) {
  PageAllocator allocator(64);
  std::vector<std::vector<int32_t>> lanes(4);
  for (auto& lane : lanes) lane.push_back(*allocator.allocate());
  for (int turn = 0; turn < 7; ++turn) {
    for (auto& lane : lanes) lane.push_back(*allocator.allocate(lane.back()));
  }
  for (const auto& lane : lanes) {
    for (size_t i = 1; i < lane.size(); ++i) EXPECT_EQ(lane[i], lane[i - 1] + 1);
  }
}

TEST(PageAllocator, MayBeEmpty) {
  PageAllocator allocator(0);
  EXPECT_EQ(allocator.n_free(), 0);
  EXPECT_FALSE(allocator.allocate().has_value());
  EXPECT_FALSE(allocator.allocate_row(1).has_value());
}

}  // namespace
}  // namespace lanerope::core
