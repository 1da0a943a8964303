// SPDX-License-Identifier: Apache-2.0
#include "hub/choose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lanerope/errors.h"

namespace lanerope::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Snapshot snapshot_of(const std::vector<std::string>& paths) {
  Snapshot snapshot{.repo = "user/repo"};
  for (const std::string& path : paths) snapshot.files.push_back({.path = path});
  return snapshot;
}

std::vector<std::string> chosen(const Snapshot& snapshot, const Wanted& wanted) {
  std::vector<std::string> paths;
  for (const RepoFile& file : choose_model(snapshot, wanted)) paths.push_back(file.path);
  return paths;
}

std::string refusal(const Snapshot& snapshot, const Wanted& wanted) {
  try {
    choose_model(snapshot, wanted);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(GgufName, HoldsQuantisationAndShard) {
  const GgufName name = parse_gguf_name("sub/Model-7B-q4_k_m-00002-of-00003.gguf");
  EXPECT_EQ(name.prefix, "sub/Model-7B-q4_k_m");
  EXPECT_EQ(name.quant, "Q4_K_M");
  EXPECT_EQ(name.shard, 2);
  EXPECT_EQ(name.shards, 3);
  EXPECT_EQ(shard_name(name, 3), "sub/Model-7B-q4_k_m-00003-of-00003.gguf");
  EXPECT_EQ(parse_gguf_name("model.F16.gguf").quant, "F16");
  EXPECT_EQ(parse_gguf_name("model.gguf").quant, "");
  EXPECT_EQ(parse_gguf_name("model.gguf").shards, 1);
  EXPECT_EQ(parse_gguf_name("model.safetensors").shards, 0);
}

// What llama.cpp's find_best_model gives for the same lists.
TEST(ChooseModel, AsLlamaCppDoes) {
  const Snapshot all =
      snapshot_of({"README.md", "a-IQ2_M.gguf", "a-Q4_K_M.gguf", "a-Q4_K_S.gguf", "a-Q8_0.gguf"});
  EXPECT_THAT(chosen(all, {}), ElementsAre("a-Q4_K_M.gguf"));
  EXPECT_THAT(chosen(all, {.quant = "q8_0"}), ElementsAre("a-Q8_0.gguf"));
  EXPECT_THAT(chosen(all, {.quant = "K_S"}), ElementsAre("a-Q4_K_S.gguf"));
  EXPECT_THAT(chosen(all, {.file = "a-IQ2_M.gguf"}), ElementsAre("a-IQ2_M.gguf"));
  EXPECT_THAT(chosen(snapshot_of({"a-F16.gguf", "a-Q8_0.gguf"}), {}), ElementsAre("a-Q8_0.gguf"));
  EXPECT_THAT(chosen(snapshot_of({"a-Q3_K_S.gguf", "a-Q5_0.gguf"}), {}), ElementsAre("a-Q3_K_S.gguf"));
  EXPECT_THAT(chosen(snapshot_of({"mmproj-a-Q4_K_M.gguf", "imatrix-Q4_K_M.gguf", "a-Q5_0.gguf"}), {}),
              ElementsAre("a-Q5_0.gguf"));
  // The quantisation may be a folder's name, if a '-' or '.' is behind it.
  EXPECT_THAT(chosen(snapshot_of({"Q4_K_M/a.gguf", "BF16.d/a.gguf"}), {.quant = "BF16"}),
              ElementsAre("BF16.d/a.gguf"));
}

TEST(ChooseModel, TakesAllShardsInOrder) {
  const Snapshot split = snapshot_of({"q/a-Q4_K_M-00002-of-00003.gguf", "q/a-Q4_K_M-00001-of-00003.gguf",
                                      "q/a-Q4_K_M-00003-of-00003.gguf", "a-Q2_K-00001-of-00002.gguf"});
  EXPECT_THAT(chosen(split, {}),
              ElementsAre("q/a-Q4_K_M-00001-of-00003.gguf", "q/a-Q4_K_M-00002-of-00003.gguf",
                          "q/a-Q4_K_M-00003-of-00003.gguf"));
  EXPECT_THAT(refusal(split, {.quant = "Q2_K"}),
              HasSubstr("lacks a-Q2_K-00002-of-00002.gguf, one of 2 shards"));
}

TEST(ChooseModel, SaysWhatThereIs) {
  const Snapshot some =
      snapshot_of({"config.json", "a-Q8_0.gguf", "a-F16-00001-of-00002.gguf", "a-F16-00002-of-00002.gguf"});
  EXPECT_EQ(refusal(some, {.quant = "Q4_0"}),
            "user/repo has no Q4_0; it holds a-Q8_0.gguf, a-F16-00001-of-00002.gguf");
  EXPECT_THAT(refusal(some, {.file = "b.gguf"}), HasSubstr("has no file b.gguf; it holds"));
  EXPECT_THAT(refusal(snapshot_of({"model.safetensors"}), {}), HasSubstr("holds no GGUF file"));
}

TEST(ChooseAdapter, IsTheOnlyOneOrTheOneNamed) {
  const Snapshot one = snapshot_of({"README.md", "adapter.gguf"});
  EXPECT_EQ(choose_adapter(one, {}).path, "adapter.gguf");
  const Snapshot two = snapshot_of({"lora-f16.gguf", "lora-q8_0.gguf"});
  EXPECT_EQ(choose_adapter(two, {.quant = "Q8_0"}).path, "lora-q8_0.gguf");
  EXPECT_EQ(choose_adapter(two, {.file = "lora-f16.gguf"}).path, "lora-f16.gguf");
  EXPECT_THROW(choose_adapter(two, {}), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::hub
