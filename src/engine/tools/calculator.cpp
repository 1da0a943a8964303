// SPDX-License-Identifier: Apache-2.0
#include "engine/tools/calculator.h"

#include <gmpxx.h>

#include <algorithm>
#include <cctype>

#include "lanerope/errors.h"
#include "text/utf8.h"

namespace lanerope::engine {

namespace {

constexpr size_t longest = 1000;      // bytes of an expression
constexpr int deepest = 64;           // parentheses, signs and powers within one another
constexpr size_t most_bits = 4096;    // of a numerator or a denominator: 1,200 digits
constexpr unsigned most_places = 12;  // of a decimal that is written in full
constexpr unsigned rounded_digits = 6;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

mpz_class power_of_ten(unsigned long exponent) {
  mpz_class value;
  mpz_ui_pow_ui(value.get_mpz_t(), 10, exponent);
  return value;
}

size_t bits(const mpq_class& value) {
  return std::max(mpz_sizeinbase(value.get_num_mpz_t(), 2), mpz_sizeinbase(value.get_den_mpz_t(), 2));
}

mpq_class bounded(mpq_class value) {
  if (bits(value) > most_bits) throw InvalidRequest("the numbers become too large");
  return value;
}

mpq_class quotient(const mpq_class& of, const mpq_class& by) {
  if (by == 0) throw InvalidRequest("there is a division by zero");
  return of / by;
}

// Of the sign of `by`.
mpq_class remainder(const mpq_class& of, const mpq_class& by) {
  const mpq_class parts = quotient(of, by);
  mpz_class whole;
  mpz_fdiv_q(whole.get_mpz_t(), parts.get_num_mpz_t(), parts.get_den_mpz_t());
  return of - by * whole;
}

mpq_class power(const mpq_class& base, const mpq_class& exponent) {
  if (exponent.get_den() != 1) throw InvalidRequest("only whole exponents can be computed");
  if (base == 0 && exponent < 0) throw InvalidRequest("there is a division by zero");
  const mpz_class size = abs(exponent.get_num());
  // 0, 1 and -1 stay small, whatever the exponent is.
  const bool small = bits(base) == 1;
  if (!small && size * (bits(base) - 1) > most_bits) throw InvalidRequest("the numbers become too large");
  const unsigned long times = small ? (size == 0 ? 0 : 2 - mpz_odd_p(size.get_mpz_t())) : size.get_ui();
  mpq_class value;
  mpz_pow_ui(value.get_num_mpz_t(), base.get_num_mpz_t(), times);
  mpz_pow_ui(value.get_den_mpz_t(), base.get_den_mpz_t(), times);
  return exponent < 0 ? mpq_class(1 / value) : value;
}

// sum := product {(+|-) product}, product := signed {(*|/|%) signed}, signed := {+|-} power,
// power := percent [^ signed], percent := primary {%}, primary := number | ( sum ).
// A % is a remainder where an operand follows, a percent sign elsewhere.
class Expression {
 public:
  explicit Expression(std::string_view text) : rest_(text) {}

  mpq_class value() {
    mpq_class value = sum();
    if (!at_end()) refuse();
    return value;
  }

 private:
  mpq_class sum() {
    mpq_class value = product();
    while (true) {
      if (take("+")) {
        value = bounded(value + product());
      } else if (take("-") || take("−")) {
        value = bounded(value - product());
      } else {
        return value;
      }
    }
  }

  mpq_class product() {
    mpq_class value = signed_power();
    while (true) {
      if (take("*") || take("×")) {
        value = bounded(value * signed_power());
      } else if (take("/") || take("÷")) {
        value = bounded(quotient(value, signed_power()));
      } else if (take("%")) {
        value = bounded(remainder(value, signed_power()));
      } else {
        return value;
      }
    }
  }

  mpq_class signed_power() {
    const Deeper deeper(*this);
    if (take("-") || take("−")) return -signed_power();
    if (take("+")) return signed_power();
    mpq_class base = percent();
    if (take("^") || take("**")) return bounded(power(base, signed_power()));
    return base;
  }

  mpq_class percent() {
    mpq_class value = primary();
    while (head() == '%' && !operand_at(1)) {
      take("%");
      value /= 100;
    }
    return value;
  }

