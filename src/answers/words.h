// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lanerope::answers {

// Text as it is compared: without LaTeX's wrappers, articles, punctuation and the case of words.
std::string folded_words(std::string_view spelled);

// What a text says that begins with yes or no (in English or Chinese, also true and false): "No, 91 is not a
// prime number." says "No".
std::optional<std::string> yes_or_no(std::string_view text);

}  // namespace lanerope::answers
