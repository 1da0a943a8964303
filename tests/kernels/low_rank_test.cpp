// SPDX-License-Identifier: Apache-2.0
#include "kernels/low_rank.h"

#include <cmath>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>
#include "kernels/product.h"
#include "kernels/thread_pool.h"
#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {
namespace {

FileMatrix matrix_of(ggml_type type, int64_t n_in, int64_t n_out, uint32_t seed) {
  return quantised(type, n_in, random_values(n_in * n_out, seed));
}

struct Correction {
  int32_t adapter;
  int32_t part;
  float scale;
  FileMatrix a;
  FileMatrix b;
};

// A product of two parts and the corrections of two adapters to it.
class LowRankProduct : public ::testing::TestWithParam<ggml_type> {
 protected:
  static constexpr int64_t n_in = 640;  // two chunks and a half
  static constexpr int64_t rows[2] = {100, 45};
  static constexpr int64_t n_out = rows[0] + rows[1];

  void add(int32_t adapter, int32_t part, int64_t rank, float scale) {
    const auto seed = static_cast<uint32_t>(corrections_.size() * 2 + 50);
    corrections_.push_back({adapter, part, scale, matrix_of(GetParam(), n_in, rank, seed),
                            matrix_of(GetParam(), rank, rows[part], seed + 1)});
  }

  void SetUp() override {
    const bool blocks = ggml_blck_size(GetParam()) > 1;  // B's rows are as long as the rank
    add(0, 0, blocks ? 32 : 16, 0.5F);
    add(0, 1, blocks ? 32 : 3, -2.0F);
    add(1, 1, blocks ? 64 : 24, 1.0F);
    std::vector<LowRank::Pair> pairs;
    for (const Correction& c : corrections_) {
      pairs.push_back({c.adapter,
                       c.part,
                       c.scale,
                       c.a.n_out,
                       {c.a.type, c.a.bytes.data()},
                       {c.b.type, c.b.bytes.data()}});
    }
    const PackedMatrix::Source sources[] = {{upper_.type, rows[0], upper_.bytes.data()},
                                            {lower_.type, rows[1], lower_.bytes.data()}};
    matrix_ = std::make_unique<PackedMatrix>(n_in, sources);
    low_rank_ = std::make_unique<LowRank>(*matrix_, pairs);
    norm_ = random_values(n_in, 30);
  }

  // [n_out, columns]; without scales, without corrections.
  std::vector<float> run(const std::vector<float>& x, const std::vector<float>& scales, int threads = 2,
                         Gating gating = Gating::none) {
    ThreadPool pool(threads);
    ProductParameters parameters(*matrix_);
    parameters.gating = gating;
    parameters.activations.pool = &pool;
    parameters.activations.low_rank = low_rank_.get();
    parameters.activations.norm_weight = norm_.data();
    parameters.activations.norm_epsilon = 1e-6F;
    const auto columns = static_cast<int64_t>(x.size()) / n_in;
    return run_graph(1, [&](ggml_context* context) {
      ggml_tensor* of_x = ggml_new_tensor_2d(context, GGML_TYPE_F32, n_in, columns);
      std::copy(x.begin(), x.end(), static_cast<float*>(of_x->data));
      ggml_tensor* of_scales = nullptr;
      if (!scales.empty()) {
        of_scales = ggml_new_tensor_2d(context, GGML_TYPE_F32, 2, columns);
        std::copy(scales.begin(), scales.end(), static_cast<float*>(of_scales->data));
      }
      return product(context, &parameters, {.x = of_x, .scales = of_scales});
    });
  }

