// SPDX-License-Identifier: Apache-2.0
#include "core/sleepers.h"

#include <gtest/gtest.h>

#include "core/lane_view.h"

namespace lanerope::core {
namespace {

constexpr TokenId w = 100;  // waits
constexpr TokenId r = 101;  // ready
constexpr SleepTokens both{.wait = w, .ready = r};

using Steps = std::vector<std::vector<int32_t>>;

Steps steps(const std::vector<std::vector<TokenId>>& lanes, SleepTokens tokens = both,
            const Coupling& coupling = {}, const std::vector<int32_t>& start_steps = {}) {
  const std::vector<std::span<const TokenId>> views(lanes.begin(), lanes.end());
  return lane_steps(views, start_steps, Sleepers(tokens, coupling));
}

TEST(Sleepers, ALaneThatWaitsIsFedWithTheReadyTokenOfAnother) {
  EXPECT_EQ(steps({{1, w, 2}, {1, 2, 3, 4, r, 5}}), (Steps{{0, 4, 5}, {0, 1, 2, 3, 4, 5}}));
}

TEST(Sleepers, ALaneThatWaitsIsFedWithTheLastTokenOfAnother) {
  EXPECT_EQ(steps({{1, w, 2}, {1, 2, 3}}), (Steps{{0, 2, 3}, {0, 1, 2}}));
}

TEST(Sleepers, AReadyTokenThatWasThereBeforeWakesNobody) {
  EXPECT_EQ(steps({{1, 1, w, 2}, {1, r, 3, 4, 5}}), (Steps{{0, 1, 4, 5}, {0, 1, 2, 3, 4}}));
}

TEST(Sleepers, AReadyTokenOfTheSameMomentIsNotMissed) {
  EXPECT_EQ(steps({{1, w, 2}, {1, r, 3, 4}}), (Steps{{0, 1, 2}, {0, 1, 2, 3}}));
}

TEST(Sleepers, WaitAgainUntilTheNextOne) {
  EXPECT_EQ(steps({{w, w, 9}, {1, 2, r, 3, 4}, {1, 2, 3, 4, 5}}),
            (Steps{{2, 4, 5}, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}}));
}

TEST(Sleepers, AllAsleepWakeAtOnce) {
  EXPECT_EQ(steps({{1, w, 2}, {1, 2, w, 3}}), (Steps{{0, 2, 3}, {0, 1, 2, 3}}));
}

TEST(Sleepers, ALaneThatSeesNoOtherDoesNotSleep) {
  EXPECT_EQ(steps({{1, w, 2}}), (Steps{{0, 1, 2}}));
  EXPECT_EQ(steps({{1, w, 2}, {1, 2, 3, 4}}, both, {.kind = CouplingKind::independent}),
            (Steps{{0, 1, 2}, {0, 1, 2, 3}}));
}

TEST(Sleepers, ALaneIsWokenByThoseThatItSees) {
  // A tree: lane 1 sees lanes 0, 3 and 4, not lane 2.
  const std::vector<TokenId> plain = {1, 1, 1, 1, 1, 1};
  EXPECT_EQ(steps({plain, {w, 2}, {1, r, 1}}, both, {.topology = Topology::tree})[1],
            (std::vector<int32_t>{5, 6}));
  EXPECT_EQ(steps({{1, r, 1, 1}, {w, 2}, plain}, both, {.topology = Topology::tree})[1],
            (std::vector<int32_t>{1, 2}));
}

TEST(Sleepers, WithoutTokensNobodySleeps) {
  EXPECT_EQ(steps({{1, w, 2}, {1, 2, 3, 4}}, {}), (Steps{{0, 1, 2}, {0, 1, 2, 3}}));
}

TEST(Sleepers, WithoutAReadyTokenOnlyAnEndWakes) {
  EXPECT_EQ(steps({{w, 2}, {1, r, 3, 4}}, {.wait = w}), (Steps{{3, 4}, {0, 1, 2, 3}}));
}

TEST(Sleepers, ALaneThatJoinsLaterIsNoCompanyBefore) {
  EXPECT_EQ(steps({{1, w, 2, 3, 4}, {1, r}}, both, {}, {0, 4}), (Steps{{0, 1, 2, 3, 4}, {4, 5}}));
}

TEST(Sleepers, TextThatIsPutIntoALaneWakesIt) {
  const Coupling coupling;
  Sleepers sleepers(both, coupling);
  sleepers.joined(0);
  sleepers.joined(1);
  sleepers.chose(0, w);
  EXPECT_EQ(sleepers.settle().size(), 1U);
  EXPECT_TRUE(sleepers.asleep(0));
  sleepers.given_text(0);
  EXPECT_EQ(sleepers.settle().size(), 1U);
  EXPECT_FALSE(sleepers.asleep(0));
  EXPECT_TRUE(sleepers.settle().empty());
}

TEST(Sleepers, ALaneThatIsHeldSleepsUntilItIsReleasedWhateverTheOthersDo) {
  const Coupling coupling;
  for (const SleepTokens tokens : {SleepTokens{}, both}) {
    Sleepers sleepers(tokens, coupling);
    sleepers.joined(0);
    sleepers.joined(1);
    sleepers.hold(0);
    EXPECT_EQ(sleepers.settle().size(), 1U);
    sleepers.chose(1, r);
    EXPECT_TRUE(sleepers.settle().empty());
    sleepers.given_text(0);
    sleepers.ended(1);
    EXPECT_TRUE(sleepers.settle().empty());
    EXPECT_TRUE(sleepers.asleep(0)) << "nobody is awake, and it sleeps on";
    sleepers.release(0);
    EXPECT_EQ(sleepers.settle().size(), 1U);
    EXPECT_FALSE(sleepers.asleep(0));
  }
}

TEST(Sleepers, ALaneThatWaitsForAHeldOneSleepsOn) {
  const Coupling coupling;
  Sleepers sleepers(both, coupling);
  sleepers.joined(0);
  sleepers.joined(1);
  sleepers.hold(0);
  sleepers.chose(1, w);
  EXPECT_EQ(sleepers.settle().size(), 2U);
  EXPECT_TRUE(sleepers.asleep(1)) << "the other one will be awake again";
  sleepers.ended(0);
  EXPECT_EQ(sleepers.settle().size(), 2U);
  EXPECT_FALSE(sleepers.asleep(1));
}

TEST(Sleepers, AHandOverIsTheFirstWaitOrReadyToken) {
  const auto of = [](std::vector<TokenId> tokens, SleepTokens sleep) { return hand_over_of(tokens, sleep); };
  EXPECT_EQ(of({5, 6, r, w, r}, both), 2);
  EXPECT_EQ(of({w, r}, both), 0);
  EXPECT_EQ(of({5, 6}, both), never_sees);
  EXPECT_EQ(of({5, r, w}, {.wait = w}), 2);
  EXPECT_EQ(of({5, r, w, 0}, {}), never_sees) << "nobody sleeps";
}

TEST(LaneView, CellsAndStepsOfALaneThatSlept) {
  const std::vector<int32_t> fed = {2, 3, 7, 8, 12};
  const std::vector<Sleep> sleeps = sleeps_of(fed, 2);
  EXPECT_EQ(sleeps, (std::vector<Sleep>{{.token = 2, .steps = 3}, {.token = 4, .steps = 3}}));
  const LaneView lane{.segment = {.length = 5}, .start_step = 2, .sleeps = sleeps};
  for (int32_t cell = 0; cell < 5; ++cell) EXPECT_EQ(step_of(lane, cell), fed[cell]);
  EXPECT_EQ(step_of(lane, 5), 13);
  for (int32_t step = 0; step < 16; ++step) {
    EXPECT_EQ(cells_before(lane, step), std::ranges::count_if(fed, [&](int32_t at) { return at < step; }))
        << step;
  }
}

}  // namespace
}  // namespace lanerope::core
