// SPDX-License-Identifier: Apache-2.0
#include "arch/config_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gguf/writer.h"
#include "lanerope/errors.h"
#include "tests/support/random_models.h"

namespace lanerope::arch {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

using Change = std::function<void(gguf::Writer&)>;

// A file with the keys of a small model and nothing in it but an embedding, and `change` made to its keys.
std::string file_with(const Change& change, std::vector<float> rope_freqs = {}) {
  const std::string path = support::new_file(".gguf");
  gguf::Writer writer(path);
  writer.set("general.architecture", "qwen2");
  writer.set("qwen2.block_count", uint32_t{2});
  writer.set("qwen2.embedding_length", uint32_t{32});
  writer.set("qwen2.feed_forward_length", uint32_t{48});
  writer.set("qwen2.context_length", uint32_t{256});
  writer.set("qwen2.attention.head_count", uint32_t{4});
  writer.set("qwen2.attention.head_count_kv", uint32_t{2});
  if (change) change(writer);
  const std::vector<float> embedding(32 * 5);
  writer.add_tensor("token_embd.weight", GGML_TYPE_F32, std::vector<int64_t>{32, 5});
  const std::vector<int64_t> n_freqs = {static_cast<int64_t>(rope_freqs.size())};
  if (!rope_freqs.empty()) writer.add_tensor("rope_freqs.weight", GGML_TYPE_F32, n_freqs);
  writer.begin();
  writer.write(std::as_bytes(std::span(embedding)));
  if (!rope_freqs.empty()) writer.write(std::as_bytes(std::span(rope_freqs)));
  writer.finish();
  return path;
}

ModelConfig read(const std::string& path) {
  return read_config(gguf::File(path));
}

std::string refusal(const std::string& path) {
  try {
    read(path);
  } catch (const BadFile& error) {
    return error.what();
  }
  return "(not refused)";
}

TEST(ModelConfig, AreReadOrTakenFromTheOthers) {
  const ModelConfig config = read(file_with({}));
  EXPECT_EQ(config.architecture, "qwen2");
  EXPECT_EQ(config.attention().head_dim, 8) << "width over heads";
  EXPECT_EQ(config.n_vocab, 5) << "rows of the embedding";
  EXPECT_EQ(config.rope().base, 10000.0F);
  EXPECT_EQ(config.rope().dimensions, 8);
  EXPECT_EQ(config.rope().scaling, core::RopeScaling::none);
  EXPECT_EQ(config.attention().kv_width(), 16);

  const ModelConfig given = read(file_with([](gguf::Writer& w) {
    w.set("qwen2.attention.key_length", uint32_t{64});
    w.set("qwen2.attention.value_length", uint32_t{64});
    w.set("qwen2.rope.freq_base", 1e6F);
    w.set("qwen2.rope.scaling.type", "yarn");
    w.set("qwen2.rope.scaling.factor", 4.0F);
    w.set("qwen2.rope.scaling.original_context_length", uint32_t{128});
  }));
  EXPECT_EQ(given.attention().head_dim, 64);
  EXPECT_EQ(given.attention().query_width(), 256);
  EXPECT_EQ(given.rope().scaling, core::RopeScaling::yarn);
  EXPECT_EQ(given.rope().factor, 4);
  EXPECT_EQ(given.rope().original_context, 128);
}

// As file_with, of another architecture, its keys without the prefix.
struct Key {
  const char* name;
  std::variant<uint32_t, float, std::string, std::vector<int32_t>> value;
};
std::string file_of(const std::string& architecture, const std::vector<Key>& keys) {
  return file_with([&](gguf::Writer& w) {
    w.set("general.architecture", architecture);
    const auto set = [&](const Key& key) {
      std::visit([&](const auto& value) { w.set(architecture + "." + key.name, value); }, key.value);
    };
    for (const auto& [name, value] : {std::pair{"block_count", 8U},
                                      {"embedding_length", 32U},
                                      {"feed_forward_length", 48U},
                                      {"context_length", 256U},
                                      {"attention.head_count", 4U},
                                      {"attention.head_count_kv", 2U}}) {
      set({name, value});
    }
    for (const Key& key : keys) set(key);
  });
}

std::vector<int32_t> windows_of(const ModelConfig& config) {
  std::vector<int32_t> windows;
  for (const LayerConfig& layer : config.layers) windows.push_back(layer.attention.window);
  return windows;
}

TEST(ModelConfig, OfGemma2HasWhatItsKeysLeaveOut) {
  const ModelConfig config = read(file_of("gemma2", {}));
  EXPECT_THAT(windows_of(config), ElementsAre(4096, 0, 4096, 0, 4096, 0, 4096, 0));
  EXPECT_EQ(config.ropes.size(), 1U) << "one rope for all layers";
  EXPECT_EQ(config.attention_classes.size(), 2U);
  EXPECT_EQ(config.attention().score_cap, 50);
  EXPECT_EQ(config.logit_cap, 30);
  EXPECT_FLOAT_EQ(config.attention().scale, 1 / std::sqrt(8.0F));
  EXPECT_FLOAT_EQ(config.embedding_scale, std::sqrt(32.0F));

  const ModelConfig given = read(file_of("gemma2", {{"attention.sliding_window", 16U},
                                                    {"attention.sliding_window_pattern", 3U},
                                                    {"attn_logit_softcapping", 20.0F},
                                                    {"final_logit_softcapping", 0.0F},
                                                    {"rope.scaling.type", "linear"},
                                                    {"rope.scaling.factor", 2.0F}}));
  EXPECT_THAT(windows_of(given), ElementsAre(16, 16, 0, 16, 16, 0, 16, 16));
  EXPECT_EQ(given.ropes.size(), 1U) << "scaled alike";
  EXPECT_EQ(given.attention().score_cap, 20);
  EXPECT_EQ(given.logit_cap, 0);
}

TEST(ModelConfig, OfExpertsHasTheirNumberAndTheWidthOfOne) {
  const std::vector<Key> keys = {{"expert_count", 8U}, {"expert_used_count", 3U}};
  const ModelConfig config = read(file_of("qwen3moe", keys));
  EXPECT_EQ(config.ffn().n_expert, 8);
  EXPECT_EQ(config.ffn().n_expert_used, 3);
  EXPECT_EQ(config.ffn().n_ffn, 16) << "feed_forward_length over those that are used";
  EXPECT_EQ(read(file_of("qwen3moe", {keys[0], keys[1], {"expert_feed_forward_length", 24U}})).ffn().n_ffn,
            24);

  EXPECT_THAT(refusal(file_of("qwen3moe", {})), HasSubstr("qwen3moe.expert_count"));
  EXPECT_THAT(refusal(file_of("qwen3moe", {keys[0]})), HasSubstr("qwen3moe.expert_used_count"));
  EXPECT_THAT(refusal(file_of("qwen3moe", {keys[0], {"expert_used_count", 9U}})),
              HasSubstr("qwen3moe.expert_used_count is more than expert_count"));
  EXPECT_THAT(refusal(file_of("qwen3moe", {{"expert_count", 5000U}, keys[1]})),
              HasSubstr("qwen3moe.expert_count"));
}

TEST(ModelConfig, OfGptOssHasWindowsWithTheRopeOfAllLayers) {
  const ModelConfig config = read(file_of("gpt-oss", {{"expert_count", 8U},
                                                      {"expert_used_count", 2U},
                                                      {"rope.scaling.type", "yarn"},
                                                      {"rope.scaling.factor", 32.0F}}));
  EXPECT_THAT(windows_of(config), ElementsAre(128, 0, 128, 0, 128, 0, 128, 0));
  EXPECT_EQ(config.ropes.size(), 1U);
  EXPECT_EQ(config.rope().scaling, core::RopeScaling::yarn);
  EXPECT_TRUE(config.attention().sinks && config.attention().output_bias && config.ffn().bias);
  EXPECT_THAT(refusal(file_of("gptoss", {})), HasSubstr("another program's layout"));
}

TEST(ModelConfig, OfTheLargestGemmasScalesScoresByTheWidthOverTheHeads) {
  for (const auto& [architecture, n_layer] : {std::pair{"gemma2", 46U}, {"gemma3", 62U}}) {
    const std::vector<Key> keys = {{"block_count", n_layer}, {"attention.key_length", 64U}};
    EXPECT_FLOAT_EQ(read(file_of(architecture, keys)).attention().scale, 1 / std::sqrt(8.0F));
    EXPECT_FLOAT_EQ(read(file_of(architecture, {keys[1]})).attention().scale, 1 / 8.0F);
  }
}

TEST(ModelConfig, OfLayersInAPatternIsTheFilesWhereItIsANumber) {
  const ModelConfig none = read(file_of("gemma3", {{"attention.sliding_window", 0U}}));
  EXPECT_THAT(windows_of(none), Each(0));
  const ModelConfig list =
      read(file_of("olmo2", {{"attention.sliding_window", 7U},
                             {"attention.sliding_window_pattern", std::vector<int32_t>{1, 1, 1, 0}}}));
  EXPECT_THAT(windows_of(list), ElementsAre(7, 7, 7, 0, 7, 7, 7, 0));
}

// What is written is what was read: the trainer writes whole models.
TEST(ModelConfig, IsReadBackAsItWasWritten) {
  const std::vector<std::pair<const char*, std::vector<Key>>> files = {
      {"gemma2", {}},
      {"gemma2", {{"attention.sliding_window", 0U}, {"attn_logit_softcapping", 5.0F}}},
      {"gemma2", {{"attention.sliding_window", 9U}, {"attention.sliding_window_pattern", 3U}}},
      {"gemma3", {{"attention.sliding_window", 9U}}},
      {"qwen3moe", {{"expert_count", 8U}, {"expert_used_count", 3U}}},
  };
  for (const auto& [architecture, keys] : files) {
    const ModelConfig config = read(file_of(architecture, keys));
    const std::string again = file_with([&](gguf::Writer& w) { write_config(w, config); });
    const ModelConfig back = read(again);
    EXPECT_EQ(windows_of(back), windows_of(config)) << architecture;
    EXPECT_EQ(back.attention_classes, config.attention_classes);
    EXPECT_EQ(back.attention().score_cap, config.attention().score_cap);
    EXPECT_EQ(back.logit_cap, config.logit_cap);
    EXPECT_EQ(back.ffn().n_expert, config.ffn().n_expert);
    EXPECT_EQ(back.ffn().n_expert_used, config.ffn().n_expert_used);
    EXPECT_EQ(back.ffn().n_ffn, config.ffn().n_ffn);
  }
}

TEST(ModelConfig, ThatMakeNoSenseAreRefusedByTheirKey) {
  const auto size = [](const char* key, int32_t value) {
    return Change([key, value](gguf::Writer& w) { w.set(std::string("qwen2.") + key, value); });
  };
  const auto real = [](const char* key, float value) {
    return Change([key, value](gguf::Writer& w) { w.set(std::string("qwen2.") + key, value); });
  };
  const std::vector<std::pair<Change, const char*>> bad = {
      {[](gguf::Writer& w) { w.set("general.architecture", "mamba"); }, "llama, qwen2, qwen3"},
      {[](gguf::Writer& w) { w.set("general.architecture", "llama"); }, "llama."},
      {size("block_count", 0), "qwen2.block_count"},
      {size("block_count", -1), "qwen2.block_count"},
      {size("block_count", 5000), "qwen2.block_count"},
      {size("embedding_length", 0), "qwen2.embedding_length"},
      {size("embedding_length", 1 << 30), "qwen2.embedding_length"},
      {size("attention.head_count", 0), "qwen2.attention.head_count"},
      {size("attention.head_count_kv", 3), "qwen2.attention.head_count_kv does not divide"},
      {size("attention.key_length", 1), "qwen2.attention.key_length"},
      {size("attention.key_length", 4096), "qwen2.attention.key_length"},
      {size("attention.value_length", 16), "qwen2.attention.value_length"},
      {size("feed_forward_length", -7), "qwen2.feed_forward_length"},
      {size("context_length", 0), "qwen2.context_length"},
      {size("expert_count", 8), "qwen2.expert_count"},
      {size("rope.dimension_count", 7), "qwen2.rope.dimension_count"},
      {size("rope.dimension_count", 32), "qwen2.rope.dimension_count"},
      {real("rope.freq_base", 0), "qwen2.rope.freq_base"},
      {real("rope.freq_base", NAN), "qwen2.rope.freq_base"},
      {real("rope.scaling.factor", -1), "qwen2.rope.scaling.factor"},
      {real("rope.scaling.factor", INFINITY), "qwen2.rope.scaling.factor"},
      {real("attention.layer_norm_rms_epsilon", NAN), "qwen2.attention.layer_norm_rms_epsilon"},
      {[](gguf::Writer& w) { w.set("qwen2.rope.scaling.type", "longrope"); }, "\"longrope\""},
      {[](gguf::Writer& w) { w.set("qwen2.block_count", "two"); }, "qwen2.block_count"},
  };
  for (const auto& [change, words] : bad) EXPECT_THAT(refusal(file_with(change)), HasSubstr(words));
  EXPECT_EQ(refusal(file_with({})), "(not refused)");
}

TEST(ModelConfig, ReadsBridgesWhateverTheArchitecture) {
  EXPECT_FALSE(read_config(gguf::File(file_with({}))).bridge.any());
  const auto with = [](uint32_t heads, uint32_t length, uint32_t every) {
    return file_with([=](gguf::Writer& w) {
      w.set("lanerope.bridge.head_count", heads);
      w.set("lanerope.bridge.key_length", length);
      w.set("lanerope.bridge.every", every);
    });
  };
  const std::string good = with(3, 24, 1);
  const BridgeConfig bridge = read_config(gguf::File(good)).bridge;
  EXPECT_EQ(bridge.n_head, 3);
  EXPECT_EQ(bridge.width(), 72);
  EXPECT_TRUE(bridge.behind(0));
  EXPECT_THAT(refusal(with(0, 24, 1)), HasSubstr("lanerope.bridge.head_count"));
  EXPECT_THAT(refusal(with(1 << 20, 24, 1)), HasSubstr("lanerope.bridge.head_count"));
  EXPECT_THAT(refusal(with(3, 4096, 1)), HasSubstr("lanerope.bridge.key_length"));
  EXPECT_THAT(refusal(with(3, 24, 1000)), HasSubstr("lanerope.bridge.every"));
  EXPECT_THAT(refusal(file_with([](gguf::Writer& w) { w.set("lanerope.bridge.head_count", uint32_t{3}); })),
              HasSubstr("lanerope.bridge.key_length"));
}

TEST(ModelConfig, RefuseRopeFactorsThatDoNotFit) {
  EXPECT_EQ(refusal(file_with({}, {1, 2, 3, 4})), "(not refused)");
  EXPECT_THAT(refusal(file_with({}, {1, 2, 3})),
              AllOf(HasSubstr("rope_freqs.weight"), HasSubstr("4 f32 values")));
  EXPECT_THAT(refusal(file_with({}, {1, 2, NAN, 4})), HasSubstr("rope_freqs.weight"));
  EXPECT_THAT(refusal(file_with({}, {1, 2, 0, 4})), HasSubstr("rope_freqs.weight"));
}

// A model's file with some bytes replaced by as many others.
std::string patched(const std::string& path, const std::string& from, const std::string& to) {
  std::ifstream input(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(input), {}};
  const size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(from.size(), to.size());
  bytes.replace(at, from.size(), to);
  const std::string result = support::new_file(".gguf");
  std::ofstream(result, std::ios::binary) << bytes;
  return result;
}

std::string size_entry(const std::string& key, uint32_t value) {
  std::string bytes = key;
  const uint32_t type = GGUF_TYPE_UINT32;
  bytes.append(reinterpret_cast<const char*>(&type), sizeof(type));
  return bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

TEST(ModelWeights, AreRefusedByNameWhereOneIsMissingOrOfAnotherShape) {
  const auto refusal_of = [](const std::string& path) -> std::string {
    try {
      support::load_model(path, BackEnd::ggml);
    } catch (const BadFile& error) {
      return error.what();
    }
    return "(not refused)";
  };
  const std::string good = support::write_model(
      {.n_layer = 2, .width = 32, .n_head = 2, .n_head_kv = 1, .head_dim = 16, .n_ffn = 48});
  EXPECT_EQ(refusal_of(good), "(not refused)");
  for (const char* name :
       {"blk.1.ffn_up.weight", "blk.0.attn_q.weight", "output_norm.weight", "blk.1.attn_norm.weight"}) {
    std::string other = name;
    other.back() = 'X';
    EXPECT_THAT(refusal_of(patched(good, name, other)), HasSubstr(name));
  }
  EXPECT_THAT(refusal_of(patched(good, size_entry("qwen2.feed_forward_length", 48),
                                 size_entry("qwen2.feed_forward_length", 64))),
              HasSubstr("ffn_"));
  EXPECT_THAT(
      refusal_of(patched(good, size_entry("qwen2.block_count", 2), size_entry("qwen2.block_count", 3))),
      HasSubstr("blk.2."));
  EXPECT_THAT(refusal_of(patched(good, size_entry("qwen2.embedding_length", 32),
                                 size_entry("qwen2.embedding_length", 64))),
              HasSubstr("weight"));
}

}  // namespace
}  // namespace lanerope::arch
