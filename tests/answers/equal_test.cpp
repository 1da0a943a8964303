// SPDX-License-Identifier: Apache-2.0
#include "answers/equal.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "answers/extract.h"
#include "answers/math_text.h"
#include "answers/number.h"

namespace lanerope::answers {
namespace {

struct Pair {
  const char* a;
  const char* b;
};

// Judged by hand, both ways round.
void expect_all(const std::vector<Pair>& pairs, bool equal) {
  for (const auto& [a, b] : pairs) {
    EXPECT_EQ(answers_equal(a, b), equal) << a << " | " << b;
    EXPECT_EQ(answers_equal(b, a), equal) << b << " | " << a;
    EXPECT_TRUE(answers_equal(a, a)) << a;
    EXPECT_TRUE(answers_equal(b, b)) << b;
  }
}

TEST(AnswersEqual, Integers) {
  expect_all({{"7", "7"},
              {"7", " 7 "},
              {"7", "07"},
              {"7", "+7"},
              {"7", "7."},
              {"7", "7.0"},
              {"7", "$7$"},
              {"-3",
               "\xe2\x88\x92"
               "3"},
              {"-3", "- 3"},
              {"0", "-0"},
              {"25", "025"},
              {"7", "x = 7"},
              {"7", "n=7"},
              {"7", "\\(7\\)"},
              {"7", "{7}"},
              {"7", "(7)"},
              {"9007199254740993", "9,007,199,254,740,993"},
              {"123456789012345678901234", "123456789012345678901234.0"}},
             true);
  expect_all({{"7", "8"},
              {"7", "-7"},
              {"7", "77"},
              {"12", "1"},
              {"7", ""},
              {"0", ""},
              {"7", "seven"},
              {"9007199254740993", "9007199254740992"},
              {"1000000007", "1000000008"},
              {"100", "1000"},
              {"123456789012345678901234", "123456789012345678901235"},
              {"-123456789012345678901234", "-123456789012345678901235"}},
             false);
}

TEST(AnswersEqual, Commas) {
  expect_all({{"1,234", "1234"},
              {"1,234,567", "1234567"},
              {"1,234.50", "1234.5"},
              {"1{,}234", "1234"},
              {"10,\\!000", "10000"},
              {"1 234", "1,234"},
              {"$1,000", "1000"},
              {"-1,234", "-1234"}},
             true);
  expect_all({{"12,34", "1234"}, {"1,23", "123"}, {"1,234", "234"}, {"1,2,3", "123"}, {"1,234", "1.234"}},
             false);
}

TEST(AnswersEqual, Decimals) {
  expect_all({{"0.5", ".5"},
              {"0.5", "0.50"},
              {"-.25", "-0.25"},
              {"1e3", "1000"},
              {"1.5e3", "1500"},
              {"2.5E-1", "0.25"},
              {"1.5\\times10^3", "1500"},
              {"3 \\cdot 10^{2}", "300"},
              {"0.333", "1/3"},
              {"0.6667", "\\frac{2}{3}"},
              {"1.414", "\\sqrt{2}"},
              {"3.14159", "\\pi"}},
             true);
  expect_all({{"0.5", "5"},
              {"0.5", "0.05"},
              {"0.3", "1/3"},
              {"0.33", "1/3"},
              {"1.4", "\\sqrt{2}"},
              {"0.334", "1/3"},
              {"12.5", "12"},
              {"12.5", "13"},
              {"0.1", "0.11"},
              {"2.50", "2.05"},
              {"3", "\\pi"},
              {"1.5e3", "1.5e4"}},
             false);
}

TEST(AnswersEqual, Fractions) {
  expect_all({{"1/2", "0.5"},
              {"1/2", "\\frac{1}{2}"},
              {"1/2", "\\dfrac{1}{2}"},
              {"1/2", "\\tfrac{1}{2}"},
              {"1/2", "\\frac12"},
              {"1/2", "\\frac1{2}"},
              {"1/2", "\\frac{1}2"},
              {"1/2", "2/4"},
              {"1/2", " 1 / 2 "},
              {"-1/2", "\\frac{-1}{2}"},
              {"-1/2", "-\\frac{1}{2}"},
              {"-1/2", "\\frac{1}{-2}"},
              {"3/2", "1 1/2"},
              {"3/2", "1\\frac{1}{2}"},
              {"11/4", "2 \\frac{3}{4}"},
              {"6/3", "2"},
              {"\\frac{\\pi}{4}", "\\pi/4"},
              {"\\frac{\\sqrt{2}}{2}", "\\frac{1}{\\sqrt2}"},
              {"\\frac{\\sqrt2}{2}", "\\sqrt{2}/2"},
              {"\\frac{1,234}{2}", "617"}},
             true);
  expect_all({{"1/2", "2"},
              {"1/2", "2/1"},
              {"1/2", "1/3"},
              {"1/2", "-1/2"},
              {"11/2", "1 1/2"},
              {"1/2", "12"},
              {"\\frac{11}{2}", "1\\frac12"},
              {"2/3", "3/2"},
              {"\\pi/4", "\\pi/2"}},
             false);
}

TEST(AnswersEqual, Percent) {
  expect_all({{"50%", "50"},
              {"50\\%", "50"},
              {"50%", "0.5"},
              {"50%", "1/2"},
              {"50%", "50 percent"},
              {"50%", "50 %"},
              {"50%", "50 per cent"},
              {"100%", "1"},
              {"12.5%", "0.125"},
              {"12.5%", "1/8"},
              {"$50\\%$", "0.50"},
              {"33 1/3%", "1/3"},
              {"50\\text{ percent}", "50%"}},
             true);
  expect_all({{"50", "0.5"},
              {"50%", "5"},
              {"50%", "5%"},
              {"50%", "0.05"},
              {"0.5%", "0.5 kg of 50%"},
              {"50%", "5000"}},
             false);
}

TEST(AnswersEqual, Units) {
  expect_all({{"18 dollars", "18"},
              {"$18", "18 dollars"},
              {"\\$18.00", "18"},
              {"\xc2\xa3"
               "5",
               "5"},
              {"5\xe2\x82\xac", "5"},
              {"11\\text{ cm}", "11"},
              {"11 cm", "11\\,\\text{cm}"},
              {"11\\mathrm{cm}", "11 cm"},
              {"12 apples", "12"},
              {"12 apples", "12 red apples"},
              {"1 apple", "1 apples"},
              {"5 km/h", "5"},
              {"30 cm^2", "30"},
              {"30\\text{ cm}^2", "30"},
              {"90^\\circ", "90"},
              {"90^{\\circ}", "90\xc2\xb0"},
              {"90 degrees", "90"},
              {"1/2 hour", "0.5 hours"},
              {"1,200 miles", "1200"},
              {"3.5 hours", "7/2"},
              {"12 square feet", "12"},
              {"\\frac{1}{2}\\text{ mile}", "0.5"}},
             true);
  expect_all({{"18 dollars", "18 cents"},
              {"5 m", "5 cm"},
              {"3 hours", "3 minutes"},
              {"12 apples", "13 apples"},
              {"12 apples", "12 pears"},
              {"12 apples", "apples"},
              {"5 km/h", "5 km/s"},
              {"30 cm^2", "900"},
              {"3 and 4", "3"},
              {"3 or 4", "3"},
              {"3x", "3"},
              {"2 x", "2"},
              {"12 of 15", "12"}},
             false);
}

TEST(AnswersEqual, RootsAndPowers) {
  expect_all({{"\\sqrt{16}", "4"},
              {"\\sqrt3", "\\sqrt{3}"},
              {"\\sqrt 3", "\\sqrt{3}"},
              {"10\\sqrt{3}", "\\sqrt{300}"},
              {"\\sqrt[3]{27}", "3"},
              {"2^{10}", "1024"},
              {"2^3", "8"},
              {"10^6", "1,000,000"},
              {"-2^2", "-4"},
              {"(-2)^2", "4"},
              {"2^{-1}", "0.5"},
              {"3+4", "7"},
              {"2\\cdot 3", "6"},
              {"2(3+4)", "14"},
              {"1+\\sqrt{5}", "\\sqrt{5}+1"},
              {"\\frac{1+\\sqrt{5}}{2}", "\\frac{\\sqrt5+1}{2}"},
              {"6\\pi", "6 \\pi"},
              {"\\left(\\frac{1}{2}\\right)^2", "1/4"}},
             true);
  expect_all({{"\\sqrt{16}", "16"},
              {"\\sqrt{2}", "\\sqrt{3}"},
              {"2^{10}", "2^{11}"},
              {"2^10", "1024"},
              {"6\\pi", "6"},
              {"3-4", "3+4"},
              {"\\sqrt[3]{27}", "\\sqrt{27}"},
              {"-2^2", "4"}},
             false);
}

TEST(AnswersEqual, TuplesIntervalsSetsAndLists) {
  expect_all({{"(3, 4)", "(3,4)"},
              {"\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\pi/2)"},
              {"(0.5, 1/4)", "(\\frac12, 0.25)"},
              {"[0, 1)", "[0,1)"},
              {"(-\\infty, 3]", "\\left(-\\infty,3\\right]"},
              {"\\{1, 2\\}", "\\{2,1\\}"},
              {"\\{1,2,2\\}", "\\{2,1,2\\}"},
              {"1, 2, 3", "1,2,3"},
              {"(1,000, 2)", "(1000, 2)"},
              {"((1,2),(3,4))", "( (1, 2), (3, 4.0) )"},
              {"$(1,2)$", "(1,2)"},
              {"(1,234)", "(1, 234)"},
              {"x=1, y=2", "1, 2"},
              {"(-\\infty, 2) \\cup (3, \\infty)", "(-\\infty,2)\\cup(3,\\infty)"},
              {"\\left\\{1,2\\right\\}", "\\{2, 1\\}"},
              {"\\{ \\frac12, 3\\}", "\\{3, 0.5\\}"}},
             true);
  expect_all({{"(3, 4)", "(4, 3)"},
              {"(3, 4)", "(3, 4, 5)"},
              {"(3, 4)", "3"},
              {"[0, 1)", "(0, 1)"},
              {"[0, 1)", "[0, 1]"},
              {"\\{1,2\\}", "\\{1,3\\}"},
              {"\\{1,1,2\\}", "\\{1,2,2\\}"},
              {"1, 2", "2, 1"},
              {"(1, 2)", "\\{1, 2\\}"},
              {"(-\\infty, 3]", "(\\infty, 3]"},
              {"((1,2),(3,4))", "((1,2),(4,3))"},
              {"(3, 4)", "(3, 4"},
              {"(-\\infty, 2) \\cup (3, \\infty)", "(-\\infty, 2) \\cup (4, \\infty)"}},
             false);
}

TEST(AnswersEqual, Expressions) {
  expect_all({{"x^2+1", "x^2 + 1"},
              {"y = 2x + 3", "2x+3"},
              {"\\dfrac{x}{2}", "\\frac{x}{2}"},
              {"\\frac x2", "\\frac{x}{2}"},
              {"2\\left(x+1\\right)", "2(x+1)"},
              {"\\begin{pmatrix}1 \\\\ 2\\end{pmatrix}", "\\begin{pmatrix} 1\\\\2 \\end{pmatrix}"},
              {"x\\,y", "xy"},
              {"\\infty", "\\infty"},
              {"x \\in [0,1]", "x\\in[0, 1]"}},
             true);
  expect_all({{"x^2+1", "x^2-1"},
              {"x", "y"},
              {"x", "X"},
              {"\\frac{x}{2}", "\\frac{2}{x}"},
              {"-\\infty", "\\infty"},
              {"2x", "2"},
              {"x^2", "x^3"},
              {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}2\\\\1\\end{pmatrix}"}},
             false);
}

TEST(AnswersEqual, WordsAndChoices) {
  expect_all({{"Monday", "monday"},
              {"\\text{Monday}", "Monday"},
              {"Yes", "yes."},
              {"(B)", "B"},
              {"\\text{(B)}", "B"},
              {"\\textbf{(C)}", "(C)"},
              {"B.", "B"},
              {"blue whale", "Blue Whale"},
              {"\\mathrm{True}", "true"}},
             true);
  expect_all({{"Monday", "Tuesday"}, {"(B)", "(C)"}, {"yes", "no"}, {"blue whale", "whale"}, {"A", "7"}},
             false);
}

TEST(AnswersEqual, WhatIsHostileIsRefusedQuickly) {
  const auto repeated = [](const std::string& part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  for (const std::string& hostile :
       {repeated("(", 4000),         repeated("{", 4000),         repeated("\\frac", 800),
        repeated("\\frac{1}{", 400), repeated("-", 4000),         repeated("1,", 2000),
        repeated("9^", 1000) + "9",  repeated("\\sqrt", 800),     repeated("(1,", 400) + repeated(")", 400),
        std::string("9^{9^{9^9}}"),  std::string("1e99999"),      std::string("1e-99999"),
        std::string("1/0"),          std::string("\\frac{1}{0}"), std::string("\\frac"),
        std::string("0^{-1}"),       std::string("\\sqrt{-1}"),   std::string("\\text{"),
        std::string("\\"),           repeated("7", 4000),         std::string("\xff\xfe"),
        std::string("1\0002", 3)}) {
    EXPECT_TRUE(answers_equal(hostile, hostile));
    EXPECT_FALSE(answers_equal(hostile, "7"));
    EXPECT_FALSE(answers_equal("(7, 8)", hostile));
    extract_answer(hostile);
    extract_answer("\\boxed{" + hostile);
  }
}

TEST(NormaliseMath, WritesTheSameThingInOneWay) {
  EXPECT_EQ(normalise_math("\\dfrac12"), "\\frac{1}{2}");
  EXPECT_EQ(normalise_math("0.5"), "\\frac{1}{2}");
  EXPECT_EQ(normalise_math("3/4"), "\\frac{3}{4}");
  EXPECT_EQ(normalise_math("\\left( x , y \\right)"), "(x,y)");
  EXPECT_EQ(normalise_math("k = \\sqrt3"), "\\sqrt{3}");
  EXPECT_EQ(normalise_math("\\frac{\\frac12}{3}"), "\\frac{\\frac{1}{2}}{3}");
  EXPECT_EQ(normalise_math("\\leftarrow"), "\\leftarrow") << "a longer command that begins alike";
  EXPECT_EQ(normalise_math(""), "");
}

TEST(NumberValue, IsExactWhereItCanBe) {
  const auto exact = [](const char* text) { return number_value(text).value().exact; };
  EXPECT_EQ(exact("0.125"), (Rational{.top = 1, .bottom = 8}));
  EXPECT_EQ(exact("\\frac{-6}{8}"), (Rational{.top = -3, .bottom = 4}));
  EXPECT_EQ(exact("1/3+1/6"), (Rational{.top = 1, .bottom = 2}));
  EXPECT_EQ(exact("\\sqrt{\\frac{9}{4}}"), (Rational{.top = 3, .bottom = 2}));
  EXPECT_EQ(exact("\\sqrt{2}"), std::nullopt);
  EXPECT_EQ(exact("10^{30}"), std::nullopt) << "more than 64 bits hold";
  EXPECT_EQ(number_value("5 miles").value().unit, "miles");
  EXPECT_FALSE(number_value("5y"));
  EXPECT_FALSE(number_value(""));
}

}  // namespace
}  // namespace lanerope::answers
