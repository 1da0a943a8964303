// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lanerope::answers {

// A text without its code: fences, inline code that is no number, lines that are statements of a program, and
// subscripts such as "s[::-1]". The numbers in them answer nothing.
std::string without_code(std::string_view text);

}  // namespace lanerope::answers
