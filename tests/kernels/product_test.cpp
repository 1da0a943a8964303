// SPDX-License-Identifier: Apache-2.0
#include "kernels/product.h"

#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "kernels/thread_pool.h"
#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {
namespace {

// W x by the kernel, called as `n_threads` threads of a graph would.
std::vector<float> kernel_product(const ProductParameters& parameters, const std::vector<float>& x,
                                  int n_threads = 1) {
  const int64_t n_in = parameters.matrix->n_in();
  const auto n_columns = static_cast<int64_t>(x.size()) / n_in;
  std::vector<float> y(parameters.n_out() * n_columns, NAN);
  const ActivationLayout layout(parameters.matrix->form(), n_in);
  std::vector<std::byte> prepared(layout.column_bytes() * n_columns);
  const auto run = [&](auto work) {
    std::vector<std::thread> threads;
    for (int t = 0; t < n_threads; ++t) threads.emplace_back(work, t);
    for (std::thread& thread : threads) thread.join();
  };
  run([&](int t) {
    prepare_activations(parameters.activations, {.x = x.data(),
                                                 .n_in = n_in,
                                                 .n_columns = n_columns,
                                                 .column_stride = n_in,
                                                 .prepared = prepared.data(),
                                                 .thread = t,
                                                 .n_threads = n_threads});
  });
  run([&](int) {
    product(parameters, {.prepared = prepared.data(),
                         .n_columns = n_columns,
                         .y = y.data(),
                         .column_stride = parameters.n_out(),
                         .n_threads = n_threads});
  });
  return y;
}

PackedMatrix packed(const FileMatrix& matrix) {
  return PackedMatrix::pack(matrix.type, matrix.n_in, matrix.n_out, matrix.bytes.data());
}

class Product : public ::testing::TestWithParam<ggml_type> {
 protected:
  ggml_type type() const { return GetParam(); }
  int64_t block() const { return ggml_blck_size(type()); }

