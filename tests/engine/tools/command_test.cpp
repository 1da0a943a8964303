// SPDX-License-Identifier: Apache-2.0
// Programs of the user's as tools.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "engine/tools/words.h"
#include "lanerope/errors.h"
#include "lanerope/tool.h"

namespace lanerope::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string result(const ToolCommand& command, const std::string& arguments = "{}") {
  return command_tool(command).run(arguments, {});
}

std::string failure(const ToolCommand& command) {
  try {
    return "no failure but " + result(command);
  } catch (const SystemError& error) {
    return error.what();
  }
}

TEST(Words, ArePartedBySpaceOutsideOfQuotes) {
  EXPECT_THAT(split_words("python3  tool.py\t-x"), ElementsAre("python3", "tool.py", "-x"));
  EXPECT_THAT(split_words(R"(a 'b c' "d 'e'" f\ g "\"" '\')"),
              ElementsAre("a", "b c", "d 'e'", "f g", "\"", "\\"));
  EXPECT_THAT(split_words("a '' b"), ElementsAre("a", "", "b"));
  EXPECT_THAT(split_words("echo $HOME *.c; rm | x"), ElementsAre("echo", "$HOME", "*.c;", "rm", "|", "x"));
  EXPECT_THROW(split_words("a 'b"), InvalidRequest);
  EXPECT_THROW(split_words("  "), InvalidRequest);
}

TEST(CommandTool, ReadsItsArgumentsAndWritesItsResult) {
  EXPECT_EQ(result({.name = "echo", .command = "cat"}, R"({"input":"x"})"), R"({"input":"x"})");
  EXPECT_EQ(result({.name = "json", .command = R"(echo '"a\nb"')"}), "a\nb") << "a JSON text is what it says";
  EXPECT_EQ(result({.name = "none", .command = "echo '$HOME;'"}), "$HOME;\n") << "no shell reads it";
}

TEST(CommandTool, ThatFailsSaysSo) {
  EXPECT_EQ(failure({.name = "bad", .command = "false"}), "bad failed (exit status 1)");
  EXPECT_EQ(failure({.name = "gone", .command = "/no/such/program"}), "gone could not be started");
}

TEST(CommandTool, HasSoMuchMemory) {
  constexpr auto eat = "awk 'BEGIN { s = \"x\"; while (length(s) < 200000000) s = s s; print length(s) }'";
  EXPECT_THAT(failure({.name = "eater", .command = eat, .most_memory = 64 << 20}), HasSubstr("eater failed"));
  EXPECT_EQ(result({.name = "eater", .command = eat}), "268435456\n");
}

TEST(CommandTool, EndsWithAllThatItStartedWhenItIsStopped) {
  const Tool tool = command_tool({.name = "sleeper", .command = "sh -c 'sleep 1000 & sleep 1000'"});
  std::stop_source stop;
  std::jthread stopper([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  EXPECT_THROW(tool.run("{}", stop.get_token()), SystemError);
}

}  // namespace
}  // namespace lanerope::engine
