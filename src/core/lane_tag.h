// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lanerope::core {

// What lanes are called where nothing else is said.
inline constexpr std::string_view usual_lane_tag = "<lane{k}>";

// The tag of lane `index`, counted from 0: every "{k}" becomes its number, from 1.
std::string render_tag(std::string_view tag, int32_t index);

}  // namespace lanerope::core
