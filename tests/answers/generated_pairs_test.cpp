// SPDX-License-Identifier: Apache-2.0
// Hundreds of pairs a kind whose verdict follows from how they are made: one value in two spellings, or two
// values that lie close together.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "answers/equal.h"

namespace lanerope::answers {
namespace {

constexpr int pairs_a_kind = 400;

class GeneratedPairs : public testing::Test {
 protected:
  int64_t number(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }
  std::string text(int64_t least, int64_t most) { return std::to_string(number(least, most)); }
  bool coin() { return number(0, 1) == 1; }
  std::string one_of(const std::vector<std::string>& choices) {
    return choices[static_cast<size_t>(number(0, static_cast<int64_t>(choices.size()) - 1))];
  }

  static void expect(bool equal, const std::string& a, const std::string& b) {
    EXPECT_EQ(answers_equal(a, b), equal) << a << " | " << b;
    EXPECT_EQ(answers_equal(b, a), equal) << b << " | " << a;
  }

  static std::string with_commas(std::string digits) {
    for (auto at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3)
      digits.insert(static_cast<size_t>(at), ",");
    return digits;
  }

  // A whole number in one of the ways in which people write it.
  std::string spelled_whole(int64_t value) {
    const std::string digits = std::to_string(value);
    switch (number(0, 7)) {
      case 0:
        return with_commas(digits);
      case 1:
        return "$" + digits + "$";
      case 2:
        return digits + ".0";
      case 3:
        return "\\boxed{" + digits + "}";
      case 4:
        return "x = " + digits;
      case 5:
        return digits + " \\text{ units}";
      case 6:
        return "\\frac{" + std::to_string(2 * value) + "}{2}";
      default:
        return digits;
    }
  }

