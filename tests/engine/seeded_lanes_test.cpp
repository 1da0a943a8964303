// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

struct Case {
  BackEnd back_end;
  const char* type;
};

class SeededLanes : public testing::TestWithParam<Case> {
 protected:
  static std::shared_ptr<const Model> load() {
    tools::RandomModel model{.n_layer = 2, .width = 64, .n_ffn = 96, .n_vocab = 400, .type = GetParam().type};
    model.bridge_heads = 2;
    if (model.type == "q4_k_m") model.width = model.n_ffn = 256;
    return support::load_model(model, GetParam().back_end);
  }

  // To the bit on the kernels' path. ggml rounds a product by the number of its rows, which moves a draw that
  // is close.
  static void expect_same(const support::GroupRun& a, const support::GroupRun& b) {
    ASSERT_EQ(a.result.lanes.size(), b.result.lanes.size());
    for (int32_t m = 0; m < static_cast<int32_t>(a.result.lanes.size()); ++m) {
      EXPECT_EQ(a.tokens(m), b.tokens(m)) << "lane " << m;
      EXPECT_EQ(a.result.lanes[m].text, b.result.lanes[m].text);
      if (GetParam().back_end == BackEnd::kernels) {
        EXPECT_EQ(a.logprobs(m), b.logprobs(m)) << "lane " << m;
      }
    }
  }

  static Request request(uint64_t seed, CouplingKind kind = CouplingKind::lanerope) {
    return {.prompt = {.tokens = support::some_tokens(23, 7)},
            .lanes = 3,
            .budget = 12,
            .coupling = {.kind = kind},
            .sampling = {.temperature = 1, .seed = seed},
            .ignore_end = true,
            .logprobs = true};
  }

  std::shared_ptr<const Model> model = load();
};

TEST_P(SeededLanes, SayTheSameTwiceAndWithAnotherSeedSomethingElse) {
  Engine first(model, {.kv_cells = 4096});
  Engine second(model, {.kv_cells = 4096});
  const support::GroupRun run = support::run_group(first, request(1));
  expect_same(run, support::run_group(second, request(1)));
  const support::GroupRun other = support::run_group(second, request(2));
  EXPECT_TRUE(run.tokens(0) != other.tokens(0) || run.tokens(1) != other.tokens(1) ||
              run.tokens(2) != other.tokens(2));
}

TEST_P(SeededLanes, OfOneRequestDifferFromOneAnother) {
  Engine engine(model, {.kv_cells = 4096});
  Request same = request(3, CouplingKind::independent);
  same.tag = "";
  const support::GroupRun run = support::run_group(engine, same);
  std::set<std::vector<TokenId>> different;
  for (int32_t m = 0; m < 3; ++m) different.insert(run.tokens(m));
  EXPECT_EQ(different.size(), 3U);
}

TEST_P(SeededLanes, SayTheSameAloneAndBesideOtherGroups) {
  for (const CouplingKind kind : {CouplingKind::independent, CouplingKind::lanerope, CouplingKind::groupthink,
                                  CouplingKind::hogwild, CouplingKind::bridge}) {
    Engine quiet(model, {.kv_cells = 8192, .keep_prefixes = false});
    const support::GroupRun alone = support::run_group(quiet, request(4, kind));

    Engine busy(model, {.kv_cells = 8192, .keep_prefixes = false});
    support::Runner runner(busy);
    Request other = request(99, CouplingKind::hogwild);
    other.prompt = {.tokens = support::some_tokens(50, 8)};
    other.lanes = 5;
    busy.submit(other);
    for (int i = 0; i < 4; ++i) runner.step();
    const GroupId id = busy.submit(request(4, kind));
    other.prompt = {.tokens = support::some_tokens(31, 9)};
    other.coupling = {.kind = CouplingKind::independent};
    busy.submit(other);
    runner.finish();
    expect_same(runner.run(id), alone);
  }
}

// The last lanes of a group do not change what its first ones draw, where they do not see each other.
TEST_P(SeededLanes, DrawTheSameWhateverTheNumberOfLanes) {
  Engine engine(model, {.kv_cells = 8192, .keep_prefixes = false});
  Request few = request(5, CouplingKind::independent);
  few.tag = "";
  Request many = few;
  many.lanes = 7;
  const support::GroupRun with_few = support::run_group(engine, few);
  support::GroupRun with_many = support::run_group(engine, many);
  with_many.result.lanes.resize(3);
  expect_same(with_few, with_many);
}

