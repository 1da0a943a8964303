// SPDX-License-Identifier: Apache-2.0
// Pairs that a person judged, a file for each kind of answer.
#include "tests/answers/pair_tables.h"

#include <gtest/gtest.h>

#include "answers/equal.h"

namespace lanerope::answers {
namespace {

TEST(PairTables, AreJudgedAsAPersonJudgesThem) {
  size_t n = 0;
  for (const auto& file : pair_files()) {
    for (const auto& [equal, a, b] : pairs_in(file)) {
      EXPECT_EQ(answers_equal(a, b), equal) << file.stem() << ": " << a << " | " << b;
      EXPECT_EQ(answers_equal(b, a), equal) << file.stem() << ": " << b << " | " << a;
      EXPECT_TRUE(answers_equal(a, a)) << a;
      EXPECT_TRUE(answers_equal(b, b)) << b;
      ++n;
    }
  }
  EXPECT_GT(n, 1300U);
}

// What stands around an answer changes no verdict.
TEST(PairTables, AreJudgedTheSameInFormulasAndBoxes) {
  for (const auto& file : pair_files()) {
    if (file.stem() == "words" || file.stem() == "yes_no" || file.stem() == "money") continue;
    for (const auto& [equal, a, b] : pairs_in(file)) {
      if (a.find('$') != std::string::npos || b.find('$') != std::string::npos || a.empty()) continue;
      EXPECT_EQ(answers_equal("$" + a + "$", b), equal) << a << " | " << b;
      EXPECT_EQ(answers_equal(a, "\\boxed{" + b + "}"), equal) << a << " | " << b;
      EXPECT_EQ(answers_equal(" " + a + " ", "\\(" + b + "\\)"), equal) << a << " | " << b;
    }
  }
}

}  // namespace
}  // namespace lanerope::answers
