// SPDX-License-Identifier: Apache-2.0
#include "data/random_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace lanerope::data {
namespace {

TEST(RandomStream, IsTheSameOnEverySystem) {
  // The C++ standard gives 9981545732273789042 as the 10000th number of mt19937_64 with its default seed.
  RandomStream random(std::mt19937_64::default_seed);
  for (int i = 0; i < 9999; ++i) random.below(uint64_t{1} << 63);
  EXPECT_EQ(random.below(uint64_t{1} << 63), 9981545732273789042U % (uint64_t{1} << 63));
}

TEST(RandomStream, DrawsEveryNumberEquallyOften) {
  RandomStream random(1);
  std::array<int, 7> times{};
  for (int i = 0; i < 70000; ++i) ++times[random.below(7)];
  for (const int count : times) EXPECT_NEAR(count, 10000, 400);  // four standard deviations are 370
}

TEST(RandomStream, RangesIncludeBothEnds) {
  RandomStream random(2);
  int64_t least = 100;
  int64_t largest = -100;
  for (int i = 0; i < 1000; ++i) {
    const int64_t drawn = random.between(-3, 5);
    least = std::min(least, drawn);
    largest = std::max(largest, drawn);
  }
  EXPECT_EQ(least, -3);
  EXPECT_EQ(largest, 5);
}

TEST(RandomStream, ShufflesIntoEveryOrder) {
  RandomStream random(3);
  std::array<int, 6> times{};
  for (int i = 0; i < 6000; ++i) {
    std::array<int, 3> values = {0, 1, 2};
    random.shuffle(std::span<int>(values));
    ++times[static_cast<size_t>(values[0] * 2 + (values[1] > values[2] ? 1 : 0))];
  }
  for (const int count : times) EXPECT_NEAR(count, 1000, 130);
}

}  // namespace
}  // namespace lanerope::data
