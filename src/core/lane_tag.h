// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lanerope::core {

// A tag with every "{k}" replaced by the lane's number, which counts from 1.
std::string render_tag(std::string_view tag, int64_t number);

// A text with every `place`, such as "{n}", replaced by a number.
std::string render_number(std::string_view text, std::string_view place, int64_t number);

}  // namespace lanerope::core
