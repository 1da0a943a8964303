// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <ggml.h>

#include "kernels/activations.h"
#include "kernels/tile_format.h"

namespace lanerope::kernels {

// Up to tile_rows rows of a GGUF matrix.
struct TileSource {
  const std::byte* rows;
  size_t row_bytes;
  int64_t n_in;
  int n_rows;
};

// How one type is laid out in a file and in tiles.
struct TileShape {
  ggml_type type;
  ActivationForm form;
  int file_block;  // n_in must be a multiple of it
  int block;       // inputs in a block of a tile
  size_t block_bytes;
  void (*pack)(const TileSource& source, std::byte* tile);
};

// Null for what is no type of weights. Types that ggml converts to floats and that no list below names are
// kept as they lie in the file and converted in each step.
const TileShape* tile_shape(ggml_type type);
const TileShape* tile_shape_of_file(ggml_type type);  // null for floats too

std::span<const TileShape> k_quant_shapes();   // Q2_K to Q6_K
std::span<const TileShape> block_32_shapes();  // Q4_0 to Q8_0, IQ4_NL, MXFP4, and what fits into Q4_0
std::span<const TileShape> codebook_shapes();  // IQ4_XS, IQ1 to IQ3, NVFP4

}  // namespace lanerope::kernels