INSTANTIATE_TEST_SUITE_P(Paths, SeededLanes,
                         testing::Values(Case{BackEnd::ggml, "f32"}, Case{BackEnd::kernels, "f32"},
                                         Case{BackEnd::kernels, "f16"}, Case{BackEnd::kernels, "q8_0"},
                                         Case{BackEnd::kernels, "q4_0"}, Case{BackEnd::kernels, "q4_k_m"}),
                         [](const auto& param_info) {
                           return std::string(name(param_info.param.back_end)) + "_" + param_info.param.type;
                         });

// On the kernels' path the text of a seeded lane is a function of its request: neither the cells that its
// prompt shares with others, nor other groups, nor the chunks in which the prompt is read move a bit.
struct PoolCase {
  const char* type;
  KvType kv_type;
  const char* adapter = "";  // the type of a random adapter, or none
};

class SharedBeginnings : public testing::TestWithParam<PoolCase> {
 protected:
  static constexpr int32_t prompt_length = 1130;

  static std::shared_ptr<const Model> load() {
    tools::RandomModel model{.n_layer = 2, .width = 64, .n_ffn = 96, .n_vocab = 400, .type = GetParam().type};
    if (model.type == "q4_k_m") model.width = model.n_ffn = 256;
    const std::string base = support::write_model(model);
    const std::string adapter = GetParam().adapter;
    if (adapter.empty()) return support::load_model(base, BackEnd::kernels);
    return support::load_model(base, BackEnd::kernels,
                               {{.file = support::write_adapter({.rank = 16, .type = adapter}, base)}});
  }

  // A prompt that begins with `same` tokens of the request's and goes on in its own way.
  static std::vector<TokenId> prompt(int32_t same, int32_t length = prompt_length) {
    std::vector<TokenId> tokens = support::some_tokens(length, 7);
    for (int32_t i = same; i < length; ++i) tokens[i] = (tokens[i] + 1 + same % 7) % 250;
    return tokens;
  }

  static Request request(std::vector<TokenId> prompt, int32_t lanes) {
    return {.prompt = {.tokens = std::move(prompt)},
            .lanes = lanes,
            .budget = 8,
            .coupling = {.kind = lanes == 1 ? CouplingKind::independent : CouplingKind::lanerope},
            .sampling = {.temperature = 1, .seed = 21},
            .ignore_end = true,
            .logprobs = true};
  }

  support::GroupRun alone(const Request& wanted, int32_t batch_rows = 512) const {
    Engine engine(model, options(batch_rows));
    return support::run_group(engine, wanted);
  }

  static EngineOptions options(int32_t batch_rows = 512) {
    return {.kv_cells = 12000, .batch_rows = batch_rows, .kv_type = GetParam().kv_type};
  }

  static void expect_same_bits(const support::GroupRun& a, const support::GroupRun& b) {
    ASSERT_EQ(a.result.lanes.size(), b.result.lanes.size());
    for (int32_t m = 0; m < static_cast<int32_t>(a.result.lanes.size()); ++m) {
      EXPECT_EQ(a.tokens(m), b.tokens(m)) << "lane " << m;
      EXPECT_EQ(a.logprobs(m), b.logprobs(m)) << "lane " << m;
    }
  }

  std::shared_ptr<const Model> model = load();
};

TEST_P(SharedBeginnings, OfKeptPromptsMoveNoBit) {
  for (const int32_t lanes : {1, 4}) {
    const Request wanted = request(prompt(prompt_length), lanes);
    const support::GroupRun expected = alone(wanted);
    for (const int32_t same : {10, 64, 100, 200, 1100}) {
      SCOPED_TRACE(std::to_string(lanes) + " lanes, " + std::to_string(same) + " tokens in common");
      Engine engine(model, options());
      support::run_group(engine, request(prompt(same), 2));
      const support::GroupRun after = support::run_group(engine, wanted);
      EXPECT_EQ(after.result.cached_prompt_tokens, same < 16 ? 0 : same);
      expect_same_bits(after, expected);
      const support::GroupRun again = support::run_group(engine, wanted);
      EXPECT_EQ(again.result.cached_prompt_tokens, prompt_length - 1);
      expect_same_bits(again, expected);
    }
  }
}

// A prompt that is made of many runs of cells: each of the kept ones adds a little to the one before.
TEST_P(SharedBeginnings, OfPromptsThatShareThemselvesMoveNoBit) {
  const Request wanted = request(prompt(prompt_length), 4);
  const support::GroupRun expected = alone(wanted);
  Engine engine(model, options());
  for (const int32_t same : {40, 63, 130, 500, 1027})
    support::run_group(engine, request(prompt(same, same + 5), 1));
  const support::GroupRun after = support::run_group(engine, wanted);
  EXPECT_EQ(after.result.cached_prompt_tokens, 1027);
  expect_same_bits(after, expected);
}

