// SPDX-License-Identifier: Apache-2.0
#include "gguf/finite.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lanerope::gguf {
namespace {

class Finite : public testing::TestWithParam<ggml_type> {};

// ggml quantises ordinary numbers, and each byte pair of the first block is then made an f16 NaN in turn.
// ggml's own decoder says whether that shows: where a decoded number is not finite, all_finite must say so,
// and nowhere else.
TEST_P(Finite, AgreesWithTheDecodedNumbers) {
  const ggml_type type = GetParam();
  constexpr int64_t n = 1024;
  std::vector<float> values(n);
  for (int64_t i = 0; i < n; ++i) values[i] = std::sin(static_cast<float>(i));
  const std::vector<float> importance(n, 1.0F);
  std::vector<std::byte> data(ggml_row_size(type, n));
  ggml_quantize_chunk(type, values.data(), data.data(), 0, 1, n, importance.data());

  TensorInfo tensor{.name = "w", .type = type, .ne = {n, 1, 1, 1}, .data = data.data(), .bytes = data.size()};
  EXPECT_TRUE(all_finite(tensor));

  const size_t block = ggml_type_size(type);
  int found = 0;
  for (size_t at = block; at + 1 < 2 * block; at += 2) {
    const std::vector<std::byte> intact = data;
    data[at] = std::byte{0};
    data[at + 1] = std::byte{0x7e};
    ggml_get_type_traits(type)->to_float(data.data(), values.data(), n);
    bool decoded = true;
    for (const float value : values) decoded = decoded && std::isfinite(value);
    if (!decoded) {
      EXPECT_FALSE(all_finite(tensor)) << at - block;
      ++found;
    }
    data = intact;
    tensor.data = data.data();
  }
  EXPECT_GT(found, 0) << "no scale was hit";
}

INSTANTIATE_TEST_SUITE_P(Types, Finite,
                         testing::Values(GGML_TYPE_F16, GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0,
                                         GGML_TYPE_Q5_1, GGML_TYPE_Q8_0, GGML_TYPE_Q2_K, GGML_TYPE_Q3_K,
                                         GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K, GGML_TYPE_IQ4_NL,
                                         GGML_TYPE_IQ4_XS, GGML_TYPE_TQ1_0, GGML_TYPE_TQ2_0, GGML_TYPE_IQ3_S,
                                         GGML_TYPE_IQ2_XXS),
                         [](const auto& param_info) {
                           return std::string(ggml_type_name(param_info.param));
                         });

TEST(AllFinite, SeesInfinityInPlainNumbers) {
  std::vector<float> values = {1, 2, 3};
  const TensorInfo tensor{.name = "w",
                          .type = GGML_TYPE_F32,
                          .ne = {3, 1, 1, 1},
                          .data = reinterpret_cast<const std::byte*>(values.data()),
                          .bytes = 12};
  EXPECT_TRUE(all_finite(tensor));
  values[2] = -INFINITY;
  EXPECT_FALSE(all_finite(tensor));
}

}  // namespace
}  // namespace lanerope::gguf
