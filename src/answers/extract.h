// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lanerope::answers {

// The answer that a text gives: the last \boxed{...} or \fbox{...} (braces matched; "\boxed 5 " counts too),
// else what follows the last "####" on its line, else the last number. Normalised, so that equal answers
// compare equal.
std::optional<std::string> extract_answer(std::string_view text);

// The same without the last resort, and only where the answer is complete: the brace is closed, the line
// ended. For a text that is still being written.
std::optional<std::string> extract_settled_answer(std::string_view text);

// Drops space around it, "$", thousands commas, a full stop or slash at the end; numbers lose a leading "+",
// leading zeros and zeros behind the decimal point.
std::string normalise_answer(std::string_view answer);

}  // namespace lanerope::answers
