// SPDX-License-Identifier: Apache-2.0
#include "kernels/soft_cap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {
namespace {

void expect_right(SoftCap with, int64_t n, int64_t n_rows) {
  ThreadPool pool(2);
  with.pool = &pool;
  const std::vector<float> x = random_values(n * n_rows, 1, 20);
  const std::vector<float> y = run_graph(1, [&](ggml_context* context) {
    ggml_tensor* columns = ggml_new_tensor_2d(context, GGML_TYPE_F32, n, n_rows);
    std::ranges::copy(x, static_cast<float*>(columns->data));
    return soft_cap(context, &with, columns);
  });
  ASSERT_EQ(y.size(), x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double scaled = static_cast<double>(x[i]) * with.scale;
    const double exact = with.cap > 0 ? with.cap * std::tanh(scaled / with.cap) : scaled;
    ASSERT_NEAR(y[i], exact, 2e-5) << i;
  }
}

TEST(SoftCap, IsCapTimesTheHyperbolicTangent) {
  for_each_instruction_set([](const char*) {
    expect_right({.cap = 30}, 9'001, 2);
    expect_right({.cap = 30}, 70'003, 3);  // on all threads
    expect_right({.cap = 50, .scale = 0.125F}, 260, 1);
  });
}

TEST(SoftCap, WithoutACapScales) {
  for_each_instruction_set([](const char*) { expect_right({.scale = 0.125F}, 9'001, 2); });
}

}  // namespace
}  // namespace lanerope::kernels
