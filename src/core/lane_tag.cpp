// SPDX-License-Identifier: Apache-2.0
#include "core/lane_tag.h"

namespace lanerope::core {

std::string render_tag(std::string_view tag, int64_t number) {
  return render_number(tag, "{k}", number);
}

std::string render_number(std::string_view text, std::string_view place, int64_t number) {
  const std::string digits = std::to_string(number);
  std::string whole(text);
  for (size_t at = whole.find(place); at != std::string::npos; at = whole.find(place, at + digits.size())) {
    whole.replace(at, place.size(), digits);
  }
  return whole;
}

}  // namespace lanerope::core
