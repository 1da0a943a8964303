// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lanerope::engine {

// Which number of which lane of which seed: a random number here is a function of this and of nothing else,
// so a lane draws the same whatever runs beside it.
struct DrawKey {
  uint64_t seed = 0;
  uint32_t lane = 0;
  uint32_t step = 0;
};

// Uniform in [0, 1), 53 bits. Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC
// 2011).
double uniform(const DrawKey& key);

}  // namespace lanerope::engine
