// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lanerope::engine {

// The value of an expression in + - * / ^ %, parentheses, decimals, thousands commas and currency signs,
// computed exactly and written as a person would: whole, a decimal that ends, else rounded to six digits
// (docs/tools.md). Takes microseconds: lengths, depths and numbers of digits are bounded. Throws
// InvalidRequest, with a sentence.
std::string calculate(std::string_view expression);

}  // namespace lanerope::engine
