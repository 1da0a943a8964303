// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "answers/expression.h"

namespace lanerope::answers {

// An answer's tree as a judge looks at it: a name in front of a value set apart ("f(3) = 4", "x \in [0, 1]"),
// "\pm" as the two values that it stands for, an exact value beside what it is about, degrees and per cent as
// what the whole is measured in, "no solution" as nothing.
Node interpreted(Node node);

}  // namespace lanerope::answers
