// SPDX-License-Identifier: Apache-2.0
// Which of the groups that wait for pages starts next.
#include <gtest/gtest.h>

#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

class WaitingGroups : public testing::Test {
 protected:
  std::shared_ptr<const Model> model =
      support::load_model({.n_layer = 1, .width = 64, .n_ffn = 96, .n_vocab = 300}, BackEnd::kernels);
  // Three pages: one group of two lanes at a time.
  Engine engine{model, {.kv_cells = 3 * page_cells}};
  std::vector<GroupId> ended;

  GroupId submit(const std::string& client, int32_t budget = 10, int32_t priority = 0) {
    return engine.submit({.prompt = {.tokens = support::some_tokens(9, 1)},
                          .lanes = 2,
                          .budget = budget,
                          .tag = "",
                          .ignore_end = true,
                          .selection = {.kind = SelectionKind::none},
                          .priority = priority,
                          .client = client});
  }
  void finish() {
    while (engine.step([&](const Event& event) {
      if (event.kind == EventKind::group_finished) ended.push_back(event.group);
    })) {
    }
  }
};

TEST_F(WaitingGroups, OfOneClientStartAsTheyCame) {
  const std::vector<GroupId> ids = {submit("a"), submit("a"), submit("a")};
  finish();
  EXPECT_EQ(ended, ids);
}

TEST_F(WaitingGroups, OfAClientThatAskedForLittleDoNotWaitForThoseOfOneThatAskedForMuch) {
  std::vector<GroupId> many;
  for (int i = 0; i < 6; ++i) many.push_back(submit("many"));
  const GroupId one = submit("one");
  finish();
  ASSERT_EQ(ended.size(), 7U);
  EXPECT_EQ(ended[0], many[0]) << "it was alone when it came";
  EXPECT_EQ(ended[1], one);
}

// Two clients with as many groups, one of which writes five times as much each time.
TEST_F(WaitingGroups, TakeTurnsByTheTokensTheirClientsWereServed) {
  std::vector<GroupId> longer;
  std::vector<GroupId> shorter;
  for (int i = 0; i < 6; ++i) {
    longer.push_back(submit("longer", 50));
    shorter.push_back(submit("shorter", 10));
  }
  finish();
  // When the second long one ends, the other client has had about as many tokens.
  const auto second = std::ranges::find(ended, longer[1]) - ended.begin();
  EXPECT_GE(second, 4) << "three or more short ones between two long ones";
}

TEST_F(WaitingGroups, AClientThatComesLateSavedUpNoTurns) {
  for (int i = 0; i < 3; ++i) submit("early", 60);
  finish();
  ended.clear();
  const GroupId early = submit("early", 60);
  const GroupId late = submit("late", 60);
  const GroupId again = submit("early", 60);
  const GroupId late_again = submit("late", 60);
  finish();
  EXPECT_EQ(ended, (std::vector<GroupId>{early, late, again, late_again}));
}

TEST_F(WaitingGroups, OfALowerPriorityNumberComeFirst) {
  const GroupId running = submit("a");
  engine.step({});
  const GroupId idle = submit("a", 10, 5);
  const GroupId usual = submit("b");
  const GroupId urgent = submit("a", 10, -1);
  finish();
  EXPECT_EQ(ended, (std::vector<GroupId>{running, urgent, usual, idle}));
}

}  // namespace
}  // namespace lanerope::engine
