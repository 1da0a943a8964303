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
  const std::byte* tile;
  const ActivationLayout* layout;
  const std::byte* columns;  // of the first panel
  int n_columns;
  float* out;  // [tile_rows, n_columns], aligned to 64 bytes
};
inline constexpr int max_tile_columns = 64;
using TileKernel = void (*)(const TileJob&);

// For the best instruction set of this machine. Null for a type that has no kernel.
TileKernel tile_kernel(ggml_type type);

// The families that tile_kernel() picks from.
TileKernel k_quant_kernel(ggml_type type);   // Q4_K, Q5_K, Q6_K
TileKernel block_32_kernel(ggml_type type);  // Q4_0, Q8_0
TileKernel half_kernel(ggml_type type);      // F16, BF16

}  // namespace lanerope::kernels
