// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "answers/evaluate.h"
#include "answers/expression.h"

namespace lanerope::answers {

// Whether two scalars are one: exactly where both are exact, by all their digits where one is irrational, and
// at several points where variables stand. A decimal of four significant digits or more equals what it is a
// rounding of, to one part in 10,000 at most.
bool scalars_equal(const Node& a, const Node& b, Evaluator& evaluate);

// Whether the equations or inequalities a = 0 and b = 0 say the same: one is a multiple of the other. 1 or -1
// is the multiple's sign; 0 where there is none.
int multiple_sign(const Node& a, const Node& b, Evaluator& evaluate);

}  // namespace lanerope::answers
