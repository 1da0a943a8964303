// SPDX-License-Identifier: Apache-2.0
#include "train/initial_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/support/refusal.h"
#include "tests/train/small_models.h"
#include "train/model_file.h"

namespace lanerope::train {
namespace {

using testing::HasSubstr;

class FromAnAdapter : public testing::Test {
 protected:
  TrainConfig config{
      .stage = Stage::sft, .base = support::write_model(small()), .adapter = support::new_file(".lora.gguf")};

  // An adapter of rank 2 on attention.
  FromAnAdapter() {
    TrainModel model(config.base);
    model.add_lora({.rank = 2, .alpha = 3, .targets = {"attn_q", "attn_k", "attn_v", "attn_output"}}, 1);
    model.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 20});
    write_adapter_file(model, config.adapter, {.lanes = {.lanes = {2}}});
  }

  std::string refusal() const {
    return support::refusal([&] { initial_model(config); });
  }
};

TEST_F(FromAnAdapter, TheModelHasTheAdaptersShape) {
  EXPECT_EQ(initial_model(config).lora().rank, 2);
  // What it has, in another order.
  config.lora = {.rank = 2, .alpha = 3, .targets = {"attn_output", "attn_v", "attn_k", "attn_q"}};
  const LoraConfig lora = initial_model(config).lora();
  EXPECT_EQ(lora.rank, 2);
  EXPECT_EQ(lora.alpha, 3);
  EXPECT_EQ(lora.targets.size(), 4U);
}

TEST_F(FromAnAdapter, AnotherShapeIsRefusedByTheNameOfTheKey) {
  config.lora = {.rank = 4};
  EXPECT_EQ(refusal(),
            "the configuration's lora.rank is 4, and the adapter that it goes on from has 2; leave it out");
  config.lora = {.alpha = 8};
  EXPECT_THAT(refusal(), HasSubstr("lora.alpha is 8.0, and the adapter that it goes on from has 3.0;"));
  config.lora = {.targets = {"attn_q"}};
  EXPECT_THAT(refusal(), HasSubstr("lora.targets is [\"attn_q\"], and the adapter that it goes on from has"));
  config.lora = {.on_prompt = false};
  EXPECT_THAT(refusal(), HasSubstr("lora.on_prompt is false, and the adapter that it goes on from has true"));
}

TEST_F(FromAnAdapter, ItsOmegaIsKeptAndWhatItBeganAsWithIt) {
  const OmegaConfig its_own{.init = OmegaInit::gt, .stride = 20};
  for (const OmegaConfig& asked : {OmegaConfig(), its_own}) {
    config.omega = asked;
    const TrainModel model = initial_model(config);
    EXPECT_EQ(model.omega_start().init, OmegaInit::gt);
    EXPECT_EQ(model.omega_start().stride, 20);
  }
}

TEST_F(FromAnAdapter, AnotherOmegaIsRefusedUnlessItBeginsAnew) {
  config.omega = {.init = OmegaInit::rope};
  EXPECT_EQ(refusal(),
            "the configuration's omega.init is rope, and the omega that it goes on from began with gt; leave "
            "it out, or set omega.reset to begin anew");
  config.omega = {.stride = 64};
  EXPECT_THAT(refusal(), HasSubstr("omega.stride is 64, and the omega that it goes on from began with 20;"));
  config.omega = {.init = OmegaInit::gt, .lanes = 8};
  EXPECT_THAT(refusal(), HasSubstr("omega.lanes is 8, and the omega"));
  config.omega = {.init = OmegaInit::rope, .reset = true};
  const TrainModel anew = initial_model(config);
  EXPECT_EQ(anew.omega_start().init, OmegaInit::rope);
  EXPECT_EQ(anew.omega().abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace lanerope::train
