// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "answers/complex.h"
#include "answers/rational.h"

namespace lanerope::answers {

// What an expression is worth: exactly while it is rational and not too long, else a complex number and how
// far it may be off. Operations give nothing where they are not defined (division by zero, overflow).
class Value {
 public:
  explicit Value(Rational exact) : exact_(std::move(exact)) {}
  Value(Complex approximate, long error) : approximate_(std::move(approximate)), error_(error) {}

  const std::optional<Rational>& exact() const { return exact_; }
  Complex approximate() const { return exact_ ? Complex(*exact_) : approximate_; }
  // The binary exponent of the largest absolute error.
  long error() const;
  // Whether its digits cannot tell it from its neighbours, as those of 9^{9^{9}}: it equals only what is
  // spelled alike.
  bool is_vague() const;
  bool is_real() const { return exact_ || approximate_.is_real(); }
  bool is_zero() const;

  friend std::optional<Value> add(const Value& a, const Value& b);
  friend std::optional<Value> multiply(const Value& a, const Value& b);

 private:
  std::optional<Rational> exact_;
  Complex approximate_;
  long error_ = 0;
  bool vague_ = false;
};

std::optional<Value> add(const Value& a, const Value& b);
std::optional<Value> multiply(const Value& a, const Value& b);
std::optional<Value> negate(const Value& a);
std::optional<Value> invert(const Value& a);
std::optional<Value> raise(const Value& base, const Value& exponent);
std::optional<Value> root_of(const Value& of, const Value& degree);
// sin, log (natural), exp, abs, floor, ceil, factorial and their like.
std::optional<Value> value_of_function(std::string_view function, const Value& argument);
std::optional<Value> binomial(const Value& n, const Value& k);

Value pi();
Value imaginary_unit();

// Whether both are the same as far as their digits tell; vague values are never.
bool same_value(const Value& a, const Value& b);

}  // namespace lanerope::answers
