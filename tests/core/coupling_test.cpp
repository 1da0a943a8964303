// SPDX-License-Identifier: Apache-2.0
#include "lanerope/coupling.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/enum_table.h"

namespace lanerope::core {
namespace {

template <typename Enum, typename Parse>
void expect_round_trip(int count, Parse parse) {
  std::set<std::string_view> names;
  for (int i = 0; i < count; ++i) {
    const auto value = static_cast<Enum>(i);
    EXPECT_EQ(parse(name(value)), value) << name(value);
    names.insert(name(value));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(count));
  EXPECT_EQ(name(static_cast<Enum>(count)), "?") << "the test knows of every value";
  EXPECT_FALSE(parse("").has_value());
  EXPECT_FALSE(parse("?").has_value());
  EXPECT_FALSE(parse("LaneRoPE").has_value());
  EXPECT_FALSE(parse(std::string(name(Enum{})) + " ").has_value());
}

TEST(CouplingNames, ReadBackAsWhatTheyName) {
  expect_round_trip<CouplingKind>(5, parse<CouplingKind>);
  expect_round_trip<OmegaInit>(5, parse<OmegaInit>);
  expect_round_trip<Visibility>(3, parse<Visibility>);
  expect_round_trip<Topology>(4, parse<Topology>);
  expect_round_trip<FarLanes>(4, parse<FarLanes>);
  expect_round_trip<PromptLane>(2, parse<PromptLane>);
}

TEST(CouplingNames, AreTheOnesOfTheDesign) {
  EXPECT_EQ(name(CouplingKind::independent), "independent");
  EXPECT_EQ(name(CouplingKind::lanerope), "lanerope");
  EXPECT_EQ(name(CouplingKind::groupthink), "groupthink");
  EXPECT_EQ(name(CouplingKind::hogwild), "hogwild");
  EXPECT_EQ(name(CouplingKind::bridge), "bridge");
  EXPECT_EQ(name(OmegaInit::ntk_by_parts), "ntk-by-parts");
  EXPECT_EQ(name(Visibility::interleaved), "interleaved");
}

TEST(CouplingChoice, LeavesNothingOpenThatIsRead) {
  const CouplingChoice plain = exactly({});
  EXPECT_FALSE(plain.block || plain.trained_lanes) << "neither is read";
  const CouplingChoice far =
      exactly({.topology = Topology::blocks, .block = 5, .far_lanes = FarLanes::wrapped, .trained_lanes = 7});
  EXPECT_EQ(far.block, 5);
  EXPECT_EQ(far.trained_lanes, 7);
}

TEST(CouplingChoice, SaysNothingThatTheKindDoesNotRead) {
  const Coupling all{.init = OmegaInit::gt, .stride = 9, .window = 5, .block = 3};
  const auto of = [&](CouplingKind kind) {
    Coupling coupling = all;
    coupling.kind = kind;
    return exactly(coupling);
  };
  const CouplingChoice independent = of(CouplingKind::independent);
  EXPECT_FALSE(independent.init || independent.stride || independent.window || independent.visibility ||
               independent.topology || independent.sees_from || independent.prompt_lane);
  const CouplingChoice hogwild = of(CouplingKind::hogwild);
  EXPECT_EQ(hogwild.window, 5);
  EXPECT_FALSE(hogwild.init || hogwild.stride || hogwild.sees_from || hogwild.prompt_lane);
  const CouplingChoice groupthink = of(CouplingKind::groupthink);
  EXPECT_EQ(groupthink.stride, 9);
  EXPECT_FALSE(groupthink.init || groupthink.far_lanes);
  const CouplingChoice lanerope = of(CouplingKind::lanerope);
  EXPECT_EQ(lanerope.init, OmegaInit::gt);
  EXPECT_EQ(lanerope.stride, 9);
  EXPECT_FALSE(exactly({.init = OmegaInit::given, .stride = 9, .omega = {1}}).stride)
      << "omega is what it is";
}

TEST(Describe, SaysWhatIsNotTheDefault) {
  EXPECT_EQ(describe({}), "lanerope, omega rope");
  EXPECT_EQ(describe({.topology = Topology::blocks, .block = 4}), "lanerope, omega rope, blocks of 4");
  EXPECT_EQ(describe({.sees_from = SeesFrom::hand_over}), "lanerope, omega rope, from the hand-over on");
  EXPECT_EQ(describe({.far_lanes = FarLanes::clamped, .trained_lanes = 8}),
            "lanerope, omega rope, lanes beyond 8 clamped");
  EXPECT_EQ(describe({.kind = CouplingKind::bridge, .visibility = Visibility::strict}), "bridge")
      << "it has nothing else to say";
}

TEST(EnumTable, ListsWhatIsAllowed) {
  enum class Colour { red, green, blue };
  const auto colours =
      enum_table<Colour, 3>({{Colour::red, "red"}, {Colour::green, "green"}, {Colour::blue, "blue"}});
  EXPECT_EQ(colours.allowed(), "red, green or blue");
}

}  // namespace
}  // namespace lanerope::core
