// SPDX-License-Identifier: Apache-2.0
#include "core/lane_tag.h"

namespace lanerope::core {

std::string render_tag(std::string_view tag, int64_t number) {
  constexpr std::string_view place = "{k}";
  const std::string digits = std::to_string(number);
  std::string text(tag);
  for (size_t at = text.find(place); at != std::string::npos; at = text.find(place, at + digits.size())) {
    text.replace(at, place.size(), digits);
  }
  return text;
}

}  // namespace lanerope::core
