// SPDX-License-Identifier: Apache-2.0
#include "eval/arm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/evaluation.h"
#include "lanerope/errors.h"

namespace lanerope::eval {
namespace {

std::string refusal(const std::string& text) {
  try {
    parse_arm(text);
  } catch (const InvalidRequest& error) {
    return error.what();
  }
  return "(not refused)";
}

TEST(Arm, NamesHaveAMeaning) {
  EXPECT_EQ(parse_arm("independent").lanes, 1);
  EXPECT_EQ(parse_arm("lanerope").lanes, 4);
  EXPECT_EQ(parse_arm("lanerope").coupling.kind, std::nullopt) << "as trained";
  EXPECT_EQ(parse_arm("closed").coupling.kind, CouplingKind::independent);
  EXPECT_EQ(parse_arm("groupthink").coupling.kind, CouplingKind::groupthink);
  EXPECT_EQ(parse_arm("hogwild").coupling.kind, CouplingKind::hogwild);
  EXPECT_EQ(parse_arm("beam").beam_width, 4);
  EXPECT_EQ(parse_arm("beam").lanes, 1);
}

TEST(Arm, MayHavePolicies) {
  const Arm arm = parse_arm("mine:n=4,policy=prune:window=8;keep=3,policy=consensus");
  ASSERT_EQ(arm.policies.size(), 2U);
  EXPECT_EQ(to_text(arm.policies[0]), "prune:window=8,ratio=0.8,keep=3");
  EXPECT_THAT(refusal("mine:policy=prun"), testing::HasSubstr("there is no policy \"prun\""));
  EXPECT_THAT(refusal("beam:policy=consensus"), testing::HasSubstr("has no policy"));
}

TEST(Arm, MayHaveTools) {
  const Arm arm = parse_arm("mine:n=4,tool=calculator,tool=notes");
  EXPECT_EQ(arm.tools, (std::vector<std::string>{"calculator", "notes"}));
  EXPECT_THAT(refusal("mine:tool=abacus"), testing::HasSubstr("there is no tool \"abacus\""));
  EXPECT_THAT(refusal("beam:tool=notes"), testing::HasSubstr("calls no tools"));
}

TEST(Arm, KeysSayWhatDiffers) {
  const Arm arm =
      parse_arm("mine:n=2,total=6,coupling=lanerope,stride=64,temp=0.5,tag=<{k}>,model=m.gguf,lora=a,lora=b");
  EXPECT_EQ(arm.name, "mine");
  EXPECT_EQ(arm.lanes, 2);
  EXPECT_EQ(arm.lanes_total, 6);
  EXPECT_EQ(arm.coupling.kind, CouplingKind::lanerope);
  EXPECT_EQ(arm.coupling.stride, 64);
  EXPECT_FLOAT_EQ(*arm.temperature, 0.5F);
  EXPECT_EQ(arm.tag, "<{k}>");
  EXPECT_EQ(arm.model, "m.gguf");
  EXPECT_EQ(arm.adapters.size(), 2U);
  const Arm near = parse_arm("near:n=4,visibility=strict,topology=ring,window=32,init=ntk");
  EXPECT_EQ(near.coupling.visibility, Visibility::strict);
  EXPECT_EQ(near.coupling.topology, Topology::ring);
  EXPECT_EQ(near.coupling.window, 32);
  EXPECT_EQ(near.coupling.init, OmegaInit::ntk);
  EXPECT_EQ(parse_arm("bridge").coupling.kind, CouplingKind::bridge);
  EXPECT_EQ(parse_arm("bridge").lanes, 4);
  EXPECT_EQ(parse_arm("lanerope:sees-from=hand-over").coupling.sees_from, SeesFrom::hand_over);
  EXPECT_EQ(parse_arm("groupthink:prompt-lane=first").coupling.prompt_lane, PromptLane::first);
  const Arm far = parse_arm("far:n=32,topology=blocks,block=4,far-lanes=wrapped,trained-lanes=8");
  EXPECT_EQ(far.coupling.topology, Topology::blocks);
  EXPECT_EQ(far.coupling.block, 4);
  EXPECT_EQ(far.coupling.far_lanes, FarLanes::wrapped);
  EXPECT_EQ(far.coupling.trained_lanes, 8);
  const Arm then = parse_arm("sums-up:n=4,coupling=independent,then-budget=32,then=Compare these {n}.");
  ASSERT_TRUE(then.then.has_value());
  EXPECT_EQ(then.then->text, "Compare these {n}.");
  EXPECT_EQ(then.then->budget, 32);
  EXPECT_EQ(parse_arm("closed:n=8").lanes, 8);
  EXPECT_EQ(parse_arm("wide:width=7").beam_width, 7);
}

TEST(Arm, AValueMayHoldCommas) {
  const Arm arm = parse_arm("two:n=2,then=First\\, compare them\\, then answer.,then-budget=64");
  EXPECT_EQ(arm.lanes, 2);
  EXPECT_EQ(arm.then->text, "First, compare them, then answer.");
  EXPECT_EQ(arm.then->budget, 64);
  EXPECT_EQ(parse_arm(R"(mine:tag=a\b\)").tag, R"(a\b\)") << "other backslashes stay as they are";
}

TEST(Arm, IsRefusedWithOneSentence) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal("lanerpoe"), HasSubstr("there is no arm lanerpoe"));
  EXPECT_THAT(refusal(""), HasSubstr("needs a name"));
  EXPECT_THAT(refusal("mine:n=two"), HasSubstr("\"two\", which is not a number"));
  EXPECT_THAT(refusal("mine:n=0"), HasSubstr("at least one lane"));
  EXPECT_THAT(refusal("mine:lanes=2"), HasSubstr("an arm has no \"lanes\""));
  EXPECT_THAT(refusal("mine:n"), HasSubstr("form key=value; a comma inside a value is written \\,"));
  EXPECT_THAT(refusal("mine:n=4,total=6"), HasSubstr("a multiple of its n"));
  EXPECT_EQ(refusal("mine:n=2,temp=1,n=4"), "the arm's n is said twice; say it once");
  EXPECT_THAT(refusal("mine:coupling=glue"),
              HasSubstr("\"glue\"; it is independent, lanerope, groupthink, hogwild or bridge"));
  EXPECT_THAT(refusal("lanerope:visibility=loose"),
              HasSubstr("visibility is \"loose\"; it is inclusive, strict or interleaved"));
  EXPECT_THAT(refusal("beam:width=0"), HasSubstr("at least 1"));
  EXPECT_THAT(refusal("beam:n=2"), HasSubstr("is one lane"));
}

