// SPDX-License-Identifier: Apache-2.0
#include "answers/value.h"

#include <algorithm>

namespace lanerope::answers {

namespace {

constexpr size_t most_bits = 20000;                                      // of an exact value
constexpr long usual_error = 4 - static_cast<long>(Complex::precision);  // relative, of one operation
constexpr long wanted_digits = 160;  // bits that must be right where two values are told apart
constexpr long no_error = -2'000'000'000'000;

std::optional<Value> rounded(Complex result, long error) {
  if (!result.is_finite()) return std::nullopt;
  return Value(std::move(result), error);
}

}  // namespace

long Value::error() const {
  return exact_ ? no_error : error_;
}

bool Value::is_vague() const {
  if (exact_) return false;
  const long exponent = approximate_.exponent();
  return vague_ || error_ > std::max(exponent, 0L) - wanted_digits;
}

bool Value::is_zero() const {
  return exact_ ? *exact_ == 0 : approximate_.is_zero();
}

std::optional<Value> add(const Value& a, const Value& b) {
  if (a.exact_ && b.exact_) {
    Rational sum = *a.exact_ + *b.exact_;
    if (bits(sum) <= most_bits) return Value(std::move(sum));
  }
  const Complex x = a.approximate();
  const Complex y = b.approximate();
  Complex result;
  mpc_add(result.get(), x.get(), y.get(), Complex::rounding);
  const long largest = std::max(x.exponent(), y.exponent());
  auto sum = rounded(result, std::max({a.error(), b.error(), largest + usual_error}) + 1);
  // One that is lost beside the other would make 2^{100000} + 1 and 2^{100000} the same.
  const bool lost = !x.is_zero() && !y.is_zero() && std::abs(x.exponent() - y.exponent()) > wanted_digits;
  if (sum) sum->vague_ = a.vague_ || b.vague_ || lost;
  return sum;
}

std::optional<Value> multiply(const Value& a, const Value& b) {
  if (a.exact_ && b.exact_) {
    Rational product = *a.exact_ * *b.exact_;
    if (bits(product) <= most_bits) return Value(std::move(product));
  }
  const Complex x = a.approximate();
  const Complex y = b.approximate();
  Complex result;
  mpc_mul(result.get(), x.get(), y.get(), Complex::rounding);
  const long error =
      std::max({a.error() + y.exponent(), b.error() + x.exponent(), result.exponent() + usual_error});
  auto product = rounded(result, error + 1);
  // An exact value that has grown too long is a whole number of which only the front is known.
  if (product) product->vague_ = a.vague_ || b.vague_ || (a.exact_ && b.exact_);
  return product;
}

std::optional<Value> negate(const Value& a) {
  return multiply(a, Value(Rational(-1)));
}

std::optional<Value> invert(const Value& a) {
  if (a.is_zero() || a.is_vague()) return std::nullopt;
  if (a.exact()) return Value(Rational(1 / *a.exact()));
  const Complex x = a.approximate();
  Complex result;
  mpc_ui_div(result.get(), 1, x.get(), Complex::rounding);
  const long relative = std::max(a.error() - x.exponent(), usual_error);
  return rounded(result, result.exponent() + relative + 2);
}

Value pi() {
  Complex result;
  mpfr_const_pi(result.real(), MPFR_RNDN);
  return {result, result.exponent() + usual_error};
}

Value imaginary_unit() {
  Complex result;
  mpc_set_ui_ui(result.get(), 0, 1, Complex::rounding);
  return {result, usual_error};
}

bool same_value(const Value& a, const Value& b) {
  if (a.exact() && b.exact()) return *a.exact() == *b.exact();
  if (a.is_vague() || b.is_vague()) return false;
  const Complex x = a.approximate();
  const Complex y = b.approximate();
  Complex difference;
  mpc_sub(difference.get(), x.get(), y.get(), Complex::rounding);
  if (difference.is_zero()) return true;
  constexpr long slack = 8;
  const long error = std::max({a.error(), b.error(), std::max(x.exponent(), y.exponent()) + usual_error});
  return difference.exponent() <= error + slack;
}

}  // namespace lanerope::answers