TEST_P(SharedBeginnings, OfRunningGroupsMoveNoBit) {
  for (const int32_t lanes : {1, 4}) {
    const Request wanted = request(prompt(prompt_length), lanes);
    const support::GroupRun expected = alone(wanted);
    Engine engine(model, options(300));
    support::Runner runner(engine);
    for (const int32_t same : {1100, 700}) engine.submit(request(prompt(same), 3));
    for (int i = 0; i < 3; ++i) runner.step();
    engine.submit(request(prompt(90), 1));
    const GroupId id = engine.submit(wanted);
    for (const int32_t same : {1000, prompt_length}) engine.submit(request(prompt(same), 5));
    runner.finish();
    EXPECT_EQ(runner.run(id).result.cached_prompt_tokens, 1100);
    expect_same_bits(runner.run(id), expected);
  }
}

TEST_P(SharedBeginnings, AndChunksOfAnyLengthMoveNoBit) {
  const Request wanted = request(prompt(prompt_length), 4);
  const support::GroupRun expected = alone(wanted);
  for (const int32_t batch_rows : {7, 64, 100, 4096}) {
    SCOPED_TRACE(batch_rows);
    expect_same_bits(alone(wanted, batch_rows), expected);
    Engine engine(model, options(batch_rows));
    support::run_group(engine, request(prompt(333), 2));
    expect_same_bits(support::run_group(engine, wanted), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Pools, SharedBeginnings,
                         testing::Values(PoolCase{"f16", KvType::f16}, PoolCase{"q4_k_m", KvType::f16},
                                         PoolCase{"q4_k_m", KvType::q8_0},
                                         PoolCase{"q8_0", KvType::f16, "f16"},
                                         PoolCase{"q4_k_m", KvType::f16, "f32"}),
                         [](const auto& param_info) {
                           return std::string(param_info.param.type) + "_" +
                                  std::string(name(param_info.param.kv_type)) + param_info.param.adapter;
                         });

// A fork of an independent lane is a plain run of the prompt and what the lane wrote before.
class Forks : public testing::TestWithParam<BackEnd> {};

TEST_P(Forks, GoOnLikeAPlainRunOfPromptAndTrunk) {
  const auto model = support::load_model(tools::RandomModel{.n_layer = 2, .n_vocab = 400}, GetParam());
  const Request trunk{.prompt = {.tokens = support::some_tokens(15, 3)},
                      .lanes = 1,
                      .budget = 16,
                      .coupling = {.kind = CouplingKind::independent},
                      .sampling = {.temperature = 0},
                      .ignore_end = true,
                      .logprobs = true,
                      .reserved_lanes = 4};
  // A push makes the trunk's own way differ from the fork's, which is what a fork is for.
  for (const auto& [when, fork_step] :
       {std::pair{6, -1}, std::pair{6, 6}, std::pair{6, 3}, std::pair{9, 1}}) {
    Engine engine(model, {.kv_cells = 2048, .keep_prefixes = false});
    support::Runner runner(engine);
    const GroupId id = engine.submit(trunk);
    for (int i = 0; i < when; ++i) runner.step();
    const int32_t fork = engine.spawn(id, {.parent = 0, .fork_step = fork_step, .text = " then"});
    const int32_t again = engine.spawn(id, {.parent = fork});
    runner.finish();
    const support::GroupRun& run = runner.run(id);

    const int32_t past = fork_step < 0 ? when : fork_step;
    const std::vector<TokenId> own = run.tokens(0);
    Request plain = trunk;
    plain.prompt.tokens.insert(plain.prompt.tokens.end(), own.begin(), own.begin() + past);
    plain.lane_texts = {" then"};
    const support::GroupRun expected = support::run_group(engine, plain);

    EXPECT_EQ(run.tokens(fork).front(), own[past - 1]) << "the last token of the past is fed once more";
    const std::vector<TokenId> tokens = run.tokens(fork);
    const std::vector<TokenId> plain_tokens = expected.tokens(0);
    for (size_t i = 1; i < tokens.size(); ++i) EXPECT_EQ(tokens[i], plain_tokens[i - 1]) << "token " << i;
    for (size_t i = 0; i < run.logprobs(fork).size(); ++i) {
      EXPECT_NEAR(run.logprobs(fork)[i], expected.logprobs(0)[i], 0.02);
    }
    std::vector<TokenId> shown(own.begin(), own.begin() + past);
    std::erase_if(shown, [&](TokenId token) { return model->is_end(token); });
    EXPECT_THAT(run.result.lanes[fork].text, testing::StartsWith(model->decode(shown) + " then"));
    EXPECT_GT(run.tokens(again).size(), 1U);
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, Forks, testing::Values(BackEnd::ggml, BackEnd::kernels),
                         [](const auto& param_info) { return std::string(name(param_info.param)); });

}  // namespace
}  // namespace lanerope::engine
