// SPDX-License-Identifier: Apache-2.0
// Powers, roots and the functions of value.h.
#include <algorithm>
#include <array>

#include "answers/value.h"

namespace lanerope::answers {

namespace {

constexpr size_t most_bits = 20000;
constexpr long usual_error = 8 - static_cast<long>(Complex::precision);

// The value of a whole number between the limits.
std::optional<long> small_whole(const Value& value, long least, long most) {
  if (!value.exact() || !is_whole(*value.exact())) return std::nullopt;
  const Integer& number = value.exact()->get_num();
  if (number < least || number > most) return std::nullopt;
  return number.get_si();
}

std::optional<Value> computed(const Complex& result, long relative_error) {
  if (!result.is_finite()) return std::nullopt;
  return Value(result, result.exponent() + std::max(relative_error, usual_error));
}

long relative_error(const Value& value) {
  return value.exact() ? usual_error : value.error() - value.approximate().exponent();
}

Rational whole_power(const Rational& base, unsigned long exponent) {
  Rational result;
  mpz_pow_ui(result.get_num_mpz_t(), base.get_num_mpz_t(), exponent);
  mpz_pow_ui(result.get_den_mpz_t(), base.get_den_mpz_t(), exponent);
  return result;
}

// The root of a rational that has one.
std::optional<Rational> exact_root(const Rational& of, unsigned long degree) {
  if (of < 0 && degree % 2 == 0) return std::nullopt;
  Rational result;
  const bool top = mpz_root(result.get_num_mpz_t(), of.get_num_mpz_t(), degree) != 0;
  const bool bottom = mpz_root(result.get_den_mpz_t(), of.get_den_mpz_t(), degree) != 0;
  return top && bottom ? std::optional(result) : std::nullopt;
}

using RealFunction = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);
using ComplexFunction = int (*)(mpc_ptr, mpc_srcptr, mpc_rnd_t);

struct Function {
  std::string_view name;
  RealFunction real;
  ComplexFunction complex;
  bool inverted = false;  // 1 over it is meant
};

constexpr std::array functions = {
    Function{"sin", mpfr_sin, mpc_sin},       Function{"cos", mpfr_cos, mpc_cos},
    Function{"tan", mpfr_tan, mpc_tan},       Function{"csc", mpfr_sin, mpc_sin, true},
    Function{"sec", mpfr_cos, mpc_cos, true}, Function{"cot", mpfr_tan, mpc_tan, true},
    Function{"asin", mpfr_asin, mpc_asin},    Function{"acos", mpfr_acos, mpc_acos},
    Function{"atan", mpfr_atan, mpc_atan},    Function{"sinh", mpfr_sinh, mpc_sinh},
    Function{"cosh", mpfr_cosh, mpc_cosh},    Function{"tanh", mpfr_tanh, mpc_tanh},
    Function{"asinh", mpfr_asinh, mpc_asinh}, Function{"atanh", mpfr_atanh, mpc_atanh},
    Function{"ln", mpfr_log, mpc_log},        Function{"exp", mpfr_exp, mpc_exp},
};

// Whether MPFR's function is defined there; MPC's is asked otherwise.
bool has_real_value(const Function& function, const Complex& x) {
  if (!x.is_real()) return false;
  if (function.name == "ln") return mpfr_sgn(x.real()) > 0;
  if (function.name == "asin" || function.name == "acos" || function.name == "atanh")
    return mpfr_cmpabs_ui(x.real(), 1) <= 0;
  return true;
}

std::optional<Value> absolute(const Value& argument) {
  if (argument.exact()) return Value(Rational(abs(*argument.exact())));
  const Complex x = argument.approximate();
  Complex result;
  mpc_abs(result.real(), x.get(), MPFR_RNDN);
  return Value(result, argument.error() + 1);
}

std::optional<Value> whole_part(const Value& argument, bool up) {
  if (!argument.is_real() || argument.is_vague()) return std::nullopt;
  Integer result;
  if (argument.exact()) {
    const auto divide = up ? mpz_cdiv_q : mpz_fdiv_q;
    divide(result.get_mpz_t(), argument.exact()->get_num_mpz_t(), argument.exact()->get_den_mpz_t());
    return Value(Rational(result));
  }
  mpfr_get_z(result.get_mpz_t(), argument.approximate().real(), up ? MPFR_RNDU : MPFR_RNDD);
  return Value(Rational(result));
}

std::optional<Value> factorial(const Value& argument) {
  constexpr long most = 1500;
  if (const auto n = small_whole(argument, 0, most)) {
    Integer result;
    mpz_fac_ui(result.get_mpz_t(), static_cast<unsigned long>(*n));
    return Value(Rational(result));
  }
  // At the other points where an expression with variables is looked at.
  const Complex x = argument.approximate();
  const bool usable = x.is_real() && mpfr_sgn(x.real()) > 0 && mpfr_cmp_ui(x.real(), most) < 0;
  if (!usable) return std::nullopt;
  Complex next;
  Complex result;
  mpfr_add_ui(next.real(), x.real(), 1, MPFR_RNDN);
  mpfr_gamma(result.real(), next.real(), MPFR_RNDN);
  return computed(result, relative_error(argument) + 16);
}

}  // namespace

