// SPDX-License-Identifier: Apache-2.0
#include "kernels/bridge_attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(BridgeSets, AreTheRowsOfOneNumberInTheirOrder) {
  BridgeSets sets;
  sets.prepare(std::vector<int32_t>{-1, 1, 0, 1, -1, 0, 1});
  EXPECT_THAT(sets.heard_by(0), IsEmpty());
  EXPECT_THAT(sets.heard_by(1), ElementsAre(1, 3, 6));
  EXPECT_THAT(sets.heard_by(3), ElementsAre(1, 3, 6));
  EXPECT_THAT(sets.heard_by(5), ElementsAre(2, 5));
  EXPECT_EQ(sets.largest(), 3U);
  EXPECT_EQ(sets.n_rows(), 7);
  sets.prepare(std::vector<int32_t>{-1, -1});
  EXPECT_THAT(sets.heard_by(1), IsEmpty());
  EXPECT_EQ(sets.largest(), 0U);
}

// Rows of q, k and v side by side, as a joined product leaves them.
struct Rows {
  int32_t n_head = 3;
  int32_t head_dim = 12;  // no multiple of 8
  std::vector<int32_t> numbers = {};
  std::vector<float> joined = {};  // [3 * width, n_rows]

  explicit Rows(std::vector<int32_t> of)
      : numbers(std::move(of)), joined(random_values(3 * width() * numbers.size(), 7)) {}

  size_t width() const { return static_cast<size_t>(n_head) * head_dim; }
  const float* part(size_t row, size_t number) const { return joined.data() + (3 * row + number) * width(); }
  StridedRows rows(size_t number) const {
    return {.data = part(0, number), .stride = static_cast<int64_t>(3 * width())};
  }

  std::vector<float> attend(int threads) const {
    BridgeSets sets;
    sets.prepare(numbers);
    ThreadPool pool(threads);
    std::vector<float> out(width() * numbers.size(), 99.0F);
    bridge_attention({.sets = &sets, .n_head = n_head, .head_dim = head_dim, .pool = &pool},
                     {.q = rows(0), .k = rows(1), .v = rows(2), .out = out.data()});
    return out;
  }

  // One component of one row, in doubles, from the formula.
  double expected(size_t row, size_t component) const {
    const size_t head = component / head_dim * head_dim;
    double sum = 0;
    double value = 0;
    for (size_t other = 0; other < numbers.size(); ++other) {
      if (numbers[other] != numbers[row]) continue;
      double score = 0;
      for (size_t d = head; d < head + head_dim; ++d)
        score += static_cast<double>(part(row, 0)[d]) * part(other, 1)[d];
      const double weight = std::exp(score / std::sqrt(static_cast<double>(head_dim)));
      sum += weight;
      value += weight * part(other, 2)[component];
    }
    return value / sum;
  }
};

TEST(BridgeAttention, IsASoftMaxOverTheRowsOfOneStep) {
  const Rows rows({0, 0, -1, 1, 0, 1, 2});
  const std::vector<float> out = rows.attend(2);
  for (size_t row = 0; row < rows.numbers.size(); ++row) {
    if (rows.numbers[row] < 0) continue;
    for (size_t c = 0; c < rows.width(); ++c)
      EXPECT_NEAR(out[row * rows.width() + c], rows.expected(row, c), 1e-5) << "row " << row;
  }
}

TEST(BridgeAttention, GivesARowAloneItsOwnValue) {
  const Rows rows({-1, 0});
  const std::vector<float> out = rows.attend(1);
  for (size_t c = 0; c < rows.width(); ++c) EXPECT_EQ(out[rows.width() + c], rows.part(1, 2)[c]);
}

TEST(BridgeAttention, GivesZerosToRowsThatExchangeWithNobody) {
  const Rows rows({-1, 0, -1});
  const std::vector<float> out = rows.attend(1);
  const auto width = static_cast<std::ptrdiff_t>(rows.width());
  EXPECT_THAT(std::vector<float>(out.begin(), out.begin() + width), Each(0.0F));
  EXPECT_THAT(std::vector<float>(out.end() - width, out.end()), Each(0.0F));
}

TEST(BridgeAttention, HasTheSameBitsWhoeverElseIsInTheBatch) {
  Rows alone({0, 0, 0});
  Rows among({4, 0, 0, 0, 2, 2});
  std::copy_n(alone.joined.begin(), alone.joined.size(), among.joined.begin() + 3 * among.width());
  const std::vector<float> expected = alone.attend(1);
  for (const int threads : {1, 3}) {
    const std::vector<float> out = among.attend(threads);
    const auto first = out.begin() + static_cast<std::ptrdiff_t>(among.width());
    EXPECT_EQ(std::vector<float>(first, first + static_cast<std::ptrdiff_t>(expected.size())), expected);
  }
}

}  // namespace
}  // namespace lanerope::kernels
