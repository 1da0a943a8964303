// SPDX-License-Identifier: Apache-2.0
#include "answers/number.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace lanerope::answers {

namespace {

constexpr int most_depth = 64;

using Exact = std::optional<Rational>;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0;
}

Exact reduced(int64_t top, int64_t bottom) {
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  if (bottom == 0 || top == least || bottom == least) return std::nullopt;
  const int64_t common = std::gcd(top, bottom);
  const int64_t sign = bottom < 0 ? -1 : 1;
  return Rational{.top = sign * top / common, .bottom = sign * bottom / common};
}

std::optional<int64_t> product(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

NumberValue times(const NumberValue& a, const NumberValue& b) {
  NumberValue result{.approximate = a.approximate * b.approximate};
  if (!a.exact || !b.exact) return result;
  const auto top = product(a.exact->top, b.exact->top);
  const auto bottom = product(a.exact->bottom, b.exact->bottom);
  if (top && bottom) result.exact = reduced(*top, *bottom);
  return result;
}

std::optional<NumberValue> inverse(const NumberValue& a) {
  if (a.approximate == 0) return std::nullopt;
  NumberValue result{.approximate = 1 / a.approximate};
  if (a.exact) result.exact = reduced(a.exact->bottom, a.exact->top);
  return result;
}

NumberValue sum(const NumberValue& a, const NumberValue& b) {
  NumberValue result{.approximate = a.approximate + b.approximate};
  if (!a.exact || !b.exact) return result;
  const auto left = product(a.exact->top, b.exact->bottom);
  const auto right = product(b.exact->top, a.exact->bottom);
  const auto bottom = product(a.exact->bottom, b.exact->bottom);
  int64_t top = 0;
  if (left && right && bottom && !__builtin_add_overflow(*left, *right, &top)) {
    result.exact = reduced(top, *bottom);
  }
  return result;
}

NumberValue negative(NumberValue a) {
  a.approximate = -a.approximate;
  if (a.exact) a.exact->top = -a.exact->top;
  return a;
}

NumberValue integer(int64_t value) {
  return {.exact = Rational{.top = value}, .approximate = static_cast<long double>(value)};
}

std::optional<NumberValue> power(const NumberValue& base, const NumberValue& exponent) {
  NumberValue result{.approximate = std::pow(base.approximate, exponent.approximate)};
  if (!std::isfinite(result.approximate)) return std::nullopt;
  const bool whole = exponent.exact && exponent.exact->bottom == 1 && std::abs(exponent.exact->top) <= 64;
  if (!whole || !base.exact) return result;
  NumberValue exact = integer(1);
  for (int64_t i = 0; i < std::abs(exponent.exact->top); ++i) exact = times(exact, base);
  if (exponent.exact->top < 0) {
    const auto turned = inverse(exact);
    if (!turned) return std::nullopt;
    exact = *turned;
  }
  result.exact = exact.exact;
  return result;
}

std::optional<NumberValue> root(const NumberValue& of, const NumberValue& degree) {
  const auto part = inverse(degree);
  if (!part || of.approximate < 0) return std::nullopt;
  NumberValue result{.approximate = std::pow(of.approximate, part->approximate)};
  const bool whole =
      degree.exact && degree.exact->bottom == 1 && degree.exact->top > 0 && degree.exact->top <= 16;
  if (!whole || !of.exact) return result;
  const long double power_of_top = std::pow(static_cast<long double>(of.exact->top), part->approximate);
  const long double power_of_bottom = std::pow(static_cast<long double>(of.exact->bottom), part->approximate);
  const Exact guess = reduced(std::llround(power_of_top), std::llround(power_of_bottom));
  if (!guess) return result;
  const auto back = power({.exact = guess, .approximate = result.approximate}, degree);
  if (back && back->exact == of.exact) result.exact = guess;
  return result;
}

// Reads one expression from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<NumberValue> expression() {
    if (++depth_ > most_depth) return std::nullopt;
    auto value = term();
    while (value) {
      const bool minus = peek() == '-';
      if (!minus && peek() != '+') break;
      ++at_;
      const auto next = term();
      value = next ? std::optional(sum(*value, minus ? negative(*next) : *next)) : std::nullopt;
    }
    --depth_;
    return value;
  }

  std::string_view rest() const { return text_.substr(at_); }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  char peek() {
    skip_spaces();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(std::string_view word) {
    skip_spaces();
    if (!text_.substr(at_).starts_with(word)) return false;
    const size_t end = at_ + word.size();
    const bool command = word.size() > 1 && std::isalpha(static_cast<unsigned char>(word.back())) != 0;
    if (command && end < text_.size() && std::isalpha(static_cast<unsigned char>(text_[end])) != 0)
      return false;
    at_ = end;
    return true;
  }

  std::optional<NumberValue> term() {
    auto value = factor();
    while (value) {
      const size_t before = at_;
      std::optional<NumberValue> next;
      if (accept("*") || accept("\\cdot") || accept("\\times") || accept("\xc3\x97")) {
        next = factor();
      } else if (accept("/") || accept("\\div") || accept("\xc3\xb7")) {
        next = factor();
        // "km/h": the slash belongs to a unit.
        if (next) next = inverse(*next);
      } else if (peek() == '(' || peek() == '\\') {
        next = factor();
        if (!next) {
          at_ = before;
          return value;
        }
      } else {
        return value;
      }
      value = next ? std::optional(times(*value, *next)) : std::nullopt;
    }
    return value;
  }

  std::optional<NumberValue> factor() {
    if (++depth_ > most_depth) return std::nullopt;
    std::optional<NumberValue> value;
    if (accept("-")) {
      value = factor();
      if (value) value = negative(*value);
    } else if (accept("+")) {
      value = factor();
    } else {
      value = atom();
      if (value && peek() == '^') {
        ++at_;
        const auto exponent = argument();
        value = exponent ? power(*value, *exponent) : std::nullopt;
      }
    }
    --depth_;
    return value;
  }

  std::optional<NumberValue> enclosed(char close) {
    auto value = expression();
    if (!value || peek() != close) return std::nullopt;
    ++at_;
    return value;
  }

  // Of \frac, \sqrt and ^: in braces, or one digit; after ^ also a signed number.
  std::optional<NumberValue> argument() {
    if (peek() == '{') {
      ++at_;
      return enclosed('}');
    }
    if (is_digit(peek())) return integer(text_[at_++] - '0');
    return atom();
  }

  std::optional<NumberValue> atom() {
    if (++depth_ > most_depth) return std::nullopt;
    auto value = plain_atom();
    --depth_;
    return value;
  }

  std::optional<NumberValue> plain_atom() {
    const char c = peek();
    if (is_digit(c) || c == '.') return mixed();
    if (c == '(' || c == '{') {
      ++at_;
      return enclosed(c == '(' ? ')' : '}');
    }
    if (text_.substr(at_).starts_with("\\frac")) {
      at_ += 5;
      const auto top = argument();
      const auto bottom = top ? argument() : std::nullopt;
      const auto below = bottom ? inverse(*bottom) : std::nullopt;
      return below ? std::optional(times(*top, *below)) : std::nullopt;
    }
    if (text_.substr(at_).starts_with("\\sqrt")) {
      at_ += 5;
      std::optional<NumberValue> degree = integer(2);
      if (peek() == '[') {
        ++at_;
        degree = enclosed(']');
      }
      const auto of = degree ? argument() : std::nullopt;
      return of ? root(*of, *degree) : std::nullopt;
    }
    if (accept("\\pi") || accept("pi") || accept("\xcf\x80"))
      return NumberValue{.approximate = std::numbers::pi_v<long double>};
    return std::nullopt;
  }

  // A number, and a fraction behind it that is added to it: "1 1/2", "1\frac{1}{2}".
  std::optional<NumberValue> mixed() {
    const auto whole = number();
    if (!whole || !whole->exact || whole->exact->bottom != 1 || whole->decimals >= 0) return whole;
    const size_t before = at_;
    const bool spaced = at_ < text_.size() && text_[at_] == ' ';
    if (peek() == '\\' && text_.substr(at_).starts_with("\\frac")) {
      const auto fraction = plain_atom();
      const bool proper = fraction && fraction->exact && fraction->exact->bottom != 1 &&
                          fraction->exact->top > 0 && fraction->exact->top < fraction->exact->bottom;
      if (proper) return sum(*whole, *fraction);
    } else if (spaced && is_digit(peek())) {
      const auto top = number();
      if (top && at_ < text_.size() && text_[at_] == '/') {
        ++at_;
        const auto bottom = is_digit(peek()) ? number() : std::nullopt;
        const auto below = bottom ? inverse(*bottom) : std::nullopt;
        if (below) return sum(*whole, times(*top, *below));
      }
    }
    at_ = before;
    return whole;
  }

  bool thousands_follow() const {
    const auto digit = [&](size_t i) { return i < text_.size() && is_digit(text_[i]); };
    const bool three = digit(at_ + 1) && digit(at_ + 2) && digit(at_ + 3) && !digit(at_ + 4);
    if (!three) return false;
    // "1 234" is one number, "1 234/500" a mixed one.
    return text_[at_] == ',' || (text_[at_] == ' ' && !text_.substr(at_ + 4).starts_with('/'));
  }

  std::optional<NumberValue> number() {
    std::string digits;
    const auto take = [&] {
      while (at_ < text_.size() && is_digit(text_[at_])) digits += text_[at_++];
    };
    take();
    while (!digits.empty() && thousands_follow()) {
      ++at_;
      take();
    }
    NumberValue value;
    if (at_ + 1 < text_.size() && text_[at_] == '.' && is_digit(text_[at_ + 1])) {
      ++at_;
      const size_t whole = digits.size();
      take();
      value.decimals = static_cast<int32_t>(digits.size() - whole);
    }
    if (digits.empty()) return std::nullopt;
    const size_t first = std::min(digits.find_first_not_of('0'), digits.size());
    value.significant = static_cast<int32_t>(digits.size() - first);
    const int32_t exponent = scientific() - std::max(value.decimals, 0);
    value.approximate = std::strtold((digits + "e" + std::to_string(exponent)).c_str(), nullptr);
    if (!std::isfinite(value.approximate)) return std::nullopt;
    value.exact = decimal(digits, exponent);
    return value;
  }

  // "e5" behind a number; 0 where there is none.
  int32_t scientific() {
    size_t i = at_;
    if (i >= text_.size() || (text_[i] != 'e' && text_[i] != 'E')) return 0;
    ++i;
    const bool minus = i < text_.size() && text_[i] == '-';
    if (minus || (i < text_.size() && text_[i] == '+')) ++i;
    int32_t value = 0;
    size_t digits = 0;
    for (; i < text_.size() && is_digit(text_[i]) && digits < 5; ++i, ++digits)
      value = 10 * value + text_[i] - '0';
    if (digits == 0 || digits == 5 || (i < text_.size() && is_letter(text_[i]))) return 0;
    at_ = i;
    return minus ? -value : value;
  }

  static Exact decimal(std::string_view digits, int32_t exponent) {
    while (digits.size() > 1 && digits.ends_with('0') && exponent < 0) {
      digits.remove_suffix(1);
      ++exponent;
    }
    int64_t top = 0;
    for (const char c : digits) {
      const auto shifted = product(top, 10);
      if (!shifted || __builtin_add_overflow(*shifted, c - '0', &top)) return std::nullopt;
    }
    int64_t scale = 1;
    for (int32_t i = 0; i < std::min(std::abs(exponent), 19); ++i) {
      const auto more = product(scale, 10);
      if (!more) return std::nullopt;
      scale = *more;
    }
    if (exponent < 0) return reduced(top, scale);
    const auto whole = product(top, scale);
    return whole ? reduced(*whole, 1) : std::nullopt;
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

// The words behind a number, where they can be a unit: not "and", not a product with a variable.
std::optional<std::string> unit_of(std::string_view rest) {
  constexpr std::array<std::string_view, 14> joined = {"cm", "mm", "km", "kg", "mg", "ml", "lb",
                                                       "oz", "ft", "in", "hr", "am", "pm", "hz"};
  constexpr std::string_view short_units = "mgshlnjwvcf";
  constexpr std::array<std::string_view, 4> joints = {"and", "or", "to", "plus"};
  const bool spaced = rest.starts_with(' ');
  std::string unit;
  for (const char c : rest) unit += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  unit.erase(0, std::min(unit.find_first_not_of(' '), unit.size()));
  const auto allowed = [](char c) {
    return is_letter(c) || c == ' ' || c == '^' || c == '/' || c == '.' || c == '-' || c == '2' || c == '3';
  };
  if (unit.empty() || !is_letter(unit.front()) || !std::ranges::all_of(unit, allowed)) return std::nullopt;
  const auto end = std::ranges::find_if_not(unit, is_letter);
  const std::string word(unit.begin(), end);
  if (std::ranges::find(joints, word) != joints.end()) return std::nullopt;
  const bool known = std::ranges::find(joined, word) != joined.end();
  const bool is_unit = word.size() >= 3 || known ||
                       (spaced && (word.size() == 2 || short_units.find(word) != std::string_view::npos));
  return is_unit ? std::optional(unit) : std::nullopt;
}

bool terminates(Rational value) {
  while (value.bottom % 2 == 0) value.bottom /= 2;
  while (value.bottom % 5 == 0) value.bottom /= 5;
  return value.bottom == 1;
}

bool within(const NumberValue& a, const NumberValue& b, long double tolerance) {
  return std::abs(a.approximate - b.approximate) <= tolerance;
}

long double half_of_last_digit(const NumberValue& decimal) {
  return 0.5L * std::pow(10.0L, -static_cast<long double>(decimal.decimals)) * (1 + 1e-9L);
}

bool is_rounding_of(const NumberValue& decimal, const NumberValue& value) {
  constexpr long double usual = 1e-4L;
  if (value.exact && value.exact->bottom == 1) return false;
  if (decimal.significant >= 3 && within(decimal, value, half_of_last_digit(decimal))) return true;
  if (value.exact && terminates(*value.exact)) return false;
  return within(decimal, value, usual * std::abs(value.approximate));
}

}  // namespace

std::optional<NumberValue> number_value(std::string_view clean) {
  Reader reader(clean);
  auto value = reader.expression();
  if (!value || !std::isfinite(value->approximate)) return std::nullopt;
  const std::string_view rest = reader.rest();
  if (rest.find_first_not_of(' ') == std::string_view::npos) return value;
  const auto unit = unit_of(rest);
  if (!unit) return std::nullopt;
  value->unit = *unit;
  return value;
}

bool values_equal(const NumberValue& a, const NumberValue& b) {
  if (a.exact && b.exact && *a.exact == *b.exact) return true;
  if (a.decimals >= 0 && b.decimals >= 0) {
    const NumberValue& shorter = a.decimals < b.decimals ? a : b;
    return a.decimals != b.decimals && shorter.decimals >= 3 && within(a, b, half_of_last_digit(shorter));
  }
  if (a.decimals >= 0) return is_rounding_of(a, b);
  if (b.decimals >= 0) return is_rounding_of(b, a);
  if (a.exact && b.exact) return false;
  return within(a, b, 1e-12L * std::max(std::abs(a.approximate), std::abs(b.approximate)));
}

NumberValue hundredth(const NumberValue& value) {
  NumberValue result = times(value, {.exact = Rational{.top = 1, .bottom = 100}, .approximate = 0.01L});
  if (value.decimals >= 0) result.decimals = value.decimals + 2;
  result.significant = value.significant;
  result.unit = value.unit;
  return result;
}

}  // namespace lanerope::answers
