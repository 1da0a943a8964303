// SPDX-License-Identifier: Apache-2.0
#include "engine/random.h"

#include <array>

namespace lanerope::engine {

namespace {

using Counter = std::array<uint32_t, 4>;

Counter philox(Counter c, std::array<uint32_t, 2> key) {
  constexpr uint64_t multiplier_0 = 0xD2511F53;
  constexpr uint64_t multiplier_1 = 0xCD9E8D57;
  constexpr uint32_t weyl_0 = 0x9E3779B9;
  constexpr uint32_t weyl_1 = 0xBB67AE85;
  constexpr int rounds = 10;
  for (int i = 0; i < rounds; ++i) {
    const uint64_t p0 = multiplier_0 * c[0];
    const uint64_t p1 = multiplier_1 * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(p0)};
    key = {key[0] + weyl_0, key[1] + weyl_1};
  }
  return c;
}

}  // namespace

double uniform(const DrawKey& key) {
  const Counter bits = philox({key.lane, key.step, 0, 0},
                              {static_cast<uint32_t>(key.seed), static_cast<uint32_t>(key.seed >> 32)});
  const uint64_t word = (static_cast<uint64_t>(bits[0]) << 32) | bits[1];
  return static_cast<double>(word >> 11) * 0x1.0p-53;
}

}  // namespace lanerope::engine
