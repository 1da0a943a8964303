// SPDX-License-Identifier: Apache-2.0
#include "train/train_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "core/sleepers.h"
#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"
#include "tests/train/lane_scores.h"
#include "tests/train/small_models.h"
#include "train/model_file.h"

namespace lanerope::train {
namespace {

using testing::HasSubstr;
using torch::Tensor;

class TrainModelOf : public testing::TestWithParam<const char*> {
 protected:
  const std::string file = support::write_model(small(GetParam()));
  const std::shared_ptr<const Model> model = support::load_model(file, BackEnd::ggml);
  TrainModel trained{file};
};

TEST_P(TrainModelOf, GivesTheEnginesLogProbabilitiesForEveryInitialisationOfOmega) {
  for (const OmegaInit init : {OmegaInit::rope, OmegaInit::gt, OmegaInit::ntk, OmegaInit::ntk_by_parts}) {
    trained.set_omega(OmegaConfig{.init = init, .stride = 60});
    const LaneScores expected = engine_scores(model, ragged_groups(), coupling_of(trained));
    EXPECT_LT(largest_difference(trainer_scores(trained, ragged_groups()), expected), same) << name(init);
  }
}

TEST_P(TrainModelOf, GivesTheEnginesLogProbabilitiesUnderEveryMask) {
  trained.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60});
  for (const Visibility visibility : {Visibility::inclusive, Visibility::strict, Visibility::interleaved}) {
    const LaneScores open = engine_scores(model, ragged_groups(), coupling_of(trained, visibility));
    EXPECT_LT(largest_difference(trainer_scores(trained, ragged_groups(), {.visibility = visibility}), open),
              same)
        << name(visibility);
  }
  const LaneScores closed = engine_scores(model, ragged_groups(), {.kind = CouplingKind::independent});
  EXPECT_LT(largest_difference(trainer_scores(trained, ragged_groups(), {.joint = false}), closed), same);
}

TEST_P(TrainModelOf, GivesTheEnginesLogProbabilitiesWithThePromptInTheFirstLane) {
  trained.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60});
  Coupling coupling = coupling_of(trained);
  coupling.prompt_lane = PromptLane::first;
  const LaneScores scores = trainer_scores(trained, ragged_groups(), {.prompt_lane = PromptLane::first});
  EXPECT_LT(largest_difference(scores, engine_scores(model, ragged_groups(), coupling)), same);
  EXPECT_GT(largest_difference(scores, trainer_scores(trained, ragged_groups())), same)
      << "in each lane of its own it is elsewhere";
}

// What the engine writes with a second stage, and the trainer makes of the same tokens.
TEST_P(TrainModelOf, GivesTheEnginesLogProbabilitiesOfASecondStage) {
  trained.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60});
  for (const bool joint : {true, false}) {
    Engine engine(model, {.kv_cells = 512, .kv_type = KvType::f32});
    const Coupling coupling = joint ? coupling_of(trained) : Coupling{.kind = CouplingKind::independent};
    const support::GroupRun run = support::run_group(
        engine, {.prompt = {.tokens = support::some_tokens(9, 2)},
                 .lanes = 3,
                 .budget = 7,
                 .coupling = exactly(coupling),
                 .tag = "",
                 .lane_texts = {"", "ab"},
                 .sampling = {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 3},
                 .ignore_end = true,
                 .then = SecondStage{.text = "so", .budget = 6},
                 .logprobs = true});
    TokenGroup group{.prompt = support::some_tokens(9, 2)};
    LaneScores expected;
    for (int32_t m = 0; m < 4; ++m) {
      const std::vector<float> logprobs = run.logprobs(m);
      const std::vector<TokenId>& tokens = run.result.lanes[m].tokens;
      expected.emplace_back(logprobs.begin(), logprobs.end());
      LaneTokens lane{.tokens = tokens, .n_forced = static_cast<int32_t>(tokens.size() - logprobs.size())};
      if (m < 3) group.lanes.push_back(lane);
      if (m == 3) group.second_stage = lane;
    }
    ASSERT_TRUE(group.second_stage);
    EXPECT_LT(largest_difference(trainer_scores(trained, {group}, {.joint = joint}), expected), same)
        << (joint ? "joint" : "closed");
  }
}

