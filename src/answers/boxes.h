// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lanerope::answers {

// What is in the last \boxed{...} or \fbox{...} whose brace is closed ("\boxed 5 " counts, too), but for
// empty boxes and placeholders. Boxes with nothing but "and", a comma and names between are one answer: of "x
// = \boxed{9} and y = \boxed{11}" it is "x = 9, y = 11".
std::optional<std::string> boxed_answer(std::string_view text);

}  // namespace lanerope::answers
