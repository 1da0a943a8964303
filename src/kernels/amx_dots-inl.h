// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set by amx_tile-inl.h; see Highway's foreach_target.h. AMX: a thread's
// registers, and dot products of 16 rows of weights with sixteen columns or eight.
#if defined(LANEROPE_AMX_DOTS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_AMX_DOTS_INL
#undef LANEROPE_AMX_DOTS_INL
#else
#define LANEROPE_AMX_DOTS_INL
#endif

#include "kernels/integer_vectors-inl.h"

#if HWY_TARGET == HWY_AVX3_DL
HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// Its registers, each of up to 16 rows of 64 bytes, as they are used here. Of sixteen columns: 0 and 1 are
// dot products [16 rows of weights, columns], 4 and 5 are columns i8 [inputs, columns]. Of eight: 2 and 3 are
// the same. 6 and 7 are weights [4, 16 rows, inputs / 4], i8 or u8.
struct alignas(64) AmxShape {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  explicit AmxShape(int inputs) {
    const auto set = [this](int from, int to, int n_rows, int bytes) {
      for (int i = from; i < to; ++i) {
        rows[i] = static_cast<uint8_t>(n_rows);
        row_bytes[i] = static_cast<uint16_t>(bytes);
      }
    };
    set(0, 2, 16, 64);
    set(2, 3, 8, 64);
    set(3, 4, 8, inputs);
    set(4, 6, 16, inputs);
    set(6, 8, inputs / 4, 64);
  }
};

// The registers of this thread, which are given back in the end: while they are in use, each change of
// threads saves them.
class AmxRegisters {
 public:
  explicit AmxRegisters(const AmxShape& shape) { asm volatile("ldtilecfg %0" ::"m"(shape)); }
  AmxRegisters(const AmxRegisters&) = delete;
  AmxRegisters& operator=(const AmxRegisters&) = delete;
  ~AmxRegisters() { asm volatile("tilerelease"); }
};

// Dot products of 16 rows: [16 rows, columns].
struct alignas(64) AmxDots {
  int32_t of[16][16];
};

// Where a step finds its operands: columns i8, a stride in bytes apart, and weights [4, tile_rows, inputs
// / 4], from the first of 16 rows on.
struct AmxStep {
  const std::byte* columns;
  int64_t stride;
  const uint8_t* weights;
};

// The dot products of one step with weights i8, of sixteen columns. Steps take turns with the registers.
template <int turn>
HWY_INLINE void amx_dots(AmxStep step, AmxDots* dots) {
  constexpr int64_t dot_stride = 64;
  constexpr int64_t weight_stride = 4 * tile_rows;
  if constexpr (turn == 0) {
    asm volatile(
        "tilezero %%tmm0\n\t"
        "tileloadd (%0,%1,1), %%tmm4\n\t"
        "tileloadd (%2,%3,1), %%tmm6\n\t"
        "tdpbssd %%tmm6, %%tmm4, %%tmm0\n\t"
        "tilestored %%tmm0, (%4,%5,1)"
        :
        : "r"(step.columns), "r"(step.stride), "r"(step.weights), "r"(weight_stride), "r"(dots->of),
          "r"(dot_stride)
        : "memory");
  } else {
    asm volatile(
        "tilezero %%tmm1\n\t"
        "tileloadd (%0,%1,1), %%tmm5\n\t"
        "tileloadd (%2,%3,1), %%tmm7\n\t"
        "tdpbssd %%tmm7, %%tmm5, %%tmm1\n\t"
        "tilestored %%tmm1, (%4,%5,1)"
        :
        : "r"(step.columns), "r"(step.stride), "r"(step.weights), "r"(weight_stride), "r"(dots->of),
          "r"(dot_stride)
        : "memory");
  }
}

// The same of eight columns.
HWY_INLINE void amx_dots_of_eight(AmxStep step, AmxDots* dots) {
  constexpr int64_t dot_stride = 64;
  constexpr int64_t weight_stride = 4 * tile_rows;
  asm volatile(
      "tilezero %%tmm2\n\t"
      "tileloadd (%0,%1,1), %%tmm3\n\t"
      "tileloadd (%2,%3,1), %%tmm6\n\t"
      "tdpbssd %%tmm6, %%tmm3, %%tmm2\n\t"
      "tilestored %%tmm2, (%4,%5,1)"
      :
      : "r"(step.columns), "r"(step.stride), "r"(step.weights), "r"(weight_stride), "r"(dots->of),
        "r"(dot_stride)
      : "memory");
}

// The dot products of 32 inputs at a time, of eight times 32 or fewer.
template <int columns>
HWY_INLINE void amx_dots_of_32(AmxStep step, int n_steps, AmxDots* dots) {
  const auto at = [&](int s) {
    return AmxStep{step.columns + 32 * s, step.stride, step.weights + 32 * tile_rows * s};
  };
  if constexpr (columns == 16) {
    for (int s = 0; s < n_steps; s += 2) {
      amx_dots<0>(at(s), dots + s);
      amx_dots<1>(at(s + 1), dots + s + 1);
    }
  } else {
    static_assert(columns == 8);
    for (int s = 0; s < n_steps; ++s) amx_dots_of_eight(at(s), dots + s);
  }
}

// The dot products of 256 inputs with weights u8: of four steps of 64.
template <int columns>
HWY_INLINE void amx_dots_of_256(AmxStep step, AmxDots* dots) {
  constexpr int64_t dot_stride = 64;
  constexpr int64_t weight_stride = 4 * tile_rows;
  static_assert(columns == 16 || columns == 8);
  if constexpr (columns == 16) {
    asm volatile("tilezero %%tmm0" ::: "memory");
  } else {
    asm volatile("tilezero %%tmm2" ::: "memory");
  }
  for (int i = 0; i < 4; ++i) {
    const std::byte* of_columns = step.columns + 64 * i;
    const uint8_t* of_weights = step.weights + 64 * tile_rows * i;
    if constexpr (columns == 16) {
      asm volatile(
          "tileloadd (%0,%1,1), %%tmm4\n\t"
          "tileloadd (%2,%3,1), %%tmm6\n\t"
          "tdpbsud %%tmm6, %%tmm4, %%tmm0"
          :
          : "r"(of_columns), "r"(step.stride), "r"(of_weights), "r"(weight_stride)
          : "memory");
    } else {
      asm volatile(
          "tileloadd (%0,%1,1), %%tmm3\n\t"
          "tileloadd (%2,%3,1), %%tmm6\n\t"
          "tdpbsud %%tmm6, %%tmm3, %%tmm2"
          :
          : "r"(of_columns), "r"(step.stride), "r"(of_weights), "r"(weight_stride)
          : "memory");
    }
  }
  if constexpr (columns == 16) {
    asm volatile("tilestored %%tmm0, (%0,%1,1)" : : "r"(dots->of), "r"(dot_stride) : "memory");
  } else {
    asm volatile("tilestored %%tmm2, (%0,%1,1)" : : "r"(dots->of), "r"(dot_stride) : "memory");
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
#endif
