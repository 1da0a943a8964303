// SPDX-License-Identifier: Apache-2.0
#include "core/lane_tag.h"

namespace lanerope::core {

std::string render_tag(std::string_view tag, int32_t index) {
  constexpr std::string_view place = "{k}";
  const std::string number = std::to_string(index + 1);
  std::string text(tag);
  for (size_t at = text.find(place); at != std::string::npos; at = text.find(place, at + number.size())) {
    text.replace(at, place.size(), number);
  }
  return text;
}

}  // namespace lanerope::core