// Groups in which lanes sleep: token 7 waits and 8 is ready.
constexpr SleepTokens sleep_tokens{.wait = 7, .ready = 8};
std::vector<TokenGroup> sleepy_groups() {
  std::vector<TokenGroup> groups = ragged_groups();
  for (TokenGroup& group : groups) {
    std::vector<std::span<const TokenId>> lanes;
    for (size_t m = 0; m < group.lanes.size(); ++m) {
      std::vector<TokenId>& tokens = group.lanes[m].tokens;
      for (TokenId& token : tokens) token = token == 7 || token == 8 ? 9 : token;
      tokens[1 + m % 2] = m == 1 ? 5 : 7;
      tokens.insert(tokens.end() - 1, m == 1 ? 8 : 7);
      lanes.emplace_back(tokens);
    }
    const Coupling coupling;
    const auto steps = core::lane_steps(lanes, {}, core::Sleepers(sleep_tokens, coupling));
    for (size_t m = 0; m < lanes.size(); ++m) group.lanes[m].steps = steps[m];
  }
  return groups;
}

TEST_P(TrainModelOf, GivesTheEnginesLogProbabilitiesOfLanesThatSlept) {
  const std::vector<TokenGroup> groups = sleepy_groups();
  const LaneTokens& slept = groups[2].lanes[0];
  ASSERT_GT(slept.steps.back(), static_cast<int32_t>(slept.tokens.size())) << "somebody sleeps";
  trained.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60});
  for (const Visibility visibility : {Visibility::inclusive, Visibility::strict, Visibility::interleaved}) {
    const LaneScores expected = engine_scores(model, groups, coupling_of(trained, visibility), sleep_tokens);
    EXPECT_LT(largest_difference(trainer_scores(trained, groups, {.visibility = visibility}), expected), same)
        << name(visibility);
    EXPECT_GT(largest_difference(trainer_scores(trained, groups, {.visibility = visibility}),
                                 engine_scores(model, groups, coupling_of(trained, visibility))),
              same)
        << "without sleep they are others";
  }
}

TEST_P(TrainModelOf, GivesTheEnginesLogProbabilitiesOfLanesThatSeeFromTheirHandOverOn) {
  std::vector<TokenGroup> groups = sleepy_groups();
  trained.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60});
  const LaneScores from_the_start = trainer_scores(trained, groups);
  for (TokenGroup& group : groups) {
    for (LaneTokens& lane : group.lanes) {
      const auto is_sign = [](TokenId token) {
        return token == sleep_tokens.wait || token == sleep_tokens.ready;
      };
      lane.sees_from = static_cast<int32_t>(std::ranges::find_if(lane.tokens, is_sign) - lane.tokens.begin());
    }
  }
  Coupling coupling = coupling_of(trained);
  coupling.sees_from = SeesFrom::hand_over;
  const LaneScores scores = trainer_scores(trained, groups);
  EXPECT_LT(largest_difference(scores, engine_scores(model, groups, coupling, sleep_tokens)), same);
  EXPECT_GT(largest_difference(scores, from_the_start), same);
}

INSTANTIATE_TEST_SUITE_P(Architectures, TrainModelOf,
                         testing::Values("qwen2", "qwen3", "llama", "olmo2", "granite", "gemma2", "gemma3",
                                         "smollm3", "mistral3"));

// The initialisations agree by name too, and not only as the vector that one of them made.
TEST(TrainModel, MeansTheSameByTheNameOfAnInitialisation) {
  const std::string file = support::write_model(small());
  TrainModel trained(file);
  for (const OmegaInit init : {OmegaInit::gt, OmegaInit::ntk, OmegaInit::ntk_by_parts}) {
    // The formula of ntk has the number of lanes in it, so each group is compared with the omega of its own.
    for (const TokenGroup& group : ragged_groups()) {
      const auto lanes = static_cast<int32_t>(group.lanes.size());
      trained.set_omega(OmegaConfig{.init = init, .stride = 600, .lanes = lanes});
      const LaneScores expected =
          engine_scores(support::load_model(file, BackEnd::ggml), {group}, {.init = init, .stride = 600});
      EXPECT_LT(largest_difference(trainer_scores(trained, {group}), expected), same)
          << name(init) << ", N = " << lanes;
    }
  }
}

