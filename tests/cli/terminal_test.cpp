// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/program.h"

namespace lanerope::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view enter_alternate = "\033[?1049h";
constexpr std::string_view leave_alternate = "\033[?1049l";

std::vector<std::string> run_tiny(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"run", "-m", tiny_model(), "--seed", "7"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

struct Screens {
  std::string live;     // drawn on the alternate screen
  std::string lasting;  // what stays in the scrollback
};

Screens split(const std::string& out) {
  const size_t enter = out.find(enter_alternate);
  const size_t leave = out.find(leave_alternate);
  EXPECT_NE(enter, std::string::npos);
  EXPECT_NE(leave, std::string::npos);
  EXPECT_EQ(out.find(enter_alternate, enter + 1), std::string::npos);
  return {.live = out.substr(enter, leave - enter), .lasting = out.substr(leave + leave_alternate.size())};
}

TEST(Terminal, LanesAreBoxesWhileTheyRunAndTheAnswerStays) {
  const Outcome outcome = run_in_terminal({.arguments = run_tiny({"-n", "3", "-b", "40", "hello"})});
  ASSERT_EQ(outcome.status, 0) << outcome.out;
  const Screens screens = split(outcome.out);
  EXPECT_THAT(screens.live, HasSubstr("lane 3"));
  EXPECT_THAT(screens.live, HasSubstr("╭"));
  EXPECT_THAT(screens.lasting, HasSubstr("★ lane "));
  EXPECT_THAT(screens.lasting, HasSubstr("40/40"));
  EXPECT_THAT(screens.lasting, HasSubstr(" of 3, selected by "));
  const Outcome quiet = run_program({.arguments = run_tiny({"-n", "3", "-b", "40", "-q", "hello"})});
  const std::string answer = quiet.out.substr(0, quiet.out.find('\n'));
  EXPECT_THAT(screens.lasting, HasSubstr(answer));
}

TEST(Terminal, NarrowOnesStackTheLanes) {
  const Outcome outcome =
      run_in_terminal({.arguments = run_tiny({"-n", "2", "-b", "20", "hello"}), .columns = 40, .rows = 24});
  const std::string lasting = split(outcome.out).lasting;
  EXPECT_THAT(lasting, Not(HasSubstr("╮╭")));
  EXPECT_THAT(lasting, HasSubstr("lane 1"));
  EXPECT_THAT(lasting, HasSubstr("lane 2"));
}

TEST(Terminal, CtrlCEndsTheLanesAndRestoresTheTerminal) {
  const Outcome outcome =
      run_in_terminal({.arguments = run_tiny({"-n", "8", "-b", "500", "--ignore-end", "hello"}),
                       .type_after = "lanes running",
                       .typed = "\x03"});
  EXPECT_EQ(outcome.status, 130);
  const std::string lasting = split(outcome.out).lasting;
  EXPECT_THAT(lasting, HasSubstr("cancelled"));
  EXPECT_THAT(outcome.out, HasSubstr("\033[?25h"));
}

TEST(Terminal, PlainOneHasNoBoxes) {
  const Outcome outcome =
      run_in_terminal({.arguments = run_tiny({"-n", "2", "-b", "20", "--plain", "hello"})});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, Not(HasSubstr(std::string(enter_alternate))));
  EXPECT_THAT(outcome.out, HasSubstr("[2] "));
}

}  // namespace
}  // namespace lanerope::cli
