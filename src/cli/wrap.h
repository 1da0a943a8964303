// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lanerope::cli {

struct WrapSize {
  int width = 80;  // terminal cells
  int lines = 1;
};

// The end of a text, wrapped at words to at most `size.lines` lines of `size.width` cells; wide characters
// count two. Controls become visible. At least one line, maybe empty; costs as much as what is shown, however
// long the text.
std::vector<std::string> wrap_tail(std::string_view text, WrapSize size);

// The text cut to `width` cells, with an ellipsis if anything was cut.
std::string fit(std::string_view text, int width);

}  // namespace lanerope::cli