  std::mt19937_64 random_{11};
};

TEST_F(GeneratedPairs, WholeNumbers) {
  for (int i = 0; i < pairs_a_kind; ++i) {
    const int64_t value = number(2, 999'999'999'999);
    expect(true, spelled_whole(value), spelled_whole(value));
    expect(false, spelled_whole(value), spelled_whole(value + number(1, 3)));
  }
}

TEST_F(GeneratedPairs, NumbersBeyondSixtyFourBits) {
  for (int i = 0; i < pairs_a_kind; ++i) {
    const std::string exponent = text(64, 2000);
    const std::string base = text(2, 9);
    expect(true, base + "^{" + exponent + "}", base + " \\cdot " + base + "^{" + exponent + "-1}");
    expect(false, base + "^{" + exponent + "}", base + "^{" + exponent + "}" + one_of({"+1", "-1", "+2"}));
    const std::string digits = text(100000000000, 999999999999) + text(100000000000, 999999999999);
    expect(true, digits, with_commas(digits));
    expect(false, digits + "0", digits + "1");
  }
}

TEST_F(GeneratedPairs, Fractions) {
  for (int i = 0; i < pairs_a_kind; ++i) {
    const int64_t top = number(1, 400);
    const int64_t bottom = number(401, 900);
    const int64_t times = number(2, 9);
    const std::string a = one_of({"\\frac{", "\\dfrac{", "\\tfrac{"}) + std::to_string(top) + "}{" +
                          std::to_string(bottom) + "}";
    const std::string b = std::to_string(top * times) + "/" + std::to_string(bottom * times);
    expect(true, a, b);
    expect(true, "3" + a, std::to_string(3 * bottom + top) + "/" + std::to_string(bottom));
    expect(false, a, std::to_string(top * times + 1) + "/" + std::to_string(bottom * times));
    expect(false, a, "-" + b);
    expect(false, a, std::to_string(bottom) + "/" + std::to_string(top));
  }
}

TEST_F(GeneratedPairs, Decimals) {
  for (int i = 0; i < pairs_a_kind; ++i) {
    const std::string front = text(1, 99);
    const std::string behind = text(100, 998) + "1";
    const std::string decimal = front + "." + behind;
    const std::string e = text(2, 30);
    expect(true, decimal, decimal + "000");
    expect(true, decimal, front + behind + "/10000");
    expect(true, decimal + " \\times 10^{" + e + "}", decimal + "e" + e);
    expect(true, decimal + " \\times 10^{-" + e + "}", decimal + "e-" + e);
    expect(false, decimal + "e" + e, decimal + "e" + std::to_string(std::stoi(e) + 1));
    expect(false, decimal + "e-" + e, decimal + "e" + e);
    expect(false, decimal, front + "." + std::to_string(std::stoi(behind) + 5));
    expect(false, decimal, front + behind);
  }
}

TEST_F(GeneratedPairs, Roots) {
  for (int i = 0; i < pairs_a_kind; ++i) {
    const int64_t outside = number(2, 30);
    const int64_t inside =
        std::vector<int64_t>{2, 3, 5, 6, 7, 10, 11, 13, 86, 101}[static_cast<size_t>(number(0, 9))];
    const int64_t whole = number(-40, 40);
    const std::string root = "\\sqrt{" + std::to_string(inside) + "}";
    const std::string out = std::to_string(outside);
    const std::string squared = "\\sqrt{" + std::to_string(outside * outside * inside) + "}";
    const std::string front = std::to_string(whole);
    expect(true, out + root, squared);
    expect(true, front + "+" + out + root, squared + "+" + "(" + front + ")");
    expect(true, "\\frac{" + out + "}{" + root + "}",
           "\\frac{" + out + root + "}{" + std::to_string(inside) + "}");
    expect(false, "-" + out + root, "-" + std::to_string(outside + 1) + root);
    expect(false, front + "+" + out + root, front + "-" + out + root);
    expect(false, "-" + root, "-\\sqrt{" + std::to_string(inside + 1) + "}");
    expect(false, squared, "\\sqrt{" + std::to_string(outside * outside * inside + 1) + "}");
  }
}

TEST_F(GeneratedPairs, Polynomials) {
  const auto term = [](int64_t factor, const std::string& power) {
    return (factor < 0 ? "" : "+") + std::to_string(factor) + power;
  };
  for (int i = 0; i < pairs_a_kind; ++i) {
    const int64_t a = number(1, 9);
    const int64_t b = number(-9, 9);
    const int64_t c = number(-9, 9);
    const std::string product = "(" + std::to_string(a) + "x" + term(b, "") + ")(x" + term(c, "") + ")";
    const std::string sum = std::to_string(a) + "x^2" + term(a * c + b, "x") + term(b * c, "");
    expect(true, product, sum);
    expect(true, "f(x) = " + sum, product);
    expect(true, sum, std::to_string(b * c) + term(a * c + b, "x") + term(a, "x^{2}"));
    expect(true, "\\frac{" + sum + "}{7}",
           "\\frac{" + std::to_string(a) + "x^2}{7}+\\frac{" + std::to_string(a * c + b) + "x}{7}+\\frac{" +
               std::to_string(b * c) + "}{7}");
    expect(false, product, sum + "+1");
    expect(false, sum, std::to_string(a + 1) + "x^2" + term(a * c + b, "x") + term(b * c, ""));
    expect(false, sum + "=0", sum);
  }
}

TEST_F(GeneratedPairs, ListsSetsAndTuples) {
  for (int i = 0; i < pairs_a_kind; ++i) {
    const std::string a = text(-50, 50);
    const std::string b = text(51, 99);
    const std::string c = "\\frac{1}{" + text(2, 9) + "}";
    expect(true, a + ", " + b + ", " + c, c + ", " + a + ", " + b);
    expect(true, a + " and " + b, b + ", " + a);
    expect(true, "\\{" + a + ", " + b + "\\}", "\\left\\{" + b + "," + a + "\\right\\}");
    expect(true, "(" + a + ", " + b + ")", "\\left(" + a + "," + b + "\\right)");
    expect(true, "x = " + a + ", y = " + b, "y=" + b + ", x=" + a);
    expect(false, "(" + a + ", " + b + ")", "(" + b + ", " + a + ")");
    expect(false, "x = " + a + ", y = " + b, "x = " + b + ", y = " + a);
    expect(false, a + ", " + b, a + ", " + b + ", " + c);
    expect(false, a + " and " + b, a);
    expect(false, "\\{" + a + ", " + b + "\\}", "\\{" + a + ", " + b + "0\\}");
  }
}

TEST_F(GeneratedPairs, IntervalsAndInequalities) {
  for (int i = 0; i < pairs_a_kind; ++i) {
    const std::string low = text(-50, 0);
    const std::string high = text(1, 50);
    expect(true, low + " < x \\le " + high, "(" + low + ", " + high + "]");
    expect(true, "x \\ge " + low, "[" + low + ", \\infty)");
    expect(true, "x < " + low + " \\text{ or } x > " + high,
           "(-\\infty, " + low + ") \\cup (" + high + ", \\infty)");
    expect(true, "\\{x | x > " + high + "\\}", high + " < x");
    expect(true, "x \\ne " + high, "(-\\infty," + high + ")\\cup(" + high + ",+\\infty)");
    expect(false, low + " < x \\le " + high, "[" + low + ", " + high + "]");
    expect(false, "x \\ge " + low, "x \\le " + low);
    expect(false, "x > " + low, "[" + low + ", \\infty)");
    expect(false, "[" + low + ", " + high + "]", "[" + low + ", " + high + "1]");
    expect(false, "x > " + high, "y > " + high);
  }
}

TEST_F(GeneratedPairs, UnitsAndMoney) {
  for (int i = 0; i < pairs_a_kind; ++i) {
    const std::string n = text(2, 99);
    const std::string unit =
        one_of({"cm", "kg", "hours", "m/s", "apples", "students", "m^2", "degrees", "K"});
    expect(true, n + " " + unit, n);
    expect(true, n + "\\text{ " + unit + "}", n + " " + unit);
    expect(true, n + " m", n + "00 cm");
    expect(true, "\\$" + n, n + "00 cents");
    expect(true, "\\$" + n + ".00", n + " dollars");
    expect(false, n + " m", n + " cm");
    expect(false, "\\$" + n, n + " cents");
    expect(false, n + " " + unit, n + "1 " + unit);
    expect(false, n + " hours", n + " minutes");
    expect(false, n + "x", n);
  }
}

TEST_F(GeneratedPairs, ChoicesAndWords) {
  for (int i = 0; i < pairs_a_kind; ++i) {
    const auto index = number(0, 8);
    const std::string letter(1, static_cast<char>('A' + index));
    const std::string next(1, static_cast<char>('B' + index));
    const std::string content = text(2, 99);
    const auto written = [&](const std::string& l) {
      return one_of(
          {l, "(" + l + ")", l + ".", "\\text{(" + l + ")}", "\\textbf{(" + l + ")}", "Option " + l});
    };
    expect(true, written(letter), written(letter));
    expect(true, "\\textbf{(" + letter + ")}\\ " + content, content);
    expect(true, "\\textbf{(" + letter + ")}\\ " + content, written(letter));
    expect(true, letter + next, next + ", " + letter);
    expect(false, written(letter), written(next));
    expect(false, written(letter), letter + next);
    expect(false, "(" + letter + ") " + content, "(" + next + ") " + content);
    expect(false, "Yes, " + content + " is prime.", "No, " + content + " is not prime.");
    expect(true, "Yes, " + content + " is prime.", "yes");
  }
}

}  // namespace
}  // namespace lanerope::answers
