// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/attention_plan.h"

namespace lanerope::kernels {

// Blocks of rows whose prompts are the same, or begin with the same cells, can meet those together: keys are
// converted once for all of them, and queries of one fill the vectors that the other's leave empty.
//
//   block 0  [ shared cells . . . . . ][ rest 0 ][ lane 0 ]          one block of the rows of both:
//   block 1  [ shared cells . . . . . ][ rest 1 ][ lane 1 ]          shared, rest 0, lane 0, rest 1, lane 1
struct Join {
  size_t n_blocks = 1;  // of those that were given, from the first on
  int32_t shared = 0;   // cells: all of the prompt, or a multiple of `step`
};

// What is worth joining: prompts that are equal, or of which no more is left than what they share. Sums that
// are cut at multiples of `step` cells stay the same sums.
Join find_join(std::span<const core::AttentionBlock> blocks, int32_t step);

// One block of the rows of all. Rows see nothing of what belongs to the others.
core::AttentionBlock join(std::span<const core::AttentionBlock> blocks, int32_t shared);

}  // namespace lanerope::kernels
