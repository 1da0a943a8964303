// SPDX-License-Identifier: Apache-2.0
// What the calculator makes of an expression; the values were computed by hand or with Python's fractions.
#include "engine/tools/calculator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lanerope/errors.h"

namespace lanerope::engine {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& expression) {
  try {
    return "no refusal but " + calculate(expression);
  } catch (const InvalidRequest& error) {
    return error.what();
  }
}

TEST(Calculator, KeepsToTheOrderOfOperations) {
  EXPECT_EQ(calculate("48/2"), "24");
  EXPECT_EQ(calculate("2+3*4"), "14");
  EXPECT_EQ(calculate("(2+3)*4"), "20");
  EXPECT_EQ(calculate("2-3-4"), "-5");
  EXPECT_EQ(calculate("16/4/2"), "2");
  EXPECT_EQ(calculate("2^3^2"), "512");
  EXPECT_EQ(calculate("-2^2"), "-4");
  EXPECT_EQ(calculate("2^-2"), "0.25");
  EXPECT_EQ(calculate("2**10"), "1024");
  EXPECT_EQ(calculate("3 × 4 ÷ 6 − 1"), "1");
  EXPECT_EQ(calculate("--3"), "3");
}

TEST(Calculator, ReadsNumbersAsPeopleWriteThem) {
  EXPECT_EQ(calculate("1,234,567.5*2"), "2469135");
  EXPECT_EQ(calculate(".5+.25"), "0.75");
  EXPECT_EQ(calculate("5.*2"), "10");
  EXPECT_EQ(calculate("10 * 12 + $50"), "170");
  EXPECT_EQ(calculate("34500-$30,000"), "4500");
  EXPECT_EQ(calculate("€ 2.50 - £.5"), "2");
  EXPECT_THAT(refusal("2+$"), HasSubstr("a number is missing"));
  EXPECT_THAT(refusal("$$2"), HasSubstr("cannot be read at"));
  EXPECT_THAT(refusal("1,23"), HasSubstr("cannot be read at"));
  EXPECT_THAT(refusal("1,2345"), HasSubstr("cannot be read at"));
}

TEST(Calculator, TellsARemainderFromAPercentSign) {
  EXPECT_EQ(calculate("20%*50"), "10");
  EXPECT_EQ(calculate("50*20%"), "10");
  EXPECT_EQ(calculate("(5+5)%"), "0.1");
  EXPECT_EQ(calculate("17%5"), "2");
  EXPECT_EQ(calculate("-17%5"), "3");
  EXPECT_EQ(calculate("7.5%2"), "1.5");
}

TEST(Calculator, IsExactAndRoundsOnlyWhatDoesNotEnd) {
  EXPECT_EQ(calculate("0.1+0.2"), "0.3");
  EXPECT_EQ(calculate("1/3*3"), "1");
  EXPECT_EQ(calculate("1/4096"), "0.000244140625");
  EXPECT_EQ(calculate("100/3"), "33.333333");
  EXPECT_EQ(calculate("-2/3"), "-0.666667");
  EXPECT_EQ(calculate("1/3000"), "0.000333333");
  EXPECT_EQ(calculate("1/8192"), "0.00012207") << "13 places are too many: six digits";
  EXPECT_EQ(calculate("999999.9999999/3*3"), "999999.9999999");
  EXPECT_EQ(calculate("2^100"), "1267650600228229401496703205376");
  EXPECT_EQ(calculate("0*5-0"), "0");
  EXPECT_EQ(calculate("(-1)^1000001"), "-1");
  EXPECT_EQ(calculate("0^0"), "1");
}

TEST(Calculator, SaysInASentenceWhatItCannotDo) {
  EXPECT_EQ(refusal(""), "the expression is empty");
  EXPECT_EQ(refusal("1/0"), "there is a division by zero");
  EXPECT_EQ(refusal("5%0"), "there is a division by zero") << "an operand follows: a remainder";
  EXPECT_EQ(refusal("0^-1"), "there is a division by zero");
  EXPECT_EQ(refusal("2^0.5"), "only whole exponents can be computed");
  EXPECT_EQ(refusal("(1+2"), "a parenthesis is not closed");
  EXPECT_EQ(refusal("1+"), "a number is missing at the end of the expression");
  EXPECT_EQ(refusal("48 apples"), "the expression cannot be read at \"apples\"");
}

TEST(Calculator, IsBounded) {
  EXPECT_EQ(refusal("9^9^9"), "the numbers become too large");
  EXPECT_EQ(refusal("2^4096"), "the numbers become too large");
  EXPECT_EQ(calculate("2^4000").size(), 1205U);
  EXPECT_EQ(refusal(std::string(999, '(')), "the expression is nested too deeply");
  EXPECT_EQ(refusal(std::string(999, '-')), "the expression is nested too deeply");
  EXPECT_EQ(refusal(std::string(1001, '1')), "the expression is longer than 1000 characters");
}

}  // namespace
}  // namespace lanerope::engine
