// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

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

// Null for a type that has no kernel.
const TileShape* tile_shape(ggml_type type);

}  // namespace lanerope::kernels
