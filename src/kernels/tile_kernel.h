// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <ggml.h>

#include "kernels/activations.h"
#include "kernels/tile_format.h"

namespace lanerope::kernels {

// One tile times up to 64 columns.
struct TileJob {
  ggml_type type;
  const std::byte* tile;
  const ActivationLayout* layout;
  const std::byte* columns;  // of the first panel
  int n_columns;
  float* out;  // [tile_rows, n_columns], aligned to 64 bytes
};
inline constexpr int max_tile_columns = 64;
using TileKernel = void (*)(const TileJob&);

// For the best instruction set of this machine. To be asked for each time: what Highway gives before the
// first call of a process chooses anew in every call, which takes longer than a tile.
TileKernel tile_kernel(ggml_type type);
TileKernel file_rows_kernel();  // for tiles that are rows as in the file, of any type

// The families that tile_kernel() picks from.
TileKernel k_quant_kernel(ggml_type type);   // Q4_K, Q5_K, Q6_K
TileKernel low_bit_kernel(ggml_type type);   // Q2_K, Q3_K
TileKernel codebook_kernel(ggml_type type);  // IQ4_XS, IQ1 to IQ3, NVFP4
TileKernel block_32_kernel(ggml_type type);  // Q4_0 to Q8_0, IQ4_NL, MXFP4, and what is packed as Q4_0
TileKernel float_kernel(ggml_type type);     // F16, BF16, F32

}  // namespace lanerope::kernels
