// SPDX-License-Identifier: Apache-2.0
#include "train/initial_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace lanerope::train