TEST(TrainModel, TurnsEachLayerByItsOwnOmega) {
  const std::string file = support::write_model(small());
  TrainModel trained(file);
  torch::manual_seed(1);
  trained.set_omega(torch::randn({2, 8}));
  const LaneScores expected =
      engine_scores(support::load_model(file, BackEnd::ggml), ragged_groups(), coupling_of(trained));
  EXPECT_LT(largest_difference(trainer_scores(trained, ragged_groups()), expected), same);
}

TEST(TrainModel, AgreesWithTheEnginesKernelsToo) {
  const std::string file = support::write_model(small());
  TrainModel trained(file);
  trained.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60});
  const LaneScores expected =
      engine_scores(support::load_model(file, BackEnd::kernels), ragged_groups(), coupling_of(trained));
  EXPECT_LT(largest_difference(trainer_scores(trained, ragged_groups()), expected), same_in_f16);
}

TEST(TrainModel, ReadsScaledRotaryFrequencies) {
  tools::RandomModel yarn = small();
  yarn.rope_scaling = core::RopeScaling::yarn;
  yarn.rope_factor = 4;
  yarn.rope_original_context = 64;
  const std::string file = support::write_model(yarn);
  TrainModel trained(file);
  trained.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60});
  const std::string again = support::new_file(".gguf");
  write_model_file(trained, again, {.type = GGML_TYPE_F32});
  for (const std::string& path : {file, again}) {
    const LaneScores expected =
        engine_scores(support::load_model(path, BackEnd::ggml), ragged_groups(), coupling_of(trained));
    EXPECT_LT(largest_difference(trainer_scores(trained, ragged_groups()), expected), same) << path;
  }
}

TEST(TrainModel, UnpacksAQuantisedBase) {
  tools::RandomModel quantised = small();
  quantised.type = "q8_0";
  const std::string file = support::write_model(quantised);
  const TrainModel trained(file);
  // The engine on ggml's operations rounds the activations to 8 bits as well, so it is not the measure here:
  // the same model, unpacked and written as f32, is.
  const std::string unpacked = support::new_file(".gguf");
  write_model_file(trained, unpacked, {.type = GGML_TYPE_F32});
  const LaneScores expected = engine_scores(support::load_model(unpacked, BackEnd::ggml), ragged_groups(),
                                            {.kind = CouplingKind::lanerope});
  EXPECT_LT(largest_difference(trainer_scores(trained, ragged_groups()), expected), same);
  const TrainModel whole(support::write_model(small()));
  const double off = largest_weight_difference(trained, whole);
  EXPECT_GT(off, 0);
  EXPECT_LT(off, 0.02) << "the weights are those that were quantised";
}

TEST(TrainModel, WithItsAdapterOffIsItsBase) {
  const std::string base = support::write_model(small());
  TrainModel trained(base);
  trained.add_lora({.rank = 3}, 1);
  fill_adapter(trained);
  const torch::NoGradGuard no_gradients;
  const LaneBatch batch = make_lane_batch(ragged_groups(), {});
  EXPECT_TRUE(torch::equal(trained.logits(batch, AdapterUse::off), TrainModel(base).logits(batch)));
}

// An adapter's gradients do not depend on whether the trainer knows that nothing else learns.
TEST(TrainModel, WithFrozenWeightsComputesTheSame) {
  for (const bool on_prompt : {true, false}) {
    const std::string base = support::write_model(small());
    TrainModel plain(base);
    TrainModel frozen(base);
    for (TrainModel* model : {&plain, &frozen}) {
      model->add_lora({.rank = 3, .on_prompt = on_prompt}, 1);
      model->set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60, .learn = true});
      fill_adapter(*model);
    }
    frozen.set_compute_type(ComputeType::f32);
    EXPECT_FALSE(plain.makes_no_logits());
    EXPECT_TRUE(frozen.makes_no_logits());
    const LaneBatch batch = make_lane_batch(ragged_groups(), {});
    const Tensor a = plain.log_probabilities(batch);
    const Tensor b = frozen.log_probabilities(batch);
    EXPECT_LT((a - b).abs().max().item<double>(), 1e-4);
    EXPECT_LT((plain.logits(batch) - frozen.logits(batch)).abs().max().item<double>(), 1e-4);
    a.sum().backward();
    b.sum().backward();
    const auto others = frozen.trained();
    for (const auto& [name, tensor] : plain.trained()) {
      const Tensor expected = tensor.grad();
      ASSERT_TRUE(expected.defined()) << name;
      EXPECT_LT((expected - others.at(name).grad()).abs().max().item<double>(),
                1e-3 * (1 + expected.abs().max().item<double>()))
          << name;
    }
    EXPECT_LT(
        (plain.log_probabilities(batch, AdapterUse::off) - frozen.log_probabilities(batch, AdapterUse::off))
            .abs()
            .max()
            .item<double>(),
        1e-4);
  }
}