  // s B (A N(x)) of one column in double precision, and the size of what is added up.
  std::vector<std::pair<double, double>> exact(const float* x, const float* scales) {
    double square = 0;
    for (int64_t i = 0; i < n_in; ++i) square += static_cast<double>(x[i]) * x[i];
    const double norm = 1 / std::sqrt(square / n_in + 1e-6);
    std::vector<std::pair<double, double>> y(n_out);
    for (const Correction& c : corrections_) {
      const double scale = static_cast<double>(c.scale) * scales[c.adapter];
      for (int64_t r = 0; r < c.a.n_out; ++r) {
        double low = 0;
        double size = 0;
        for (int64_t i = 0; i < n_in; ++i) {
          const double term = c.a.values[r * n_in + i] * (x[i] * norm * norm_[i]);
          low += term;
          size += std::abs(term);
        }
        for (int64_t row = 0; row < rows[c.part]; ++row) {
          auto& [sum, sizes] = y[row + (c.part == 1 ? rows[0] : 0)];
          sum += scale * low * c.b.values[row * c.b.n_in + r];
          sizes += std::abs(scale * size * c.b.values[row * c.b.n_in + r]);
        }
      }
    }
    return y;
  }

  FileMatrix upper_ = quantised(GGML_TYPE_Q8_0, n_in, random_values(n_in* rows[0], 1));
  FileMatrix lower_ = quantised(GGML_TYPE_Q4_0, n_in, random_values(n_in* rows[1], 2));
  std::vector<Correction> corrections_;
  std::unique_ptr<PackedMatrix> matrix_;
  std::unique_ptr<LowRank> low_rank_;
  std::vector<float> norm_;
};

INSTANTIATE_TEST_SUITE_P(Types, LowRankProduct,
                         ::testing::Values(GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0),
                         [](const auto& of) { return std::string(ggml_type_name(of.param)); });

// For column c of any number: adapter 0, adapter 1, both, none.
std::vector<float> mixed_scales(int64_t columns) {
  std::vector<float> scales;
  for (int64_t c = 0; c < columns; ++c) {
    scales.push_back(c % 4 == 1 || c % 4 == 3 ? 0.0F : 1.0F + 0.25F * static_cast<float>(c % 3));
    scales.push_back(c % 4 == 0 || c % 4 == 3 ? 0.0F : -0.5F);
  }
  return scales;
}

TEST_P(LowRankProduct, AddsWhatTheFormulaSays) {
  for (const int64_t columns : {1, 5, 8, 21, 70}) {
    const std::vector<float> x = random_values(n_in * columns, 3);
    const std::vector<float> scales = mixed_scales(columns);
    for_each_instruction_set([&](const char*) {
      const std::vector<float> without = run(x, {});
      const std::vector<float> with = run(x, scales);
      for (int64_t c = 0; c < columns; ++c) {
        const auto expected = exact(x.data() + c * n_in, scales.data() + 2 * c);
        for (int64_t row = 0; row < n_out; ++row) {
          const double plain = without[c * n_out + row];
          ASSERT_NEAR(with[c * n_out + row], plain + expected[row].first,
                      2e-6 * (expected[row].second + std::abs(plain)))
              << "row " << row << ", column " << c;
        }
      }
    });
  }
}

TEST_P(LowRankProduct, OfAColumnDoesNotDependOnTheOthersNorOnThreads) {
  const int64_t columns = 67;
  const std::vector<float> x = random_values(n_in * columns, 4);
  const std::vector<float> scales = mixed_scales(columns);
  for_each_instruction_set([&](const char*) {
    const std::vector<float> all = run(x, scales);
    for (const int threads : {1, 3}) EXPECT_EQ(run(x, scales, threads), all);
    for (const int64_t c : {0, 1, 2, 3, 9, 30, 66}) {
      const std::vector<float> alone = run({x.begin() + c * n_in, x.begin() + (c + 1) * n_in},
                                           {scales.begin() + 2 * c, scales.begin() + 2 * c + 2});
      EXPECT_EQ(alone, std::vector<float>(all.begin() + c * n_out, all.begin() + (c + 1) * n_out))
          << "column " << c;
    }
  });
}

TEST_P(LowRankProduct, LeavesColumnsAloneWhoseAdaptersAreOff) {
  const int64_t columns = 11;
  const std::vector<float> x = random_values(n_in * columns, 5);
  const std::vector<float> without = run(x, {});
  const std::vector<float> with = run(x, mixed_scales(columns));
  for (const int64_t c : {3, 7}) {
    EXPECT_EQ(std::memcmp(with.data() + c * n_out, without.data() + c * n_out, n_out * sizeof(float)), 0);
  }
}

}  // namespace
}  // namespace lanerope::kernels
