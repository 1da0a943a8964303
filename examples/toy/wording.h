// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "data/random_stream.h"
#include "toy/word_problem.h"

namespace lanerope::toy {

// Tells the parts, given in the order of their labels, as one paragraph in shuffled order, in words drawn
// from `random`. There are millions of forms.
std::string word_question(std::span<const Part> parts, data::RandomStream& random);

}  // namespace lanerope::toy
