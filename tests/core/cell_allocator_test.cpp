// SPDX-License-Identifier: Apache-2.0
#include "core/cell_allocator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace lanerope::core {
namespace {

struct CellRun {
  int32_t first;
  int32_t length;
};

int32_t longest_free_run(const std::vector<bool>& used) {
  int32_t longest = 0;
  int32_t run = 0;
  for (const bool cell : used) longest = std::max(longest, run = cell ? 0 : run + 1);
  return longest;
}

// Against a row of flags: no cell is handed out twice, and a run is refused only where there is none.
TEST(CellAllocator, HandsOutEveryFreeRunAndNoCellTwice) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    const auto n_cells = static_cast<int32_t>(1 + random() % 120);
    CellAllocator allocator(n_cells);
    std::vector<bool> used(n_cells);
    std::vector<CellRun> runs;
    for (int i = 0; i < 600; ++i) {
      if (random() % 2 == 0 || runs.empty()) {
        const auto length = static_cast<int32_t>(1 + random() % 20);
        const auto first = allocator.allocate(length);
        ASSERT_EQ(first.has_value(), longest_free_run(used) >= length);
        if (!first) continue;
        ASSERT_GE(*first, 0);
        ASSERT_LE(*first + length, n_cells);
        for (int32_t c = *first; c < *first + length; ++c) {
          ASSERT_FALSE(used[c]);
          used[c] = true;
        }
        runs.push_back({.first = *first, .length = length});
      } else {
        std::swap(runs[random() % runs.size()], runs.back());
        allocator.release(runs.back().first, runs.back().length);
        std::fill_n(used.begin() + runs.back().first, runs.back().length, false);
        runs.pop_back();
      }
      ASSERT_EQ(allocator.n_free(), std::ranges::count(used, false));
    }
    for (const CellRun& run : runs) allocator.release(run.first, run.length);
    EXPECT_EQ(allocator.allocate(n_cells), 0) << "all runs have grown together again";
  }
}

TEST(CellAllocator, MayBeEmpty) {
  CellAllocator allocator(0);
  EXPECT_EQ(allocator.n_free(), 0);
  EXPECT_FALSE(allocator.allocate(1).has_value());
}

}  // namespace
}  // namespace lanerope::core