  mpq_class primary() {
    if (!take("(")) return number();
    const Deeper deeper(*this);
    mpq_class value = sum();
    if (!take(")")) throw InvalidRequest("a parenthesis is not closed");
    return value;
  }

  // Behind a currency sign as without one.
  mpq_class number() {
    if (!take("$") && !take("€")) take("£");
    head();
    std::string digits = take_digits();
    while (!digits.empty() && thousands_follow()) {
      rest_.remove_prefix(1);
      digits += take_digits();
    }
    std::string places;
    if (rest_.size() > 1 && rest_[0] == '.' && is_digit(rest_[1])) {
      rest_.remove_prefix(1);
      places = take_digits();
    } else if (!digits.empty() && rest_.starts_with('.')) {
      rest_.remove_prefix(1);  // "5."
    }
    if (digits.empty() && places.empty()) refuse();
    mpq_class value(mpz_class(digits + places, 10), power_of_ten(places.size()));
    value.canonicalize();
    return bounded(value);
  }

  std::string take_digits() {
    const auto end = std::ranges::find_if_not(rest_, is_digit);
    std::string digits(rest_.begin(), end);
    rest_.remove_prefix(digits.size());
    return digits;
  }

  // A comma and three digits, no more.
  bool thousands_follow() const {
    if (rest_.size() < 4 || rest_[0] != ',') return false;
    return std::ranges::all_of(rest_.substr(1, 3), is_digit) && (rest_.size() == 4 || !is_digit(rest_[4]));
  }

  // What comes next, 0 at the end.
  char head() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0)
      rest_.remove_prefix(1);
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool at_end() { return head() == '\0' && rest_.empty(); }
  bool operand_at(size_t from) const {
    const size_t at = rest_.find_first_not_of(" \t\r\n", from);
    return at != std::string_view::npos && (is_digit(rest_[at]) || rest_[at] == '(' || rest_[at] == '.');
  }
  bool take(std::string_view sign) {
    head();
    if (!rest_.starts_with(sign)) return false;
    if (sign == "*" && rest_.starts_with("**")) return false;
    rest_.remove_prefix(sign.size());
    return true;
  }

  [[noreturn]] void refuse() {
    if (at_end()) throw InvalidRequest("a number is missing at the end of the expression");
    throw InvalidRequest("the expression cannot be read at " + text::quoted(rest_));
  }

  struct Deeper {
    explicit Deeper(Expression& of) : depth(of.depth_) {
      if (++depth > deepest) throw InvalidRequest("the expression is nested too deeply");
    }
    ~Deeper() { --depth; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    int& depth;
  };

  std::string_view rest_;
  int depth_ = 0;
};

// `digits` with a point before the last `places` of them, without zeros at the end.
std::string with_point(std::string digits, size_t places) {
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (places == 0) return digits;
  digits.insert(digits.size() - places, ".");
  digits.resize(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  return digits;
}

// Places of the decimal that the fraction is, or more than most_places where it is none so short.
unsigned places_of(mpz_class denominator) {
  unsigned places = 0;
  while (denominator != 1 && places <= most_places) {
    denominator /= gcd(denominator, mpz_class(10));
    ++places;
  }
  return places;
}

std::string written(const mpq_class& value) {
  const mpq_class size = abs(value);
  size_t places = places_of(size.get_den());
  if (places > most_places) {
    places = rounded_digits;
    // Of a number below 1 the digits count that are not zeros in front.
    for (mpq_class scaled = size * 10; scaled < 1; scaled *= 10) ++places;
  }
  const mpz_class numerator = size.get_num() * power_of_ten(places);
  const mpz_class rounded = (2 * numerator + size.get_den()) / (2 * size.get_den());
  const std::string text = with_point(rounded.get_str(), places);
  return value < 0 ? "-" + text : text;
}

}  // namespace

std::string calculate(std::string_view expression) {
  if (expression.size() > longest)
    throw InvalidRequest("the expression is longer than " + std::to_string(longest) + " characters");
  if (expression.find_first_not_of(" \t\r\n") == std::string_view::npos)
    throw InvalidRequest("the expression is empty");
  return written(Expression(expression).value());
}

}  // namespace lanerope::engine