std::optional<Value> raise(const Value& base, const Value& exponent) {
  constexpr long most = 100000;
  const auto whole = small_whole(exponent, -most, most);
  if (base.exact() && whole) {
    const auto times = static_cast<unsigned long>(std::abs(*whole));
    if (*whole == 0) return Value(Rational(1));
    if (*base.exact() == 0 && *whole < 0) return std::nullopt;
    if (bits(*base.exact()) * times <= most_bits || abs(*base.exact()) == 1) {
      const Value power(whole_power(*base.exact(), times));
      return *whole > 0 ? std::optional(power) : invert(power);
    }
  }
  if (base.is_zero()) {
    const bool positive = exponent.exact() && *exponent.exact() > 0;
    return positive ? std::optional(Value(Rational(0))) : std::nullopt;
  }
  // \frac{p}{q} of an exact base: the q-th root, where there is one.
  constexpr unsigned long most_degree = 64;
  if (base.exact() && exponent.exact() && *base.exact() > 0 && !is_whole(*exponent.exact()) &&
      exponent.exact()->get_den() <= most_degree) {
    const auto root = exact_root(*base.exact(), exponent.exact()->get_den().get_ui());
    if (root) return raise(Value(*root), Value(Rational(exponent.exact()->get_num())));
  }
  const Complex x = base.approximate();
  const Complex y = exponent.approximate();
  Complex result;
  const bool real = x.is_real() && y.is_real() && (mpfr_sgn(x.real()) > 0 || whole);
  if (real) {
    mpfr_pow(result.real(), x.real(), y.real(), MPFR_RNDN);
  } else if (y.exponent() > 40 || x.exponent() > 40) {
    return std::nullopt;
  } else {
    mpc_pow(result.get(), x.get(), y.get(), Complex::rounding);
  }
  const long grown = std::max(y.exponent(), 0L) + 10;
  // Of a whole number that is too long to be held nothing but its front is known.
  const bool unknown_end = base.exact() && exponent.exact() && is_whole(*exponent.exact());
  return computed(result, unknown_end ? 0 : std::max(relative_error(base), relative_error(exponent)) + grown);
}

std::optional<Value> root_of(const Value& of, const Value& degree) {
  constexpr long most = 64;
  const auto n = small_whole(degree, 1, most);
  if (!n) {
    const auto part = invert(degree);
    return part ? raise(of, *part) : std::nullopt;
  }
  if (of.exact()) {
    if (auto root = exact_root(*of.exact(), static_cast<unsigned long>(*n))) return Value(*root);
  }
  const Complex x = of.approximate();
  Complex result;
  if (*n == 2) {
    mpc_sqrt(result.get(), x.get(), Complex::rounding);
  } else if (x.is_real() && (mpfr_sgn(x.real()) >= 0 || *n % 2 == 1)) {
    mpfr_rootn_ui(result.real(), x.real(), static_cast<unsigned long>(*n), MPFR_RNDN);
  } else {
    return raise(of, Value(Rational(1, *n)));
  }
  return computed(result, relative_error(of) + 2);
}

std::optional<Value> value_of_function(std::string_view name, const Value& argument) {
  if (name == "abs") return absolute(argument);
  if (name == "floor" || name == "ceil") return whole_part(argument, name == "ceil");
  if (name == "factorial") return factorial(argument);
  if (name == "degree") {
    const auto turned = multiply(argument, pi());
    return turned ? multiply(*turned, Value(Rational(1, 180))) : std::nullopt;
  }
  const auto* function = std::ranges::find(functions, name, &Function::name);
  if (function == functions.end() || argument.is_vague()) return std::nullopt;
  const Complex x = argument.approximate();
  constexpr long largest = 24;  // as an exponent: sin(10^{1000}) would need thousands of bits
  if (x.exponent() > largest && name != "ln") return std::nullopt;
  if (name == "ln" && argument.is_zero()) return std::nullopt;
  if (name == "ln" && argument.exact() && *argument.exact() == 1) return Value(Rational(0));
  Complex result;
  if (has_real_value(*function, x)) {
    function->real(result.real(), x.real(), MPFR_RNDN);
  } else {
    function->complex(result.get(), x.get(), Complex::rounding);
  }
  if (!result.is_finite()) return std::nullopt;
  // The slope of these functions stays within a few bits of the result where people write them.
  const long absolute_error = std::max(argument.error(), usual_error + std::max(x.exponent(), 0L));
  const Value value(result, std::max(result.exponent(), 0L) + absolute_error + 8);
  return function->inverted ? invert(value) : std::optional(value);
}

std::optional<Value> binomial(const Value& n, const Value& k) {
  constexpr long most = 1500;
  const auto below = small_whole(k, 0, most);
  const auto above = small_whole(n, -most, most * most);
  if (above && below) {
    Integer result;
    mpz_bin_ui(result.get_mpz_t(), Integer(*above).get_mpz_t(), static_cast<unsigned long>(*below));
    return bits(Rational(result)) <= most_bits ? std::optional(Value(Rational(result))) : std::nullopt;
  }
  const auto minus = negate(k);
  const auto rest = minus ? add(n, *minus) : std::nullopt;
  const auto top = factorial(n);
  const auto left = factorial(k);
  const auto right = rest ? factorial(*rest) : std::nullopt;
  const auto bottom = left && right ? multiply(*left, *right) : std::nullopt;
  const auto inverse = bottom ? invert(*bottom) : std::nullopt;
  return top && inverse ? multiply(*top, *inverse) : std::nullopt;
}

}  // namespace lanerope::answers
