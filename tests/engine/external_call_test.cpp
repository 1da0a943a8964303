// SPDX-License-Identifier: Apache-2.0
#include "engine/external_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>

namespace lanerope::engine {
namespace {

using std::chrono::seconds;

CallOptions options(const std::string& command, double timeout = 20) {
  return {.command = command, .what = "the tool", .timeout = timeout};
}

TEST(ExternalCall, GivesWhatTheCommandWroteOfItsInput) {
  ExternalCall call(options("tr a-z A-Z"), "lanes\n");
  const std::optional<CallResult> result = call.poll(seconds(10));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "LANES\n");
  EXPECT_EQ(result->failure, "");
  EXPECT_FALSE(call.poll(seconds(0))) << "once";
}

TEST(ExternalCall, IsWaitedForNoLongerThanIsAsked) {
  ExternalCall call(options("sleep 30"), "");
  EXPECT_FALSE(call.poll(std::chrono::milliseconds(1)));
}

TEST(ExternalCall, IsKilledWhenItGoesAway) {
  const auto start = std::chrono::steady_clock::now();
  {
    const ExternalCall call(options("sleep 30"), "");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

TEST(ExternalCall, StopsWhenAsked) {
  std::stop_source stop;
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_NE(run_call(options("sleep 60", 60), "", stop.get_token()).failure, "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
  later.join();
}

TEST(ExternalCall, SaysByItsNameWhyThereIsNoResult) {
  EXPECT_THAT(run_call(options("exit 3"), "").failure, testing::HasSubstr("the tool failed (exit status 3)"));
  EXPECT_THAT(run_call(options("sleep 30", 0.1), "").failure, testing::HasSubstr("the tool took too long"));
}

}  // namespace
}  // namespace lanerope::engine
