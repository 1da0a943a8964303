// SPDX-License-Identifier: Apache-2.0
// Lanes call tools while they write, and go on with the results.
#include "tests/engine/tools/tool_fixture.h"

namespace lanerope::engine {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr auto turn = "<|im_end|>\n<|im_start|>user\n<tool_response>\n";
constexpr auto turn_end = "\n</tool_response><|im_end|>\n<|im_start|>assistant\n";

TEST_F(Tools, ANoteGoesOnWithItsResult) {
  const support::GroupRun run = support::run_group(engine, writing({"48/2 = <<48/2"}, "=", {.notes = true}));
  EXPECT_EQ(written(run, 0, "="), "48/2 = <<48/2=24>>=");
  EXPECT_THAT(run.result.lanes[0].text, StartsWith("48/2 = <<48/2=24>>=")) << "the result is text";
  ASSERT_EQ(run.result.tool_runs.size(), 1U);
  const ToolRun& note = run.result.tool_runs[0];
  EXPECT_EQ(note.tool, "calculator");
  EXPECT_EQ(note.arguments, R"({"expression":"48/2"})");
  EXPECT_EQ(note.result, "24");
  EXPECT_TRUE(note.note);
  EXPECT_EQ(note.step, note.returned_step) << "it waits for nothing";
}

TEST_F(Tools, ANoteThatCannotBeComputedIsLeftToTheLane) {
  const support::GroupRun run =
      support::run_group(engine, writing({"<<48 apples", "<<=", "<<1/0"}, "=", {.notes = true}));
  EXPECT_EQ(written(run, 0, "="), "<<48 apples=");
  EXPECT_EQ(written(run, 2, "="), "<<1/0=");
  ASSERT_EQ(run.result.tool_runs.size(), 2U) << "and an empty one is none";
  const ToolRun& division = run.result.tool_runs[run.result.tool_runs[0].lane == 2 ? 0 : 1];
  EXPECT_EQ(division.result, "there is a division by zero");
  EXPECT_TRUE(division.failed);
}

TEST_F(Tools, AreCalledByAForkThatGoesOnWithWhatItsParentBegan) {
  Request request = writing({"<<48/2"}, "=", {.notes = true});
  request.reserved_lanes = 1;
  support::Runner runner(engine);
  const GroupId id = engine.submit(request);
  const auto begun = static_cast<int32_t>(model->encode("<<48", {.add_special = false}).size());
  for (int32_t i = 0; i < begun + 1; ++i) runner.step();
  engine.spawn(id, {.parent = 0, .fork_step = begun, .text = "/3"});
  runner.finish();
  EXPECT_THAT(runner.run(id).result.lanes.at(1).text, StartsWith("<<48/3=16>>="));
}

TEST_F(Tools, AreTiedToTheModelsOwnCallsAndAnsweredInItsTemplate) {
  const std::string text = call("calculator", R"({"expression": "6*7"})");
  const support::GroupRun run =
      support::run_group(engine, writing({text}, ">", {.tools = {builtin_tool("calculator")}}));
  EXPECT_EQ(written(run, 0, ">"), text + ">" + turn + "42" + turn_end + ">");
  EXPECT_THAT(run.result.lanes[0].text, StartsWith(text + ">\n>")) << "what the lane wrote itself";
  const std::vector<Event> called = run.of(EventKind::tool_called);
  const std::vector<Event> returned = run.of(EventKind::tool_returned);
  ASSERT_EQ(called.size(), 1U);
  ASSERT_EQ(returned.size(), 1U);
  EXPECT_EQ(called[0].tool->arguments, R"({"expression":"6*7"})");
  EXPECT_FALSE(called[0].tool->returned);
  EXPECT_EQ(returned[0].tool->result, "42");
  EXPECT_TRUE(run.of(EventKind::lane_slept).empty());
}

TEST_F(Tools, AreToldToTheModel) {
  const Request with = writing({""}, ">", {.tools = {builtin_tool("calculator")}});
  const std::string prompt = model->decode(resolve(*model, with)->prompt);
  EXPECT_THAT(prompt, HasSubstr("\"name\": \"calculator\""));
}

TEST_F(Tools, AreWaitedForByTheirLaneAlone) {
  SlowTool slow;
  const std::string text = call("slow", R"({"a": 1})");
  Request request = writing({text, "other"}, ">", {.tools = {slow.tool("slow")}});
  support::Runner runner(engine);
  const GroupId id = engine.submit(request);
  while (runner.run(id).of(EventKind::tool_called).empty()) runner.step();
  const size_t before = runner.run(id).tokens(0).size();
  const size_t others = runner.run(id).tokens(1).size();
  for (int step = 0; step < 20; ++step) runner.step();
  EXPECT_EQ(runner.run(id).tokens(0).size(), before) << "it waits";
  EXPECT_EQ(runner.run(id).tokens(1).size(), others + 20) << "the other one writes on";
  slow.let_go();
  runner.finish();
  const support::GroupRun& run = runner.run(id);
  EXPECT_EQ(written(run, 0, ">"), text + ">" + turn + R"(it got {"a":1})" + turn_end + ">");
  EXPECT_EQ(run.of(EventKind::lane_slept, 0).size(), 1U);
  EXPECT_EQ(run.of(EventKind::lane_woke, 0).size(), 1U);
  ASSERT_EQ(run.result.lanes[0].sleeps.size(), 1U);
  EXPECT_GE(run.result.lanes[0].sleeps[0].steps, 20);
}

TEST_F(Tools, AreWaitedForWhereNoLaneWrites) {
  SlowTool slow;
  const std::string text = call("slow", "{}");
  Request request = writing({text}, ">", {.tools = {slow.tool("slow")}});
  support::Runner runner(engine);
  const GroupId id = engine.submit(request);
  while (runner.run(id).of(EventKind::tool_called).empty()) runner.step();
  for (int step = 0; step < 3; ++step) EXPECT_TRUE(runner.step());
  const GroupId other = engine.submit(writing({"x"}, ">", {}));
  while (!runner.finished(other)) runner.step();
  EXPECT_FALSE(runner.finished(id)) << "another group is served meanwhile";
  slow.let_go();
  runner.finish();
  EXPECT_EQ(written(runner.run(id), 0, ">"), text + ">" + turn + "it got {}" + turn_end + ">");
  EXPECT_TRUE(runner.run(id).result.lanes[0].sleeps.empty()) << "the clock stood still";
}

TEST_F(Tools, AreWaitedForAtTheEndWhereLanesGoOn) {
  SlowTool slow;
  // The closing mark is forgotten, and the end of the lane's answer is the end of its call.
  const std::string text = "<tool_call>\n{\"name\": \"slow\", \"arguments\": {}}";
  const std::string end = "<|im_end|>";
  Request request = writing({text, "x"}, end, {.tools = {slow.tool("slow")}, .wait = ToolWait::end});
  support::Runner runner(engine);
  const GroupId id = engine.submit(request);
  while (runner.run(id).of(EventKind::tool_called).empty()) runner.step();
  slow.let_go();
  runner.finish();
  const support::GroupRun& run = runner.run(id);
  EXPECT_EQ(model->decode(run.result.lanes[0].tokens), text + turn + "it got {}" + turn_end + end)
      << "the mark of its end is not written twice, and with no call left it is the end";
  EXPECT_EQ(run.result.lanes[0].finish, FinishReason::end);
  EXPECT_EQ(run.result.lanes[1].finish, FinishReason::end);
}

TEST_F(Tools, ThatFailGiveTheLaneASentence) {
  const Tool broken{.name = "broken", .run = [](const std::string&, const std::stop_token&) -> std::string {
                      throw SystemError("the disk is full");
                    }};
  const support::GroupRun run = support::run_group(
      engine, writing({call("broken", "{}"), call("nobody", "{}")}, ">", {.tools = {broken}}));
  EXPECT_THAT(written(run, 0, ">"), HasSubstr(turn + std::string("the disk is full") + turn_end));
  EXPECT_THAT(written(run, 1, ">"), HasSubstr("there is no tool of that name; there is broken"));
  EXPECT_TRUE(run.result.tool_runs[0].failed);
  EXPECT_TRUE(run.result.tool_runs[1].failed);
}

TEST_F(Tools, AreCutOffAtTheirTime) {
  SlowTool slow;
  const support::GroupRun run = support::run_group(
      engine, writing({call("slow", "{}")}, ">", {.tools = {slow.tool("slow")}, .timeout = 0.05}));
  EXPECT_THAT(written(run, 0, ">"), HasSubstr("slow took longer than 0.05 seconds and was cut off"));
}

TEST_F(Tools, GiveAtMostSoManyBytesAndNoControlTokens) {
  const Tool tricky{.name = "tricky", .run = [](const std::string&, const std::stop_token&) {
                      return "<|im_end|>\xFFé" + std::string(100, 'a');
                    }};
  const support::GroupRun run =
      support::run_group(engine, writing({call("tricky", "{}")}, ">", {.tools = {tricky}, .most_bytes = 24}));
  EXPECT_EQ(run.result.tool_runs.at(0).result, "<|im_end|>\uFFFDéaaa [cut]");
  const auto& tokens = run.result.lanes[0].tokens;
  EXPECT_EQ(std::ranges::count(tokens, token("<|im_end|>")), 2) << "those of the turns alone";
}

TEST_F(Tools, AreCalledSoOftenAtMost) {
  // Two calls in one answer: they are answered together.
  const std::string two =
      call("calculator", R"({"expression": "1+1"})") + ">\n" + call("calculator", R"({"expression": "2+2"})");
  Request request = writing({call("calculator", R"({"expression": "2+2"})")}, ">",
                            {.tools = {builtin_tool("calculator")}, .most_calls = 1});
  EXPECT_EQ(support::run_group(engine, request).result.tool_runs[0].result, "4");
  request.tools->most_calls = 0;
  EXPECT_THROW(resolve(*model, request), InvalidRequest);
}

TEST_F(Tools, WhoseResultDoesNotFitEndTheirLane) {
  Request request =
      writing({call("calculator", R"({"expression": "2+2"})")}, ">", {.tools = {builtin_tool("calculator")}});
  request.budget = static_cast<int32_t>(resolve(*model, request)->lanes[0].forced.size()) + 4;
  const support::GroupRun run = support::run_group(engine, request);
  EXPECT_EQ(run.result.lanes[0].finish, FinishReason::length);
}

TEST_F(Tools, OfALaneThatIsRetiredAreLetGo) {
  SlowTool slow;
  Request request = writing({call("slow", "{}"), "x"}, ">", {.tools = {slow.tool("slow")}});
  support::Runner runner(engine);
  const GroupId id = engine.submit(request);
  while (runner.run(id).of(EventKind::tool_called).empty()) runner.step();
  engine.retire(id, 0);
  runner.finish();
  const ToolRun& call = runner.run(id).result.tool_runs.at(0);
  EXPECT_TRUE(call.failed);
  EXPECT_EQ(call.result, "the lane ended before the result was there");
}

TEST_F(Tools, AreRefusedWhereTheyCannotBeUsed) {
  const LaneTools calculator{.tools = {builtin_tool("calculator")}};
  Request text = writing({"x"}, ">", calculator);
  text.prompt = {.text = "How many?"};
  EXPECT_THROW(resolve(*model, text), InvalidRequest);
  text.tools->tools.clear();
  text.tools->notes = true;
  EXPECT_NO_THROW(resolve(*model, text)) << "notes need no template";
  Request format = writing({"x"}, ">", calculator);
  format.format = {.kind = FormatKind::json};
  EXPECT_THROW(resolve(*model, format), InvalidRequest);
  Request hogwild = writing({"x"}, ">", calculator);
  hogwild.coupling.kind = CouplingKind::hogwild;
  EXPECT_THROW(resolve(*model, hogwild), InvalidRequest);
  Request twice = writing({"x"}, ">", calculator);
  twice.tools->tools.push_back(builtin_tool("calculator"));
  EXPECT_THROW(resolve(*model, twice), InvalidRequest);
  EXPECT_THROW(builtin_tool("abacus"), InvalidRequest);
}

TEST_F(Tools, OfTheDefaultsAreLeftOutWhereTheyCannotBeUsed) {
  const RequestDefaults defaults{.tools = {.tools = {builtin_tool("calculator")}, .notes = true}};
  Request request = writing({"x"}, ">", {});
  request.tools.reset();
  EXPECT_EQ(resolve(*model, request, defaults)->tools.tools.size(), 1U);
  request.prompt = {.text = "How many?"};
  const auto plain = resolve(*model, request, defaults);
  EXPECT_TRUE(plain->tools.tools.empty());
  EXPECT_TRUE(plain->tools.notes);
  request.tools = LaneTools{};
  EXPECT_FALSE(resolve(*model, request, defaults)->tools.on()) << "none were asked for";
}

TEST_F(Tools, OfOneSeedGiveOneText) {
  Request request = writing({"<<3*4", "<<100/3", "x", "y"}, "=", {.notes = true});
  request.sampling.logit_bias[0].bias = 6;
  const support::GroupRun alone = support::run_group(engine, request);
  EXPECT_GE(alone.result.tool_runs.size(), 2U);
  support::Runner runner(engine);
  engine.submit(writing({"q", "r"}, "=", {}));
  const GroupId again = engine.submit(request);
  runner.finish();
  for (size_t m = 0; m < 4; ++m)
    EXPECT_EQ(runner.run(again).result.lanes[m].tokens, alone.result.lanes[m].tokens) << m;
}

}  // namespace
}  // namespace lanerope::engine
