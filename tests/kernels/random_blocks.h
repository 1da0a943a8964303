// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <ggml.h>

#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {

struct BlocksShape {
  int64_t n_in = 0;
  int64_t n_out = 0;
};

// A matrix whose blocks are random bytes, but for scales, which are finite numbers of either sign. So every
// bit pattern of quants and block scales comes up, also those that no quantiser writes.
FileMatrix random_blocks(ggml_type type, BlocksShape shape, uint32_t seed);

}  // namespace lanerope::kernels
