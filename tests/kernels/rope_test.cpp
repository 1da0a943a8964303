// SPDX-License-Identifier: Apache-2.0
#include "kernels/rope.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {
namespace {

// Heads of queries as a joined product leaves them: other columns of the row lie behind.
struct Heads {
  RopeAngles angles = {};
  bool rotates = true;
  int64_t head_dim = 64;
  int64_t n_head = 3;
  std::vector<int32_t> positions = {};
  std::vector<float> norm = {};  // [head_dim] or none
  std::vector<float> x = {};     // [row_stride, n_rows]

  int64_t n_rows() const { return static_cast<int64_t>(positions.size()); }
  int64_t row_stride() const { return head_dim * n_head + 5; }

  std::vector<float> rotated(ThreadPool* pool = nullptr) const {
    RopeTable table(angles);
    table.prepare(positions);
    std::vector<float> out(head_dim * n_head * n_rows(), 99.0F);
    lanerope::kernels::rope({.table = rotates ? &table : nullptr,
                             .norm_weight = norm.empty() ? nullptr : norm.data(),
                             .norm_epsilon = 1e-5F,
                             .pool = pool},
                            {.x = x.data(),
                             .row_stride = row_stride(),
                             .head_dim = head_dim,
                             .n_head = n_head,
                             .n_rows = n_rows(),
                             .out = out.data()});
    return out;
  }

  // One head in doubles, from the formulas.
  std::vector<double> expected(int64_t row, int64_t head) const {
    const float* from = x.data() + row * row_stride() + head * head_dim;
    std::vector<double> y(from, from + head_dim);
    double squares = 0;
    for (const double v : y) squares += v * v;
    const double root = std::sqrt(squares / static_cast<double>(head_dim) + 1e-5);
    for (int64_t d = 0; d < head_dim && !norm.empty(); ++d) y[d] *= norm[d] / root;
    for (int64_t t = 0; t < angles.n_pairs && rotates; ++t) {
      const bool adjacent = angles.pairs == core::RopePairs::adjacent;
      double& a = y[adjacent ? 2 * t : t];
      double& b = y[adjacent ? 2 * t + 1 : t + angles.n_pairs];
      double angle = positions[row] * std::pow(double{angles.base}, -static_cast<double>(t) / angles.n_pairs);
      if (!angles.divisors.empty()) angle /= angles.divisors[t];
      const double c = angles.magnitude * std::cos(angle);
      const double s = angles.magnitude * std::sin(angle);
      std::tie(a, b) = std::pair(a * c - b * s, a * s + b * c);
    }
    return y;
  }

  void expect_right() const {
    const std::vector<float> out = rotated();
    for (int64_t row = 0; row < n_rows(); ++row) {
      for (int64_t head = 0; head < n_head; ++head) {
        const std::vector<double> exact = expected(row, head);
        for (int64_t d = 0; d < head_dim; ++d)
          ASSERT_NEAR(out[(row * n_head + head) * head_dim + d], exact[d], 2e-4)
              << "row " << row << ", head " << head << ", component " << d;
      }
    }
  }
};

Heads heads(RopeAngles angles, std::vector<int32_t> positions = {0, 1, 1, 77, 900}) {
  Heads made{.angles = std::move(angles), .positions = std::move(positions)};
  made.x = random_values(made.row_stride() * made.n_rows(), 3);
  return made;
}

TEST(Rope, RotatesPairsByTheirFrequencyTimesTheIndex) {
  for_each_instruction_set([](const char*) {
    for (const core::RopePairs pairs : {core::RopePairs::halves, core::RopePairs::adjacent})
      heads({.pairs = pairs, .n_pairs = 32}).expect_right();
  });
}

TEST(Rope, LeavesComponentsBehindTheRotatedOnes) {
  for_each_instruction_set([](const char*) {
    for (const core::RopePairs pairs : {core::RopePairs::halves, core::RopePairs::adjacent}) {
      heads({.pairs = pairs, .n_pairs = 16}).expect_right();
      heads({.pairs = pairs, .n_pairs = 10}).expect_right();  // no whole vector
    }
  });
}

TEST(Rope, NormsHeadsFirst) {
  for_each_instruction_set([](const char*) {
    for (const int32_t n_pairs : {32, 10}) {
      Heads made = heads({.n_pairs = n_pairs});
      made.norm = random_values(made.head_dim, 4);
      made.expect_right();
    }
    Heads still = heads({.n_pairs = 32});
    still.rotates = false;
    still.norm = random_values(still.head_dim, 4);
    still.expect_right();
  });
}

TEST(Rope, DividesFrequenciesAndMultipliesByTheMagnitude) {
  std::vector<float> divisors(32, 4.0F);
  divisors.back() = std::numeric_limits<float>::infinity();  // does not rotate
  heads({.n_pairs = 32, .base = 500'000.0F, .divisors = divisors, .magnitude = 1.3F}).expect_right();
}

// Angles are computed alike, so that all that can differ is how a product and a sum are fused.
TEST(Rope, IsGgmls) {
  const Heads all = heads({.n_pairs = 32, .base = 100'000.0F}, {3, 1'000, 100'000});
  const std::vector<float> theirs = run_graph(1, [&](ggml_context* context) {
    ggml_tensor* x = ggml_new_tensor_3d(context, GGML_TYPE_F32, all.head_dim, all.n_head, all.n_rows());
    for (int64_t row = 0; row < all.n_rows(); ++row)
      std::copy_n(all.x.data() + row * all.row_stride(), all.head_dim * all.n_head,
                  static_cast<float*>(x->data) + row * all.head_dim * all.n_head);
    ggml_tensor* positions = ggml_new_tensor_1d(context, GGML_TYPE_I32, all.n_rows());
    std::ranges::copy(all.positions, static_cast<int32_t*>(positions->data));
    return ggml_rope_ext(context, x, positions, nullptr, 64, GGML_ROPE_TYPE_NEOX, 0, all.angles.base, 1, 0, 1,
                         0, 0);
  });
  const std::vector<float> ours = all.rotated();
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(ours[i], theirs[i], 1e-6) << i;
}

TEST(Rope, OfARowDependsOnNoOtherRow) {
  std::vector<int32_t> positions(400);
  for (size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<int32_t>(i / 3);
  const Heads all = heads({.n_pairs = 32}, positions);
  ThreadPool pool(2);
  const std::vector<float> together = all.rotated(&pool);
  Heads one = all;
  const auto width = static_cast<ptrdiff_t>(all.head_dim * all.n_head);
  for (const int64_t row : {0, 199, 399}) {
    one.positions = {positions[row]};
    one.x.assign(all.x.begin() + row * all.row_stride(), all.x.begin() + (row + 1) * all.row_stride());
    const std::vector<float> alone = one.rotated();
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + row * width)) << "row " << row;
  }
}

}  // namespace
}  // namespace lanerope::kernels
