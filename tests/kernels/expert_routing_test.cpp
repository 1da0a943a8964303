// SPDX-License-Identifier: Apache-2.0
#include "kernels/expert_routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lanerope::kernels {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

ExpertRouting routing_of(const std::vector<std::vector<float>>& rows, int32_t n_used) {
  const auto n_expert = static_cast<int32_t>(rows.front().size());
  std::vector<float> scores;
  for (const std::vector<float>& row : rows) scores.insert(scores.end(), row.begin(), row.end());
  ExpertRouting routing(n_expert, n_used);
  routing.route({.data = scores.data(), .n_rows = static_cast<int64_t>(rows.size()), .row_stride = n_expert});
  return routing;
}

// The experts of a row, its best one first.
std::vector<int32_t> experts_of(const ExpertRouting& routing, int64_t row) {
  std::vector<int32_t> experts;
  for (int32_t i = 0; i < routing.n_used(); ++i) {
    const int32_t column = routing.columns()[row * routing.n_used() + i];
    EXPECT_EQ(routing.rows()[column], row);
    for (const ExpertRouting::Group& group : routing.groups()) {
      if (column >= group.first && column < group.first + group.n) experts.push_back(group.expert);
    }
  }
  return experts;
}

TEST(ExpertRouting, TakesTheGreatestScoresAndTheSoftMaxOfThese) {
  const ExpertRouting routing = routing_of({{0, 2, -1, 1}, {3, -5, 3.5F, -4}}, 2);
  EXPECT_THAT(experts_of(routing, 0), ElementsAre(1, 3));
  EXPECT_THAT(experts_of(routing, 1), ElementsAre(2, 0));
  const float first = 1 / (1 + std::exp(-1.0F));
  const float second = 1 / (1 + std::exp(-0.5F));
  EXPECT_THAT(routing.shares(), ElementsAre(FloatNear(first, 1e-6F), FloatNear(1 - first, 1e-6F),
                                            FloatNear(second, 1e-6F), FloatNear(1 - second, 1e-6F)));
}

TEST(ExpertRouting, PutsTheColumnsOfAnExpertTogether) {
  const ExpertRouting routing = routing_of({{9, 0, 1}, {0, 9, 1}, {9, 1, 0}, {9, 0, 1}}, 1);
  ASSERT_EQ(routing.groups().size(), 2U) << "the last expert is not needed";
  EXPECT_EQ(routing.groups()[0].expert, 0);
  EXPECT_EQ(routing.groups()[0].n, 3);
  EXPECT_EQ(routing.groups()[1].expert, 1);
  EXPECT_EQ(routing.groups()[1].first, 3);
  EXPECT_THAT(routing.rows(), ElementsAre(0, 2, 3, 1));
}

TEST(ExpertRouting, PrefersTheFirstOfEqualScores) {
  EXPECT_THAT(experts_of(routing_of({{1, 1, 1, 1}}, 3), 0), ElementsAre(0, 1, 2));
}

TEST(ExpertRouting, HoldsScoresOfAnySize) {
  const ExpertRouting routing = routing_of({{1e30F, -1e30F, 0}, {-200, -100, -300}}, 2);
  EXPECT_THAT(routing.shares(), ElementsAre(1, 0, 1, FloatNear(0, 1e-30F)));
  const float none = std::nanf("");
  EXPECT_THAT(experts_of(routing_of({{none, 1, none, 2}}, 3), 0), ElementsAre(3, 1, 0))
      << "what is no number comes last, and no expert twice";
}

}  // namespace
}  // namespace lanerope::kernels
