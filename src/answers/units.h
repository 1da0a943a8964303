// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "answers/rational.h"

namespace lanerope::answers {

// What a unit measures, and how many of that thing's first unit it is; the name alone where it is not known.
struct Unit {
  std::string measures;
  Rational size{1};
};

// Whether a word of two letters or more is a unit wherever it stands behind a number: "cm", "kg", "hours".
bool is_unit_name(std::string_view word);

// Whether a single letter can be a unit: m, g, s, L, K, N, ...
bool is_unit_letter(std::string_view letter);

// "cm^2", "km/h", "red apples", "square units".
Unit unit_of(std::string_view text);

}  // namespace lanerope::answers
