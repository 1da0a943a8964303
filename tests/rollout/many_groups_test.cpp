// SPDX-License-Identifier: Apache-2.0
#include "rollout/many_groups.h"

#include <gtest/gtest.h>

#include "tests/support/random_models.h"

namespace lanerope::rollout {
namespace {

class ManyGroupsTest : public testing::Test {
 protected:
  std::shared_ptr<const ResolvedRequest> request(int32_t budget) const {
    Request wanted{.prompt = {.text = "Hello"}, .lanes = 1, .budget = budget};
    wanted.ignore_end = true;
    return resolve(*model, wanted);
  }

  std::shared_ptr<const Model> model =
      support::load_model(tools::RandomModel{.n_layer = 1, .width = 64, .n_ffn = 64}, BackEnd::ggml);
  Engine engine{model, {.kv_cells = 256}};
};

TEST_F(ManyGroupsTest, RunUntilNoneIsSubmittedAnew) {
  ManyGroups groups(engine, {});
  int submitted = 0;
  int finished = 0;
  int most = 0;
  EXPECT_TRUE(groups.run([&] {
    while (submitted < 5 && groups.running() < 2) {
      groups.submit(request(4 + submitted++),
                    [&](const Event& event) { finished += event.kind == EventKind::group_finished ? 1 : 0; });
    }
    most = std::max(most, groups.running());
  }));
  EXPECT_EQ(finished, 5);
  EXPECT_EQ(most, 2);
}

TEST_F(ManyGroupsTest, ThatAreStoppedAreCancelledInSilence) {
  bool stop = false;
  ManyGroups groups(engine, {.stopped = [&] { return stop; }});
  bool finished = false;
  bool submitted = false;
  EXPECT_FALSE(groups.run([&] {
    if (submitted) return;
    submitted = true;
    groups.submit(request(100), [&](const Event& event) {
      stop = event.kind == EventKind::token;
      finished = finished || event.kind == EventKind::group_finished;
    });
  }));
  EXPECT_FALSE(finished);
  EXPECT_EQ(engine.state().cells_used, 0);
}

TEST_F(ManyGroupsTest, TellOfEachStepWhetherItReadsPrompts) {
  std::vector<bool> reads;
  ManyGroups groups(
      engine, {.step_done = [&](int32_t, bool reads_prompts, double) { reads.push_back(reads_prompts); }});
  bool submitted = false;
  groups.run([&] {
    if (!submitted) groups.submit(request(3), [](const Event&) {});
    submitted = true;
  });
  ASSERT_GE(reads.size(), 2U);
  EXPECT_TRUE(reads.front());
  EXPECT_FALSE(reads.back());
}

}  // namespace
}  // namespace lanerope::rollout
