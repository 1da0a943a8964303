// SPDX-License-Identifier: Apache-2.0
#include "eval/judge_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "lanerope/errors.h"
#include "tests/support/random_models.h"

namespace lanerope::eval {
namespace {

using testing::ElementsAre;

const EvalQuestion question{.text = "Write it."};

EvalRecord record_of(int64_t number) {
  return {.question = number, .lanes = {{.answer = "code", .ended = true}, {.ended = false}}};
}

// The numbers of the records that were handed on, once each lane has its verdict.
struct Handed {
  std::vector<int64_t> numbers = {};
  JudgeQueue::Sink sink() {
    return [this](const EvalRecord& record) {
      EXPECT_EQ(record.lanes[0].passed, true);
      EXPECT_EQ(record.lanes[1].passed, false);
      numbers.push_back(record.question);
    };
  }
};

TEST(JudgeQueue, WaitsForNoVerdictAndHandsRecordsOnInTheirOrder) {
  const std::string gate = support::new_file(".gate");
  Handed handed;
  JudgeQueue queue({.command = "while [ ! -e " + gate + " ]; do sleep 0.05; done; echo 1"}, handed.sink());
  queue.add(record_of(3), question);
  queue.add(record_of(1), question);
  queue.poll();
  EXPECT_THAT(handed.numbers, ElementsAre());
  EXPECT_EQ(queue.size(), 2U);
  std::ofstream(gate).close();
  EXPECT_TRUE(queue.wait(1, {}));
  EXPECT_THAT(handed.numbers, ElementsAre(3));
  EXPECT_TRUE(queue.wait(0, {}));
  EXPECT_THAT(handed.numbers, ElementsAre(3, 1));
}

TEST(JudgeQueue, WithoutACommandHandsRecordsOnAtOnce) {
  std::vector<int64_t> numbers;
  JudgeQueue queue({}, [&](const EvalRecord& record) {
    EXPECT_FALSE(record.lanes[0].passed.has_value());
    numbers.push_back(record.question);
  });
  queue.add(record_of(2), question);
  EXPECT_THAT(numbers, ElementsAre(2));
  EXPECT_EQ(queue.size(), 0U);
}

TEST(JudgeQueue, StopsWhenAskedAndKillsTheCommand) {
  const auto start = std::chrono::steady_clock::now();
  {
    Handed handed;
    JudgeQueue queue({.command = "sleep 60; echo 1"}, handed.sink());
    queue.add(record_of(0), question);
    queue.poll();
    EXPECT_FALSE(queue.wait(0, [] { return true; }));
    EXPECT_THAT(handed.numbers, ElementsAre());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(JudgeQueue, PassesAFailureOn) {
  Handed handed;
  JudgeQueue queue({.command = "exit 3"}, handed.sink());
  queue.add(record_of(0), question);
  EXPECT_THROW(queue.wait(0, {}), SystemError);
}

}  // namespace
}  // namespace lanerope::eval
