// SPDX-License-Identifier: Apache-2.0
#include "kernels/pack_tiles.h"

#include <optional>
#include <vector>

#include "kernels/pack_helpers.h"

namespace lanerope::kernels {
namespace {

template <typename Tile, typename Element>
void pack_values(const TileSource& source, std::byte* destination) {
  auto* tiles = reinterpret_cast<Tile*>(destination);
  std::memset(destination, 0, (source.n_in + 15) / 16 * sizeof(Tile));
  for (int row = 0; row < source.n_rows; ++row) {
    const std::byte* from = source.rows + row * source.row_bytes;
    for (int64_t i = 0; i < source.n_in; ++i) {
      std::memcpy(&tiles[i / 16].weight[i % 16][row], from + i * sizeof(Element), sizeof(Element));
    }
  }
}

constexpr TileShape float_shapes[] = {
    {GGML_TYPE_F16, ActivationForm::f32, 1, 16, sizeof(HalfTile), pack_values<HalfTile, uint16_t>},
    {GGML_TYPE_BF16, ActivationForm::f32, 1, 16, sizeof(HalfTile), pack_values<HalfTile, uint16_t>},
    {GGML_TYPE_F32, ActivationForm::f32, 1, 16, sizeof(FloatTile), pack_values<FloatTile, float>},
};

// Types without a form of their own: rows stay as they are in the file.
void keep_rows(const TileSource& source, std::byte* tile) {
  std::memcpy(tile, source.rows, source.n_rows * source.row_bytes);
  std::memset(tile + source.n_rows * source.row_bytes, 0, (tile_rows - source.n_rows) * source.row_bytes);
}

bool kept_as_in_file(ggml_type type) {
  const int64_t block = ggml_blck_size(type);
  return ggml_is_quantized(type) && ggml_get_type_traits(type)->to_float != nullptr && block % 16 == 0 &&
         256 % block == 0;
}

using Shapes = std::vector<std::optional<TileShape>>;

Shapes file_shapes() {
  Shapes shapes(GGML_TYPE_COUNT);
  for (int t = 0; t < GGML_TYPE_COUNT; ++t) {
    const auto type = static_cast<ggml_type>(t);
    if (ggml_blck_size(type) == 0 || !kept_as_in_file(type)) continue;
    const auto block = static_cast<int>(ggml_blck_size(type));
    shapes[t] = {type, ActivationForm::f32, block, block, tile_rows * ggml_type_size(type), keep_rows};
  }
  return shapes;
}

Shapes best_shapes() {
  Shapes shapes = file_shapes();
  for (const auto some :
       {k_quant_shapes(), block_32_shapes(), codebook_shapes(), std::span<const TileShape>(float_shapes)}) {
    for (const TileShape& shape : some) shapes[shape.type] = shape;
  }
  return shapes;
}

const TileShape* find(const Shapes& shapes, ggml_type type) {
  if (type < 0 || type >= GGML_TYPE_COUNT || !shapes[type]) return nullptr;
  return &*shapes[type];
}

}  // namespace

const TileShape* tile_shape(ggml_type type) {
  static const Shapes shapes = best_shapes();
  return find(shapes, type);
}

const TileShape* tile_shape_of_file(ggml_type type) {
  static const Shapes shapes = file_shapes();
  return find(shapes, type);
}

}  // namespace lanerope::kernels
