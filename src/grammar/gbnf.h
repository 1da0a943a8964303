// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lanerope::grammar {

// A grammar in GBNF as xgrammar's notation, which lacks the dot for any character.
std::string from_gbnf(std::string_view grammar);

}  // namespace lanerope::grammar
