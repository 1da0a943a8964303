// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "answers/expression.h"

namespace lanerope::answers {

// The trees that a spelled answer may mean, interpreted: with "1,234" as one number, and as two.
std::vector<Node> trees_of(std::string_view spelled);

// Whether an answer's text is mathematics with something definite in it: a number, a command, a choice's
// letter; not words, nor a lone variable.
bool is_definite(std::string_view text);

}  // namespace lanerope::answers
