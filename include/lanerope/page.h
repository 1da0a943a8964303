// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lanerope {

// Cells of a page, the smallest piece of an engine's KV cells that a prompt or a lane takes.
inline constexpr int32_t page_cells = 64;

// Pages that so many cells fill, the last one maybe in part.
constexpr int32_t pages_of(int32_t cells) {
  return cells / page_cells + (cells % page_cells > 0 ? 1 : 0);
}

// The cells of the pages that so many cells fill.
constexpr int32_t whole_pages(int32_t cells) {
  return pages_of(cells) * page_cells;
}

}  // namespace lanerope
