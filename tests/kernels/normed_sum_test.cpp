// SPDX-License-Identifier: Apache-2.0
#include "kernels/normed_sum.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {
namespace {

struct Sums {
  int64_t n = 0;
  int64_t n_rows = 0;
  std::vector<float> x = {};         // [n + 3, n_rows], three behind each row
  std::vector<float> residual = {};  // [n, n_rows]
  std::vector<float> norm = {};      // [n]
};

Sums sums(int64_t n, int64_t n_rows) {
  return {.n = n,
          .n_rows = n_rows,
          .x = random_values((n + 3) * n_rows, 1),
          .residual = random_values(n * n_rows, 2),
          .norm = random_values(n, 3)};
}

struct With {
  bool norm = true;
  bool residual = true;
  float scale = 1;
};

std::vector<float> computed(const Sums& of, const With& with, ThreadPool* pool = nullptr) {
  std::vector<float> out(of.n * of.n_rows, 99.0F);
  normed_sum(
      {.norm_weight = with.norm ? of.norm.data() : nullptr,
       .norm_epsilon = 1e-5F,
       .scale = with.scale,
       .pool = pool},
      {.x = {.data = of.x.data(), .stride = of.n + 3},
       .residual = with.residual ? StridedRows{.data = of.residual.data(), .stride = of.n} : StridedRows{},
       .n = of.n,
       .n_rows = of.n_rows,
       .out = out.data()});
  return out;
}

void expect_right(const Sums& of, const With& with) {
  const std::vector<float> out = computed(of, with);
  for (int64_t row = 0; row < of.n_rows; ++row) {
    const float* x = of.x.data() + row * (of.n + 3);
    double squares = 0;
    for (int64_t i = 0; i < of.n; ++i) squares += static_cast<double>(x[i]) * x[i];
    const double root = std::sqrt(squares / static_cast<double>(of.n) + 1e-5);
    for (int64_t i = 0; i < of.n; ++i) {
      const double y = with.norm ? x[i] / root * of.norm[i] : x[i];
      const double exact = with.scale * y + (with.residual ? of.residual[row * of.n + i] : 0.0);
      ASSERT_NEAR(out[row * of.n + i], exact, 4e-6) << "row " << row << ", " << i;
    }
  }
}

TEST(NormedSum, IsTheResidualAndTheScaledNorm) {
  for_each_instruction_set([](const char*) {
    for (const int64_t n : {8, 64, 576, 645}) {
      expect_right(sums(n, 5), {});
      expect_right(sums(n, 5), {.residual = false});
      expect_right(sums(n, 5), {.norm = false, .scale = 0.22F});
      expect_right(sums(n, 5), {.scale = 0.22F});
    }
  });
}

TEST(NormedSum, OfARowDependsOnNoOtherRow) {
  const Sums all = sums(640, 300);
  ThreadPool pool(2);
  const std::vector<float> together = computed(all, {}, &pool);
  for (const int64_t row : {0, 150, 299}) {
    Sums one = all;
    one.n_rows = 1;
    one.x.assign(all.x.begin() + row * (all.n + 3), all.x.begin() + (row + 1) * (all.n + 3));
    one.residual.assign(all.residual.begin() + row * all.n, all.residual.begin() + (row + 1) * all.n);
    const std::vector<float> alone = computed(one, {});
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + row * all.n)) << "row " << row;
  }
}

}  // namespace
}  // namespace lanerope::kernels
