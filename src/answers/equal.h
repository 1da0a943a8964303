// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace lanerope::answers {

// Whether an answer says what the truth says: as numbers where both are (exactly where they can be; a unit on
// one side alone does not matter; a percentage equals its number and its hundredth), element by element for
// tuples, intervals and lists, in any order for sets, else as normalise_math spells them. Symmetric; not
// transitive, as no comparison with roundings is.
bool answers_equal(std::string_view given, std::string_view truth);

}  // namespace lanerope::answers
