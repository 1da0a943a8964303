// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/random_blocks.h"

#include <cstring>
#include <random>
#include <vector>

namespace lanerope::kernels {
namespace {

// Where the f16 numbers of a block are, by ggml's definitions of blocks.
std::vector<size_t> half_offsets(ggml_type type) {
  switch (type) {
    case GGML_TYPE_Q4_1:
    case GGML_TYPE_Q5_1:
    case GGML_TYPE_Q4_K:
    case GGML_TYPE_Q5_K:
      return {0, 2};
    case GGML_TYPE_Q2_K:
      return {80, 82};
    case GGML_TYPE_Q3_K:
      return {108};
    case GGML_TYPE_Q6_K:
      return {208};
    case GGML_TYPE_TQ1_0:
      return {52};
    case GGML_TYPE_TQ2_0:
      return {64};
    case GGML_TYPE_MXFP4:
    case GGML_TYPE_NVFP4:
    case GGML_TYPE_IQ1_M:
      return {};
    default:
      return {0};
  }
}

}  // namespace

FileMatrix random_blocks(ggml_type type, BlocksShape shape, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.1F);
  const size_t row_bytes = ggml_row_size(type, shape.n_in);
  FileMatrix matrix{type, shape.n_in, shape.n_out, std::vector<std::byte>(row_bytes * shape.n_out),
                    std::vector<float>(shape.n_in * shape.n_out)};
  for (std::byte& b : matrix.bytes) b = static_cast<std::byte>(random());
  const auto write_half = [&](std::byte* at) {
    const ggml_fp16_t value = ggml_fp32_to_fp16(normal(random));
    std::memcpy(at, &value, sizeof(value));
    return value;
  };
  for (size_t at = 0; at < matrix.bytes.size(); at += ggml_type_size(type)) {
    std::byte* block = matrix.bytes.data() + at;
    for (const size_t offset : half_offsets(type)) write_half(block + offset);
    if (type == GGML_TYPE_MXFP4)
      block[0] = static_cast<std::byte>(random() % 8 == 0 ? 0 : 115 + random() % 16);
    if (type == GGML_TYPE_NVFP4) {
      for (int b = 0; b < 4; ++b) block[b] = static_cast<std::byte>(random() % 0x7F);
    }
    if (type == GGML_TYPE_IQ1_M) {  // its scale lies in the upper nibbles of four words
      std::byte half[2];
      write_half(half);
      for (int i = 0; i < 4; ++i) {
        const auto nibble = static_cast<unsigned>(half[i / 2]) >> i % 2 * 4 & 15U;
        std::byte& upper = block[48 + 2 * i + 1];
        upper = static_cast<std::byte>((static_cast<unsigned>(upper) & 15U) | nibble << 4);
      }
    }
  }
  for (int64_t row = 0; row < shape.n_out; ++row) {
    ggml_get_type_traits(type)->to_float(matrix.bytes.data() + row * row_bytes,
                                         matrix.values.data() + row * shape.n_in, shape.n_in);
  }
  return matrix;
}

}  // namespace lanerope::kernels
