// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set by integer_tile-inl.h; see Highway's foreach_target.h. Where a machine
// has AMX, the dot products of many columns are made by it: the same integers, so the same results.
#if defined(LANEROPE_AMX_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_AMX_TILE_INL
#undef LANEROPE_AMX_TILE_INL
#else
#define LANEROPE_AMX_TILE_INL
#endif

#include "kernels/integer_vectors-inl.h"

#if HWY_TARGET == HWY_AVX3_DL
HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// Its registers, each of up to 16 rows of 64 bytes, as they are used here: 0 and 1 are dot products [16 rows
// of weights, columns], 4 and 5 are columns i8 [inputs, columns], 6 and 7 are weights [4, 16 rows, inputs
// / 4], i8 or u8.
struct alignas(64) AmxShape {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  AmxShape(int columns, int inputs) {
    const auto set = [this](int from, int to, int n_rows, int bytes) {
      for (int i = from; i < to; ++i) {
        rows[i] = static_cast<uint8_t>(n_rows);
        row_bytes[i] = static_cast<uint16_t>(bytes);
      }
    };
    set(0, 2, columns, 64);
    set(4, 6, columns, inputs);
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

// A step of a block, and the first of 16 rows.
struct BlockStep {
  int b;
  int row;
};

// Some blocks of a tile whose weights have been unpacked, one after the other.
template <typename Tile>
struct UnpackedBlocks {
  const Tile* tile;
  int n_blocks;
  const uint8_t* weights;  // [4, tile_rows, inputs / 4]
  Ahead ahead;             // of the first block

  const uint8_t* of(int input, int row) const { return weights + input * tile_rows + 4 * row; }
};

// The dot products of one step with weights i8. Steps take turns with the registers.
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

// The dot products of 32 inputs at a time, of eight times 32 or fewer.
HWY_INLINE void amx_dots_of_32(AmxStep step, int n_steps, AmxDots* dots) {
  for (int s = 0; s < n_steps; s += 2) {
    amx_dots<0>({step.columns + 32 * s, step.stride, step.weights + 32 * tile_rows * s}, dots + s);
    amx_dots<1>({step.columns + 32 * (s + 1), step.stride, step.weights + 32 * tile_rows * (s + 1)},
                dots + s + 1);
  }
}

// The dot products of 256 inputs with weights u8: of four steps of 64.
HWY_INLINE void amx_dots_of_256(AmxStep step, AmxDots* dots) {
  constexpr int64_t dot_stride = 64;
  constexpr int64_t weight_stride = 4 * tile_rows;
  asm volatile("tilezero %%tmm0" ::: "memory");
  for (int i = 0; i < 4; ++i) {
    asm volatile(
        "tileloadd (%0,%1,1), %%tmm4\n\t"
        "tileloadd (%2,%3,1), %%tmm6\n\t"
        "tdpbsud %%tmm6, %%tmm4, %%tmm0"
        :
        : "r"(step.columns + 64 * i), "r"(step.stride), "r"(step.weights + 64 * tile_rows * i),
          "r"(weight_stride)
        : "memory");
  }
  asm volatile("tilestored %%tmm0, (%0,%1,1)" : : "r"(dots->of), "r"(dot_stride) : "memory");
}

// For fewer columns unpacking the weights takes longer than is won.
constexpr int amx_columns = 32;

// A block of a tile as bytes, [4, tile_rows, inputs / 4]. What a type adds to its weights, so that bytes
// without a sign can hold them, is taken off again: once here, or else from every sum.
template <typename Type>
HWY_INLINE void unpack_block(const typename Type::Tile& tile, uint8_t* weights) {
  constexpr int quads = Type::unpacked_quads;
  for (int i = 0; i < Type::inputs / 4 / quads; ++i) {
    for (int row = 0; row < tile_rows; row += vector_size) {
      U8 w[quads];
      Type::unpack(tile, i, row, w);
      for (int q = 0; q < quads; ++q) {
        if constexpr (Type::amx_offset != 0) w[q] = hn::Sub(w[q], hn::Set(du8, uint8_t{Type::amx_offset}));
        hn::Store(w[q], du8, weights + (i * quads + q) * 4 * tile_rows + 4 * row);
      }
    }
  }
}

// Adds the tile's product with the first n sixteens of columns. 256 inputs of the weights are unpacked at a
// time, for all of the columns.
template <typename Type>
void run_amx_columns(const TileJob& job, int n) {
  constexpr int columns = 16;
  constexpr int64_t blocks_at_once = 256 / Type::inputs;
  alignas(64) uint8_t weights[256 * tile_rows];
  const AmxRegisters registers(AmxShape(columns, Type::amx_inputs));
  const auto* tile = reinterpret_cast<const typename Type::Tile*>(job.tile);
  const int64_t n_blocks = job.layout->n_in / Type::inputs;
  for (int64_t b = 0; b < n_blocks; b += blocks_at_once) {
    const auto blocks = static_cast<int>(HWY_MIN(blocks_at_once, n_blocks - b));
    for (int i = 0; i < blocks; ++i) unpack_block<Type>(tile[b + i], weights + i * Type::inputs * tile_rows);
    for (int g = 0; g < n; ++g) {
      const UnpackedBlocks<typename Type::Tile> unpacked{tile + b, blocks, weights,
                                                         Ahead::of<Type>(job, b, g, n)};
      Type::template add_unpacked<columns>(unpacked, Type::at(Columns(job, g * columns), b),
                                           job.out + g * columns * tile_rows);
    }
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
#endif
