// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "lanerope/service.h"

namespace lanerope {

std::string new_public_id(std::string_view prefix) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::random_device source;
  std::string id(prefix);
  for (int word = 0; word < 4; ++word) {
    const uint32_t bits = source();
    for (int shift = 28; shift >= 0; shift -= 4) id += digits[(bits >> shift) & 0xF];
  }
  return id;
}

}  // namespace lanerope
