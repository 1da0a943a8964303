// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanerope::answers {

// A fraction in lowest terms; the denominator is positive.
struct Rational {
  int64_t top = 0;
  int64_t bottom = 1;
  bool operator==(const Rational&) const = default;
};

// What a written number is worth.
struct NumberValue {
  std::optional<Rational> exact = {};  // unset: irrational, or too large for 64 bits
  long double approximate = 0;
  int32_t decimals = -1;    // digits behind the point, where it is one decimal number; -1 otherwise
  int32_t significant = 0;  // its digits from the first that is not 0 on
  std::string unit = {};    // the words behind it
};

// The value of clean_math: digits with thousands commas, decimals, exponents, \frac, \sqrt, \pi, powers,
// + - * / and mixed numbers such as "1 1/2", with a unit behind it. Nothing where there is anything else,
// such as a variable.
std::optional<NumberValue> number_value(std::string_view clean);

// Exactly where both are exact; a decimal number equals what it is a rounding of to three significant digits
// or more; otherwise to a relative tolerance.
bool values_equal(const NumberValue& a, const NumberValue& b);

// The value divided by 100.
NumberValue hundredth(const NumberValue& value);

}  // namespace lanerope::answers
