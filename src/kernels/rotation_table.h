// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "core/lane_rotation.h"

namespace lanerope::kernels {

// Cosines and sines of phi for the queries of one tile and one segment, one set a layer where omega
// differs by layer.
struct RotationTable {
  int32_t layers = 1;
  size_t layer_size = 0;      // 2 * n_pairs * width
  std::vector<float> values;  // [width, 2 (cosine, sine), n_pairs, layers]
  uint64_t last_used = 0;

  const float* of_layer(int32_t layer) const { return values.data() + (layers > 1 ? layer * layer_size : 0); }
};

// Tables by what they depend on. A coupling whose offsets do not move with the clock finds all of its tables
// here after the first step; those not used for some steps are dropped. For one thread.
class RotationTables {
 public:
  explicit RotationTables(int32_t n_layer) : n_layer_(n_layer) {}

  // Offset [width] of each query; null if none of them is rotated. Valid until the second next call of
  // next_step().
  const RotationTable* find(const std::shared_ptr<const core::ClassFrequencies>& frequencies,
                            std::span<const core::Offset> offsets);
  void next_step();

 private:
  struct Key {
    std::shared_ptr<const core::ClassFrequencies> frequencies;
    std::vector<int32_t> offsets;  // [2, width]
    auto operator<=>(const Key&) const = default;
  };
  int32_t n_layer_;
  uint64_t step_ = 0;
  std::map<Key, std::unique_ptr<RotationTable>> tables_;
};

}  // namespace lanerope::kernels
