// SPDX-License-Identifier: Apache-2.0
#include "engine/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

using testing::HasSubstr;

std::vector<LaneResult> lanes() {
  return {{.text = "one \"quoted\"\n\xff", .answer = "1"}, {.text = "two"}, {.text = "three", .answer = "3"}};
}

Verdict ask_about(const std::vector<LaneResult>& judged, const std::string& command, double timeout = 20) {
  const CallOptions options{.command = command, .what = "the verifier", .timeout = timeout};
  return read_verdict(run_call(options, verifier_input("p", judged)), judged.size());
}

Verdict ask(const std::string& command, double timeout = 20) {
  return ask_about(lanes(), command, timeout);
}

TEST(Verifier, ScoresEveryLane) {
  const Verdict verdict = ask("cat > /dev/null; printf '0.5\\n-2e1\\n 3 \\n\\n'");
  EXPECT_EQ(verdict.failure, "");
  EXPECT_EQ(verdict.scores, (std::vector<double>{0.5, -20, 3}));
}

TEST(Verifier, ReadsOneJsonLineALane) {
  const std::string file = support::new_file(".jsonl");
  EXPECT_EQ(ask("cat > " + file + "; echo 1; echo 2; echo 3").failure, "");
  std::ifstream input(file);
  std::string line;
  std::vector<std::string> lines;
  while (std::getline(input, line)) lines.push_back(line);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], HasSubstr("\"text\":\"one \\\"quoted\\\"\\n"));
  EXPECT_THAT(lines[0], HasSubstr("\"answer\":\"1\""));
  EXPECT_THAT(lines[1], HasSubstr("\"answer\":null"));
  EXPECT_THAT(lines[2], HasSubstr("\"lane\":2"));
  EXPECT_THAT(lines[2], HasSubstr("\"prompt\":\"p\""));
}

TEST(Verifier, ThatFailsSaysWhy) {
  EXPECT_THAT(ask("exit 3").failure, HasSubstr("exit status 3"));
  EXPECT_THAT(ask("kill -9 $$").failure, HasSubstr("signal 9"));
  EXPECT_THAT(ask("no-such-program-here 2>/dev/null").failure, HasSubstr("exit status 127"));
  EXPECT_THAT(ask("echo 1; echo hello; echo 3").failure, HasSubstr("not a number"));
  EXPECT_THAT(ask("echo 1; echo nan; echo 3").failure, HasSubstr("not a number"));
  EXPECT_THAT(ask("head -c 1000 /dev/zero").failure, HasSubstr("not a number"));
  EXPECT_THAT(ask("echo 1; echo 2").failure, HasSubstr("2 scores for 3 lanes"));
  EXPECT_THAT(ask("true").failure, HasSubstr("0 scores for 3 lanes"));
  EXPECT_THAT(ask("yes 1").failure, HasSubstr("cut off")) << "endless output";
}

TEST(Verifier, ThatHangsIsCutOffWithAllItStarted) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  EXPECT_THAT(ask("sleep 60", 0.2).failure, HasSubstr("cut off"));
  EXPECT_THAT(ask("echo 1; echo 2; echo 3; sleep 60 & wait", 0.2).failure, HasSubstr("cut off"));
  EXPECT_THAT(ask("trap '' TERM; cat >/dev/null; sleep 60; sleep 60", 0.2).failure, HasSubstr("cut off"));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(10));
}

TEST(Verifier, TakesMoreTextThanAPipeHolds) {
  std::vector<LaneResult> long_lanes(2);
  for (LaneResult& lane : long_lanes) lane.text.assign(1 << 20, 'x');
  const Verdict verdict = ask_about(long_lanes, "wc -c; echo 7");
  ASSERT_EQ(verdict.scores.size(), 2U) << verdict.failure;
  EXPECT_GT(verdict.scores[0], 2 << 20);
  EXPECT_EQ(ask_about(long_lanes, "exec 0<&-; echo 1; echo 2").scores.size(), 2U)
      << "one that does not read is heard all the same";
}

TEST(VerifierOfAGroup, ChoosesTheLaneOrSaysThatItCouldNot) {
  Engine engine(
      support::load_model(tools::RandomModel{.n_layer = 1, .width = 64, .n_ffn = 64}, BackEnd::ggml),
      {.kv_cells = 2048});
  Request request{.prompt = {.text = "Hi"}, .lanes = 3, .budget = 14};
  request.tag = "";
  request.lane_texts = {"\\boxed{1}", "\\boxed{2}", "\\boxed{2}"};
  request.selection = {.kind = SelectionKind::verifier,
                       .verifier_command = "cat >/dev/null; echo 0.1; echo 0.2; echo 0.7"};
  const support::GroupRun run = support::run_group(engine, request);
  EXPECT_EQ(run.result.selected, 2);
  EXPECT_DOUBLE_EQ(run.result.confidence.value, 0.7);
  EXPECT_EQ(run.result.note, "");
  request.selection.verifier_command = "exit 1";
  const support::GroupRun failed = support::run_group(engine, request);
  EXPECT_EQ(failed.result.selected, 1) << "by vote";
  EXPECT_THAT(failed.result.note, HasSubstr("exit status 1"));
}

}  // namespace
}  // namespace lanerope::engine