  // Our error is no larger than ggml's for the same file and the same columns.
  void expect_as_exact_as_ggml(const FileMatrix& matrix, const std::vector<float>& x) {
    const std::vector<double> exact = exact_product(matrix, x);
    const double theirs = root_mean_square(exact, ggml_product(matrix, x));
    double size = 0;
    for (double v : exact) size = std::max(size, std::abs(v));
    const PackedMatrix w = packed(matrix);
    const ProductParameters parameters(w);
    for_each_instruction_set([&](const char*) {
      const double ours = root_mean_square(exact, kernel_product(parameters, x));
      // ggml keeps sums of columns in f16, which extreme ones overflow.
      if (std::isfinite(theirs)) {
        EXPECT_LE(ours, theirs * 1.02 + size * 1e-6);
      } else {
        EXPECT_LE(ours, size * 0.01);
      }
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Types, Product,
                         ::testing::Values(GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0, GGML_TYPE_Q5_1,
                                           GGML_TYPE_Q8_0, GGML_TYPE_IQ4_NL, GGML_TYPE_MXFP4, GGML_TYPE_Q2_K,
                                           GGML_TYPE_Q3_K, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K,
                                           GGML_TYPE_IQ4_XS, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_F32),
                         [](const auto& of) { return std::string(ggml_type_name(of.param)); });

TEST_P(Product, IsAsExactAsGgmlOnRandomValues) {
  const int64_t n_in = block() * 8 > 2000 ? 2048 : block() * 37;
  expect_as_exact_as_ggml(quantised(type(), n_in, random_values(n_in * 70, 1)), random_values(n_in * 9, 2));
}

TEST_P(Product, IsAsExactAsGgmlForEveryNumberOfBlocks) {
  for (int64_t blocks = 1; blocks <= 5; ++blocks) {
    const int64_t n_in = blocks * block();
    expect_as_exact_as_ggml(quantised(type(), n_in, random_values(n_in * 33, 3)), random_values(n_in * 3, 4));
  }
}

TEST_P(Product, IsAsExactAsGgmlOnExtremeValues) {
  const int64_t n_in = block() == 1 ? 301 : block() * 3;
  std::mt19937 random(5);
  const float extremes[] = {0.0F, -0.0F, 1e-40F, -1e-42F, 65504.0F, -65504.0F, 6e-8F, 1.0F};
  for (int round = 0; round < 8; ++round) {
    std::vector<float> weights = random_values(n_in * 19, 100 + round);
    std::vector<float> x = random_values(n_in * 5, 200 + round);
    for (float& v : weights) {
      if (random() % 4 == 0) v = extremes[random() % std::size(extremes)];
    }
    for (float& v : x) {
      if (random() % 4 == 0) v = extremes[random() % std::size(extremes)];
    }
    std::fill_n(weights.begin(), n_in, 0.0F);  // a row of zero scales
    std::fill_n(x.begin(), n_in, 1e-40F);      // a column of denormals
    std::fill_n(x.begin() + n_in, n_in, 0.0F);
    expect_as_exact_as_ggml(quantised(type(), n_in, weights), x);
  }
}

TEST_P(Product, DoesNotDependOnTheOtherColumnsNorOnThreads) {
  const int64_t n_in = block() == 1 ? 333 : block() * 3;
  const FileMatrix matrix = quantised(type(), n_in, random_values(n_in * 75, 6));
  const PackedMatrix w = packed(matrix);
  const ProductParameters parameters(w);
  const std::vector<float> x = random_values(n_in * 133, 7);
  for_each_instruction_set([&](const char*) {
    const std::vector<float> all = kernel_product(parameters, x);
    for (int64_t columns = 1; columns <= 70; columns += columns < 20 ? 1 : 6) {
      const std::vector<float> some(x.end() - columns * n_in, x.end());
      const std::vector<float> expected(all.end() - columns * matrix.n_out, all.end());
      EXPECT_EQ(kernel_product(parameters, some), expected) << columns << " columns";
    }
    for (int threads : {2, 3, 7})
      EXPECT_EQ(kernel_product(parameters, x, threads), all) << threads << " threads";
  });
}

TEST_P(Product, TakesHardlyMoreMemoryThanTheFile) {
  const int64_t n_in = 1536;
  const FileMatrix matrix = quantised(type(), n_in, random_values(n_in * 256, 8));
  EXPECT_LE(packed(matrix).bytes(), matrix.bytes.size() * 11 / 10);
}

TEST_P(Product, IsPackedAlikeByAnyNumberOfThreads) {
  const int64_t n_in = block() == 1 ? 333 : block() * 3;
  const FileMatrix matrix = quantised(type(), n_in, random_values(n_in * 300, 6));
  const PackedMatrix::Source source{matrix.type, matrix.n_out, matrix.bytes.data()};
  ThreadPool pool(3);
  const PackedMatrix by_several(n_in, {&source, 1}, &pool);
  const PackedMatrix by_one = packed(matrix);
  ASSERT_EQ(by_several.bytes(), by_one.bytes());
  const auto tiles = [](const PackedMatrix& w) { return w.tile(w.parts().front(), 0); };
  EXPECT_EQ(std::memcmp(tiles(by_several), tiles(by_one), by_one.bytes()), 0);
}

TEST_P(Product, RunsInAGraph) {
  const int64_t n_in = block() * 2;
  const FileMatrix matrix = quantised(type(), n_in, random_values(n_in * 75, 9));
  const std::vector<float> x = random_values(n_in * 11, 10);
  const PackedMatrix w = packed(matrix);
  const ProductParameters parameters(w);
  for_each_instruction_set([&](const char*) {
    const std::vector<float> y = run_graph(2, [&](ggml_context* context) {
      ggml_tensor* columns = ggml_new_tensor_2d(context, GGML_TYPE_F32, n_in, 11);
      std::copy(x.begin(), x.end(), static_cast<float*>(columns->data));
      return product(context, &parameters, {.x = columns});
    });
    EXPECT_EQ(y, kernel_product(parameters, x));
  });
}

TEST_P(Product, RunsOnAPoolAndAddsAResidual) {
  const int64_t n_in = block() == 1 ? 4096 : block() * 16;
  const FileMatrix matrix = quantised(type(), n_in, random_values(n_in * 75, 9));
  const std::vector<float> x = random_values(n_in * 70, 10);
  const std::vector<float> residual = random_values(75 * 70, 11);
  const PackedMatrix w = packed(matrix);
  ThreadPool pool(3);
  ProductParameters parameters(w);
  for_each_instruction_set([&](const char*) {
    parameters.activations.pool = nullptr;
    const std::vector<float> expected = kernel_product(parameters, x);
    parameters.activations.pool = &pool;
    const std::vector<float> y = run_graph(1, [&](ggml_context* context) {
      ggml_tensor* columns = ggml_new_tensor_2d(context, GGML_TYPE_F32, n_in, 70);
      std::copy(x.begin(), x.end(), static_cast<float*>(columns->data));
      ggml_tensor* added = ggml_new_tensor_2d(context, GGML_TYPE_F32, 75, 70);
      std::copy(residual.begin(), residual.end(), static_cast<float*>(added->data));
      return product(context, &parameters, {.x = columns, .residual = added});
    });
    for (size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], expected[i] + residual[i]);
  });
}

TEST(JoinedProduct, IsTheProductsOneBelowTheOther) {
  const int64_t n_in = 512;
  const FileMatrix q = quantised(GGML_TYPE_Q4_K, n_in, random_values(n_in * 100, 11));
  const FileMatrix v = quantised(GGML_TYPE_Q6_K, n_in, random_values(n_in * 40, 12));
  const std::vector<float> x = random_values(n_in * 3, 13);
  const std::vector<float> bias = random_values(140, 14);
  const PackedMatrix::Source sources[] = {{q.type, q.n_out, q.bytes.data()},
                                          {v.type, v.n_out, v.bytes.data()}};
  const PackedMatrix joined(n_in, sources);
  const PackedMatrix first = packed(q);
  const PackedMatrix second = packed(v);
  ProductParameters parameters(joined);
  parameters.bias = bias.data();
  for_each_instruction_set([&](const char*) {
    const std::vector<float> y = kernel_product(parameters, x);
    const std::vector<float> upper = kernel_product(ProductParameters(first), x);
    const std::vector<float> lower = kernel_product(ProductParameters(second), x);
    for (int c = 0; c < 3; ++c) {
      for (int row = 0; row < 140; ++row) {
        const float expected = row < 100 ? upper[c * 100 + row] : lower[c * 40 + row - 100];
        EXPECT_EQ(y[c * 140 + row], expected + bias[row]);
      }
    }
  });
}

TEST(JoinedProduct, IsRefusedForTypesThatWantOtherColumns) {
  EXPECT_TRUE(PackedMatrix::joins(GGML_TYPE_Q4_K, GGML_TYPE_Q6_K));
  EXPECT_TRUE(PackedMatrix::joins(GGML_TYPE_Q4_0, GGML_TYPE_Q8_0));
  EXPECT_FALSE(PackedMatrix::joins(GGML_TYPE_Q4_0, GGML_TYPE_Q6_K));
  EXPECT_TRUE(PackedMatrix::joins(GGML_TYPE_Q5_0, GGML_TYPE_Q8_0));
  EXPECT_FALSE(PackedMatrix::supports(GGML_TYPE_I32, 256));
  EXPECT_FALSE(PackedMatrix::supports(GGML_TYPE_Q4_K, 128));
}

TEST(GatedProduct, GatesTheSecondPartWithTheFirst) {
  const int64_t n_in = 256;
  const int64_t n_out = 70;
  const FileMatrix gate = quantised(GGML_TYPE_Q4_K, n_in, random_values(n_in * n_out, 15));
  const FileMatrix up = quantised(GGML_TYPE_Q4_K, n_in, random_values(n_in * n_out, 16));
  const std::vector<float> x = random_values(n_in * 9, 17);
  const PackedMatrix::Source sources[] = {{gate.type, n_out, gate.bytes.data()},
                                          {up.type, n_out, up.bytes.data()}};
  const PackedMatrix joined(n_in, sources);
  ProductParameters both(joined);
  for_each_instruction_set([&](const char*) {
    both.gating = Gating::none;
    const std::vector<float> plain = kernel_product(both, x);
    for (const Gating gating : {Gating::silu, Gating::gelu}) {
      both.gating = gating;
      const std::vector<float> y = kernel_product(both, x, 2);
      for (int64_t c = 0; c < 9; ++c) {
        for (int64_t row = 0; row < n_out; ++row) {
          const double g = plain[c * 2 * n_out + row];
          const double silu = g / (1 + std::exp(-g));
          const double gelu =
              g / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (g + 0.044715 * g * g * g)));
          const double expected = (gating == Gating::silu ? silu : gelu) * plain[c * 2 * n_out + n_out + row];
          EXPECT_NEAR(y[c * n_out + row], expected, std::abs(expected) * 2e-6 + 1e-6);
        }
      }
    }
  });
}

TEST(NormedColumns, AreNormedBeforeTheyAreQuantised) {
  const int64_t n_in = 512;
  const FileMatrix matrix = quantised(GGML_TYPE_Q4_K, n_in, random_values(n_in * 50, 18));
  const std::vector<float> x = random_values(n_in * 4, 19, 30);
  const std::vector<float> weight = random_values(n_in, 20);
  std::vector<float> normed = x;
  for (int c = 0; c < 4; ++c) {
    double sum = 0;
    for (int64_t i = 0; i < n_in; ++i) sum += static_cast<double>(x[c * n_in + i]) * x[c * n_in + i];
    const double scale = 1 / std::sqrt(sum / n_in + 1e-6);
    for (int64_t i = 0; i < n_in; ++i)
      normed[c * n_in + i] = static_cast<float>(x[c * n_in + i] * scale * weight[i]);
  }
  const PackedMatrix w = packed(matrix);
  ProductParameters parameters(w);
  parameters.activations.norm_weight = weight.data();
  parameters.activations.norm_epsilon = 1e-6F;
  for_each_instruction_set([&](const char*) {
    const std::vector<float> expected = kernel_product(ProductParameters(w), normed);
    const std::vector<float> y = kernel_product(parameters, x, 2);
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      difference += std::pow(y[i] - expected[i], 2);
      size += std::pow(expected[i], 2);
    }
    EXPECT_LT(std::sqrt(difference / size), 1e-3);  // a quant may round the other way
  });
}

}  // namespace
}  // namespace lanerope::kernels
