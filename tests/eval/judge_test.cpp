// SPDX-License-Identifier: Apache-2.0
#include "eval/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "lanerope/errors.h"

namespace lanerope::eval {
namespace {

using testing::HasSubstr;

EvalRecord three_lanes() {
  return {.lanes = {{.text = "the code", .answer = "good", .ended = true},
                    {.answer = "bad", .ended = true},
                    {.answer = "good", .ended = false},
                    {.ended = true}}};
}

const EvalQuestion question{.text = "Write it.", .row = {{"test", "check()"}}};

TEST(Judge, AsksTheCommandAboutEachLaneThatCameToItsEnd) {
  EvalRecord record = three_lanes();
  judge(record, question,
        {.command = "grep -c '\"answer\":\"good\".*\"row\":{\"test\":\"check()\"}' || true"});
  EXPECT_EQ(record.lanes[0].passed, true);
  EXPECT_EQ(record.lanes[1].passed, false);
  EXPECT_EQ(record.lanes[2].passed, false) << "cut off";
  EXPECT_EQ(record.lanes[3].passed, false) << "no code";
}

TEST(Judge, ThatTakesTooLongHasNotPassed) {
  EvalRecord record = three_lanes();
  const auto start = std::chrono::steady_clock::now();
  judge(record, question,
        {.command = "read line; case $line in *good*) echo 1;; *) sleep 60;; esac", .timeout = 0.5});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_EQ(record.lanes[0].passed, true);
  EXPECT_EQ(record.lanes[1].passed, false);
}

TEST(Judge, ThatFailsIsAnError) {
  const auto refusal = [](const std::string& command) -> std::string {
    EvalRecord record = three_lanes();
    try {
      judge(record, question, {.command = command});
    } catch (const SystemError& error) {
      return error.what();
    }
    return "(not refused)";
  };
  EXPECT_THAT(refusal("exit 3"), HasSubstr("the judge failed (exit status 3)"));
  EXPECT_THAT(refusal("echo yes"), HasSubstr("one number a lane"));
}

}  // namespace
}  // namespace lanerope::eval
