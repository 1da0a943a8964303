// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lanerope::answers {

// The last resort for a text that marks no answer: the yes or no that it begins with, the choice or the
// mathematics that it is as a whole, else the last expression in it ("$\frac{3}{4}$" as a whole, never its
// 4), else the last number that is no part of code or of a name.
std::optional<std::string> last_expression(std::string_view text);

// The last number or expression in a text, whatever stands around it.
std::optional<std::string> last_number(std::string_view text);

}  // namespace lanerope::answers
