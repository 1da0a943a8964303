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

EvalRecord judged(const JudgeOptions& options) {
  Judgement judgement(three_lanes(), question, options);
  while (!judgement.done(std::chrono::seconds(1))) {
  }
  return judgement.take();
}

TEST(Judge, AsksTheCommandAboutEachLaneThatCameToItsEnd) {
  const EvalRecord record =
      judged({.command = "grep -c '\"answer\":\"good\".*\"row\":{\"test\":\"check()\"}' || true"});
  EXPECT_EQ(record.lanes[0].passed, true);
  EXPECT_EQ(record.lanes[1].passed, false);
  EXPECT_EQ(record.lanes[2].passed, false) << "cut off";
  EXPECT_EQ(record.lanes[3].passed, false) << "no code";
}

TEST(Judge, ThatTakesTooLongHasNotPassed) {
  const auto start = std::chrono::steady_clock::now();
  const EvalRecord record =
      judged({.command = "read line; case $line in *good*) echo 1;; *) sleep 60;; esac", .timeout = 0.5});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_EQ(record.lanes[0].passed, true);
  EXPECT_EQ(record.lanes[1].passed, false);
}

TEST(Judge, ThatFailsIsAnError) {
  const auto refusal = [](const std::string& command) -> std::string {
    try {
      judged({.command = command});
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
