// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lanerope::answers {

struct UnicodeSpelling {
  size_t bytes = 0;  // how many of the text it stands for
  std::string spelling;
};

// What the character beyond ASCII at the front of a text is written as in `spelled`; itself, where nothing is
// known.
UnicodeSpelling unicode_spelling(std::string_view text);

}  // namespace lanerope::answers