TEST(Arm, OfABeamSearchTakesNoKeyThatItHasNoUseFor) {
  for (const std::string key :
       {"coupling=hogwild", "init=ntk", "stride=64", "visibility=strict", "window=8", "sees-from=hand-over",
        "topology=ring", "block=2", "prompt-lane=first", "far-lanes=wrapped", "trained-lanes=8", "tag=x",
        "wait=W", "ready=R", "temp=0.5"})
    EXPECT_THAT(refusal("beam:" + key),
                testing::HasSubstr("no use for its " + key.substr(0, key.find('=')) + "; leave that out"));
  EXPECT_THAT(refusal("beam:then=So?"), testing::HasSubstr("no second stage"));
  EXPECT_EQ(parse_arm("beam:width=2,model=m.gguf,lora=a").adapters.size(), 1U);
}

TEST(Arm, OfABeamSearchDoesNotGoWithTextsThatEndALane) {
  EXPECT_NO_THROW(check_arm(parse_arm("beam"), {}));
  EXPECT_NO_THROW(check_arm(parse_arm("independent"), {.stop = {"\nQuestion:"}}));
  EXPECT_THROW(check_arm(parse_arm("beam"), {.stop = {"\nQuestion:"}}), InvalidRequest);
  EXPECT_THROW(check_arm(parse_arm("three:n=3"), {}), InvalidRequest) << "three do not divide four";
}

TEST(Arm, GetsAsManyLanesAsTheOthers) {
  const EvalPlan plan{.lanes_total = 4};
  EXPECT_EQ(total_lanes(parse_arm("independent"), plan), 4);
  EXPECT_EQ(total_lanes(parse_arm("two:n=2"), plan), 4);
  EXPECT_EQ(total_lanes(parse_arm("lanerope:n=8"), plan), 8) << "no group is cut";
  EXPECT_EQ(total_lanes(parse_arm("two:n=2,total=8"), plan), 8);
  EXPECT_EQ(total_lanes(parse_arm("beam"), plan), 1);
  EXPECT_THROW(total_lanes(parse_arm("three:n=3"), plan), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::eval
