// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lanerope::answers {

// Mathematics as it is typed, with what does not change its meaning taken away: "$", \left and \right, thin
// spaces, degrees, currency, percent signs, a "k=" in front, a unit in \text behind; \dfrac and \tfrac become
// \frac, ".5" becomes "0.5", "\sqrt3" becomes "\sqrt{3}". Single spaces stay where there were some.
std::string clean_math(std::string_view text);

// clean_math in the one spelling that is compared as a string: no spaces, \frac with both its braces, "a/b"
// of two integers as \frac{a}{b}.
std::string normalise_math(std::string_view text);

// Whether a percent sign or the word stands at the end.
bool is_percentage(std::string_view text);

}  // namespace lanerope::answers
