// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lanerope::engine {

// The words of a command line: white space parts them, '...' and "..." keep it, and within "..." and outside
// of quotes a backslash takes what follows as it is. Nothing else means anything. Throws InvalidRequest where
// a quote is not closed or nothing is there.
std::vector<std::string> split_words(std::string_view command);

}  // namespace lanerope::engine
