// SPDX-License-Identifier: Apache-2.0
// Every type of weights that ggml has, against its own conversion to floats, in double precision.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include "kernels/product.h"
#include "kernels/thread_pool.h"
#include "tests/kernels/random_blocks.h"

namespace lanerope::kernels {
namespace {

std::vector<ggml_type> quantised_types() {
  std::vector<ggml_type> types;
  for (int t = 0; t < GGML_TYPE_COUNT; ++t) {
    const auto type = static_cast<ggml_type>(t);
    if (ggml_blck_size(type) > 1 && ggml_get_type_traits(type)->to_float != nullptr) types.push_back(type);
  }
  return types;
}

struct Columns {
  std::vector<std::byte> prepared;
  std::vector<double> values;  // [n_in, n] what the prepared columns stand for
  int64_t n = 0;
};

// Reads back what prepare_activations() wrote, by the layout that activations.h describes.
Columns prepare(const ProductParameters& parameters, const std::vector<float>& x) {
  const int64_t n_in = parameters.matrix->n_in();
  const auto n = static_cast<int64_t>(x.size()) / n_in;
  const ActivationLayout layout(parameters.matrix->form(), n_in);
  Columns columns{std::vector<std::byte>(layout.column_bytes() * n), std::vector<double>(n_in * n), n};
  prepare_activations(parameters.activations, {.x = x.data(),
                                               .n_in = n_in,
                                               .n_columns = n,
                                               .column_stride = n_in,
                                               .prepared = columns.prepared.data()});
  for (int64_t c = 0; c < n; ++c) {
    const int64_t panel = c / layout.panel_columns() * layout.panel_columns();
    const int64_t width = std::min<int64_t>(layout.panel_columns(), n - panel);
    const std::byte* base = columns.prepared.data() + panel * layout.column_bytes();
    const std::byte* quants = base + (c - panel) * layout.values_bytes();
    const auto* scales = reinterpret_cast<const float*>(base + layout.scales() * width);
    for (int64_t i = 0; i < n_in; ++i) {
      double& value = columns.values[c * n_in + i];
      if (layout.form == ActivationForm::f32) {
        value = reinterpret_cast<const float*>(base)[i * width + c - panel];
      } else {
        value = static_cast<double>(scales[i / layout.block() * width + c - panel]) *
                static_cast<int8_t>(quants[i]);
      }
    }
  }
  return columns;
}

std::vector<float> run(const ProductParameters& parameters, const Columns& columns) {
  std::vector<float> y(parameters.n_out() * columns.n, NAN);
  product(parameters, {.prepared = columns.prepared.data(),
                       .n_columns = columns.n,
                       .y = y.data(),
                       .column_stride = parameters.n_out()});
  return y;
}

// Sums of floats in any order: a few roundings of the sum of magnitudes.
void expect_products(const FileMatrix& matrix, const Columns& columns, const std::vector<float>& y) {
  for (int64_t c = 0; c < columns.n; ++c) {
    for (int64_t row = 0; row < matrix.n_out; ++row) {
      double exact = 0;
      double size = 0;
      for (int64_t i = 0; i < matrix.n_in; ++i) {
        const double term =
            static_cast<double>(matrix.values[row * matrix.n_in + i]) * columns.values[c * matrix.n_in + i];
        exact += term;
        size += std::abs(term);
      }
      ASSERT_NEAR(y[c * matrix.n_out + row], exact, size * 2e-6 + 1e-30) << "row " << row << ", column " << c;
    }
  }
}

PackedMatrix packed(const FileMatrix& matrix, PackedMatrix::Form form = PackedMatrix::Form::best) {
  const PackedMatrix::Source source{matrix.type, matrix.n_out, matrix.bytes.data(), form};
  return PackedMatrix(matrix.n_in, {&source, 1});
}

class WeightType : public ::testing::TestWithParam<ggml_type> {
 protected:
  ggml_type type() const { return GetParam(); }
  int64_t block() const { return ggml_blck_size(type()); }
};

INSTANTIATE_TEST_SUITE_P(All, WeightType, ::testing::ValuesIn(quantised_types()),
                         [](const auto& of) { return std::string(ggml_type_name(of.param)); });

TEST_P(WeightType, IsSupported) {
  EXPECT_TRUE(PackedMatrix::supports(type(), block()));
  EXPECT_TRUE(PackedMatrix::supports(type(), 7 * block()));
  EXPECT_EQ(PackedMatrix::supports(type(), block() / 2), false);
}

TEST_P(WeightType, GivesWhatGgmlsValuesGive) {
  for (const int64_t blocks : {1, 2, 3, 7}) {
    for (const int64_t n_out : {1, 31, 33, 70}) {
      const FileMatrix matrix =
          random_blocks(type(), {.n_in = blocks * block(), .n_out = n_out}, 100 * blocks);
      const PackedMatrix w = packed(matrix);
      const ProductParameters parameters(w);
      const std::vector<float> x = random_values(matrix.n_in * 11, 7);
      for_each_instruction_set([&](const char*) {
        const Columns columns = prepare(parameters, x);
        expect_products(matrix, columns, run(parameters, columns));
      });
    }
  }
}

TEST_P(WeightType, GivesThatForMatricesOfZerosToo) {
  FileMatrix matrix = random_blocks(type(), {.n_in = 2 * block(), .n_out = 5}, 3);
  std::ranges::fill(matrix.bytes, std::byte{0});
  const size_t row_bytes = ggml_row_size(type(), matrix.n_in);
  for (int64_t row = 0; row < matrix.n_out; ++row) {
    ggml_get_type_traits(type())->to_float(matrix.bytes.data() + row * row_bytes,
                                           matrix.values.data() + row * matrix.n_in, matrix.n_in);
  }
  const PackedMatrix w = packed(matrix);
  const ProductParameters parameters(w);
  const Columns columns = prepare(parameters, random_values(matrix.n_in * 3, 8));
  expect_products(matrix, columns, run(parameters, columns));
}

TEST_P(WeightType, GivesThatWhenKeptAsInTheFile) {
  const FileMatrix matrix = random_blocks(type(), {.n_in = 5 * block(), .n_out = 43}, 11);
  const PackedMatrix w = packed(matrix, PackedMatrix::Form::as_in_file);
  EXPECT_EQ(w.bytes(), matrix.bytes.size() / 43 * 64);
  const ProductParameters parameters(w);
  for_each_instruction_set([&](const char*) {
    const Columns columns = prepare(parameters, random_values(matrix.n_in * 10, 9));
    expect_products(matrix, columns, run(parameters, columns));
  });
}

TEST_P(WeightType, DoesNotDependOnTheOtherColumns) {
  for (const auto form : {PackedMatrix::Form::best, PackedMatrix::Form::as_in_file}) {
    const FileMatrix matrix = random_blocks(type(), {.n_in = 3 * block(), .n_out = 50}, 12);
    const PackedMatrix w = packed(matrix, form);
    const ProductParameters parameters(w);
    const std::vector<float> x = random_values(matrix.n_in * 75, 13);
    for_each_instruction_set([&](const char*) {
      const std::vector<float> all = run(parameters, prepare(parameters, x));
      for (const int64_t columns : {1, 2, 3, 7, 8, 9, 31, 33, 64, 65}) {
        const std::vector<float> some(x.end() - columns * matrix.n_in, x.end());
        const std::vector<float> expected(all.end() - columns * matrix.n_out, all.end());
        EXPECT_EQ(run(parameters, prepare(parameters, some)), expected) << columns << " columns";
      }
    });
  }
}

// Types of one to three bits become places in lists of 16 values, see tile_format.h.
TEST_P(WeightType, TakesHardlyMoreMemoryThanTheFileFromFourBitsOn) {
  const FileMatrix matrix = random_blocks(type(), {.n_in = 1536, .n_out = 256}, 14);
  const double bits = 8.0 * static_cast<double>(packed(matrix).bytes()) / (1536 * 256);
  const double of_file = 8.0 * static_cast<double>(matrix.bytes.size()) / (1536 * 256);
  const bool own_form = type() == GGML_TYPE_Q2_K || type() == GGML_TYPE_Q3_K;
  EXPECT_LE(bits, of_file > 4 || own_form ? of_file * 1.12 : 4.7);
}

}  // namespace
}  // namespace lanerope::kernels