TEST(TrainModel, TrainsWhatItIsAskedTo) {
  const std::string base = support::write_model(small());
  TrainModel all(base);
  EXPECT_EQ(all.trained().size(), all.parameters().size() - 1) << "all but omega";
  all.set_omega(OmegaConfig{.learn = true, .per_layer = true});
  EXPECT_EQ(all.trained().at("omega").sizes(), (std::vector<int64_t>{2, 8}));

  TrainModel low_rank(base);
  low_rank.add_lora({.rank = 2, .targets = {"attn_q", "ffn_down"}}, 1);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : low_rank.trained()) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b",
                                          "blk.0.ffn_down.weight.lora_a", "blk.0.ffn_down.weight.lora_b",
                                          "blk.1.attn_q.weight.lora_a", "blk.1.attn_q.weight.lora_b",
                                          "blk.1.ffn_down.weight.lora_a", "blk.1.ffn_down.weight.lora_b"));
}

TEST(TrainModel, RefusesATargetThatItDoesNotHave) {
  TrainModel model(support::write_model(small()));
  for (const std::vector<std::string>& targets : {std::vector<std::string>{"attn_q", "attn_o"}, {}}) {
    try {
      model.add_lora({.rank = 2, .targets = targets}, 1);
      FAIL() << "not refused";
    } catch (const InvalidRequest& error) {
      EXPECT_THAT(error.what(), HasSubstr(targets.empty() ? "there are none" : "\"attn_o\" is no linear"));
    }
  }
}

// The gradient of everything that is trained, omega included, against differences of the loss.
class Gradients : public testing::TestWithParam<const char*> {};

TEST_P(Gradients, AreThoseOfTheLogProbabilities) {
  TrainModel model(support::write_model(small(GetParam())));
  model.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 3, .learn = true, .per_layer = false});
  const LaneBatch batch = make_lane_batch(ragged_groups(), {});
  const auto loss = [&] { return model.log_probabilities(batch).mean(); };
  loss().backward();
  torch::manual_seed(2);
  for (const std::string name :
       {"omega", "token_embd.weight", "blk.0.attn_q.weight", "blk.1.attn_k.bias", "blk.0.ffn_up.weight",
        "blk.0.ffn_gate.weight", "blk.1.attn_norm.weight", "output_norm.weight"}) {
    if (!model.parameters().contains(name)) continue;
    const Tensor weight = model.trained().at(name);
    expect_slope(weight, loss, name);
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, Gradients, testing::Values("qwen2", "gemma2"));

TEST(TrainModel, RefusesExpertsInOneSentence) {
  const std::string file = support::write_model(small("qwen3moe"));
  try {
    const TrainModel model(file);
    FAIL() << "not refused";
  } catch (const InvalidRequest& error) {
    EXPECT_THAT(error.what(), HasSubstr("its feed-forward layers are experts"));
  }
}

TEST(TrainModel, RefusesAnAdapterOfAnotherModelInOneSentence) {
  tools::RandomModel other = small();
  other.width = 48;
  TrainModel trained(support::write_model(other));
  trained.add_lora({.rank = 2}, 1);
  const std::string file = support::new_file(".lora.gguf");
  write_adapter_file(trained, file, {});
  TrainModel model(support::write_model(small()));
  try {
    model.load_adapter(file);
    FAIL() << "not refused";
  } catch (const InvalidRequest& error) {
    EXPECT_THAT(error.what(), HasSubstr("belongs to another model"));
  }
}

}  // namespace
}  // namespace lanerope::train
