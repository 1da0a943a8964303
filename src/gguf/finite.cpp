// SPDX-License-Identifier: Apache-2.0
#include "gguf/finite.h"

#include <cstring>
#include <optional>

namespace lanerope::gguf {

namespace {

// A type whose blocks hold `n_halves` f16 scales in a row, the first at `offset`.
struct HalfScales {
  ggml_type type;
  size_t offset;
  size_t n_halves;
};

constexpr HalfScales half_scales[] = {
    {GGML_TYPE_F16, 0, 1},    {GGML_TYPE_Q4_0, 0, 1},   {GGML_TYPE_Q4_1, 0, 2},    {GGML_TYPE_Q5_0, 0, 1},
    {GGML_TYPE_Q5_1, 0, 2},   {GGML_TYPE_Q8_0, 0, 1},   {GGML_TYPE_Q2_K, 80, 2},   {GGML_TYPE_Q3_K, 108, 1},
    {GGML_TYPE_Q4_K, 0, 2},   {GGML_TYPE_Q5_K, 0, 2},   {GGML_TYPE_Q6_K, 208, 1},  {GGML_TYPE_IQ2_XXS, 0, 1},
    {GGML_TYPE_IQ2_XS, 0, 1}, {GGML_TYPE_IQ2_S, 0, 1},  {GGML_TYPE_IQ3_XXS, 0, 1}, {GGML_TYPE_IQ3_S, 0, 1},
    {GGML_TYPE_IQ1_S, 0, 1},  {GGML_TYPE_IQ4_NL, 0, 1}, {GGML_TYPE_IQ4_XS, 0, 1},  {GGML_TYPE_TQ1_0, 52, 1},
    {GGML_TYPE_TQ2_0, 64, 1},
};

std::optional<HalfScales> find_half_scales(ggml_type type) {
  for (const HalfScales& entry : half_scales) {
    if (entry.type == type) return entry;
  }
  return std::nullopt;
}

// A floating-point number is infinite or NaN exactly when all bits of its exponent are set.
template <typename Bits>
bool words_finite(const TensorInfo& tensor, Bits exponent) {
  unsigned bad = 0;
  for (size_t at = 0; at < tensor.bytes; at += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, tensor.data + at, sizeof(bits));
    bad |= (bits & exponent) == exponent ? 1U : 0U;
  }
  return bad == 0;
}

bool scales_finite(const TensorInfo& tensor, const HalfScales& scales) {
  constexpr uint16_t exponent = 0x7c00;
  const size_t block = ggml_type_size(tensor.type);
  unsigned bad = 0;
  for (size_t at = scales.offset; at < tensor.bytes; at += block) {
    for (size_t i = 0; i < scales.n_halves; ++i) {
      uint16_t bits = 0;
      std::memcpy(&bits, tensor.data + at + i * sizeof(bits), sizeof(bits));
      bad |= (bits & exponent) == exponent ? 1U : 0U;
    }
  }
  return bad == 0;
}

}  // namespace

bool all_finite(const TensorInfo& tensor) {
  switch (tensor.type) {
    case GGML_TYPE_F32:
      return words_finite<uint32_t>(tensor, 0x7f800000U);
    case GGML_TYPE_BF16:
      return words_finite<uint16_t>(tensor, 0x7f80U);
    case GGML_TYPE_F64:
      return words_finite<uint64_t>(tensor, 0x7ff0000000000000U);
    case GGML_TYPE_I8:
    case GGML_TYPE_I16:
    case GGML_TYPE_I32:
    case GGML_TYPE_I64:
      return true;
    default:
      break;
  }
  if (const auto scales = find_half_scales(tensor.type)) return scales_finite(tensor, *scales);
  // Rarer types: ggml knows them, and also prints what it finds.
  return ggml_validate_row_data(tensor.type, tensor.data, tensor.bytes);
}

}  // namespace lanerope::gguf
