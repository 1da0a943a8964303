// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace lanerope::core {

// Hands out contiguous runs of the KV pool's cells, first fit. Cells [0, n_cells).
class CellAllocator {
 public:
  explicit CellAllocator(int32_t n_cells);

  // The first cell of a run of `length` (> 0), or nothing where no free run is that long.
  std::optional<int32_t> allocate(int32_t length);
  // Gives back a run that allocate returned, whole.
  void release(int32_t first, int32_t length);

  int32_t n_cells() const { return n_cells_; }
  int32_t n_free() const { return n_free_; }

 private:
  int32_t n_cells_;
  int32_t n_free_;
  std::map<int32_t, int32_t> free_;  // first cell -> length; runs never touch
};

}  // namespace lanerope::core
