// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "gguf/writer.h"
#include "lanerope/errors.h"
#include "tests/support/random_models.h"

namespace lanerope::model {
namespace {

using testing::AllOf;
using testing::HasSubstr;

tools::RandomModel small() {
  return {.architecture = "qwen2",
          .n_layer = 2,
          .width = 32,
          .n_head = 2,
          .n_head_kv = 1,
          .head_dim = 16,
          .n_ffn = 48};
}

struct Half {
  std::string name;
  std::vector<int64_t> ne;
  ggml_type type = GGML_TYPE_F32;
};

// An adapter of the given tensors, all zero, with `change` made to its keys.
std::string adapter_of(const std::vector<Half>& halves,
                       const std::function<void(gguf::Writer&)>& change = {}) {
  const std::string path = support::new_file(".gguf");
  gguf::Writer writer(path);
  writer.set("general.type", "adapter");
  writer.set("general.architecture", "qwen2");
  writer.set("adapter.type", "lora");
  writer.set("adapter.lora.alpha", 8.0F);
  if (change) change(writer);
  for (const Half& half : halves) writer.add_tensor(half.name, half.type, half.ne);
  writer.begin();
  for (const Half& half : halves) {
    const size_t bytes = ggml_row_size(half.type, half.ne[0]) * (half.ne.size() > 1 ? half.ne[1] : 1);
    const std::vector<std::byte> zeros(bytes);
    writer.write(zeros);
  }
  writer.finish();
  return path;
}

std::vector<Half> pair_for(const std::string& weight, int64_t n_in, int64_t n_out, int64_t rank = 2) {
  return {{.name = weight + ".lora_a", .ne = {n_in, rank}},
          {.name = weight + ".lora_b", .ne = {rank, n_out}}};
}

class AdapterTest : public testing::Test {
 protected:
  const std::string base = support::write_model(small());

  template <typename Error>
  std::string refusal(const std::string& adapter) const {
    try {
      support::load_model(base, BackEnd::ggml, {{.file = adapter}});
    } catch (const Error& error) {
      return error.what();
    }
    return "(not refused)";
  }
};

TEST_F(AdapterTest, IsDescribedAsItIs) {
  const Coupling trained{
      .kind = CouplingKind::groupthink, .stride = 77, .visibility = Visibility::interleaved};
  const std::string file = support::write_adapter(
      {.rank = 4, .alpha = 8, .coupling = trained, .tag = "#{k}", .lanes = {2, 4}, .on_prompt = false}, base);
  const AdapterInfo info =
      support::load_model(base, BackEnd::ggml, {{.file = file, .scale = 0.5F}})->info().adapters.at(0);
  EXPECT_EQ(info.rank, 4);
  EXPECT_EQ(info.alpha, 8);
  EXPECT_EQ(info.scale, 0.5F);
  EXPECT_EQ(info.n_tensors, 2 * 2 * 7);
  EXPECT_EQ(info.lanes->coupling.kind, CouplingKind::groupthink);
  EXPECT_EQ(info.lanes->coupling.stride, 77);
  EXPECT_EQ(info.lanes->coupling.visibility, Visibility::interleaved);
  EXPECT_EQ(info.lanes->tag, "#{k}");
  EXPECT_EQ(info.lanes->lanes, (std::vector<int32_t>{2, 4}));
  EXPECT_FALSE(info.on_prompt);
}

TEST_F(AdapterTest, OfAnotherShapeIsRefusedByTheNameOfTheTensor) {
  const std::string name = "blk.1.attn_q.weight";
  EXPECT_EQ(refusal<Error>(adapter_of(pair_for(name, 32, 32))), "(not refused)");
  EXPECT_THAT(refusal<InvalidRequest>(adapter_of(pair_for(name, 48, 32))),
              AllOf(HasSubstr(name + ".lora_a"), HasSubstr("takes 48 inputs"), HasSubstr("takes 32")));
  EXPECT_THAT(refusal<InvalidRequest>(adapter_of(pair_for(name, 32, 16))),
              AllOf(HasSubstr(name + ".lora_b"), HasSubstr("gives 16 outputs"), HasSubstr("gives 32")));
  auto ranks = pair_for(name, 32, 32);
  ranks[1].ne[0] = 3;
  EXPECT_THAT(refusal<InvalidRequest>(adapter_of(ranks)), AllOf(HasSubstr("lora_b"), HasSubstr("rank 3")));
  auto integers = pair_for(name, 32, 32);
  integers[0].type = GGML_TYPE_I32;
  EXPECT_THAT(refusal<InvalidRequest>(adapter_of(integers)), AllOf(HasSubstr("lora_a"), HasSubstr("i32")));
}

TEST_F(AdapterTest, ForAnotherModelIsRefused) {
  EXPECT_THAT(refusal<InvalidRequest>(adapter_of(pair_for("blk.7.attn_q.weight", 32, 32))),
              HasSubstr("blk.7.attn_q.weight"));
  EXPECT_THAT(refusal<InvalidRequest>(adapter_of(pair_for("token_embd.weight", 32, 32))),
              HasSubstr("not a linear map of this model"));
  const std::string llama = support::write_adapter(
      {},
      support::write_model(
          {.architecture = "llama", .n_layer = 2, .width = 32, .n_head = 2, .n_head_kv = 1, .head_dim = 16}));
  EXPECT_THAT(refusal<InvalidRequest>(llama), AllOf(HasSubstr("\"llama\""), HasSubstr("\"qwen2\"")));
  Coupling trained{.init = OmegaInit::given};
  trained.omega.assign(5, 1.0F);
  EXPECT_THAT(refusal<InvalidRequest>(support::write_adapter({.coupling = trained}, base)),
              AllOf(HasSubstr("lanerope.omega holds 5 values"), HasSubstr("8 or 16")));
}

TEST_F(AdapterTest, MayChangeWhatAModelWithExpertsHasBesideThem) {
  const std::string experts = support::write_model({.architecture = "qwen3moe", .n_layer = 1, .width = 32});
  const auto refusal_of = [&](const std::string& adapter) -> std::string {
    try {
      support::load_model(experts, BackEnd::kernels, {{.file = adapter}});
    } catch (const InvalidRequest& error) {
      return error.what();
    }
    return "(not refused)";
  };
  const auto adapter_for = [&](std::vector<std::string> targets) {
    return support::write_adapter({.targets = std::move(targets)}, experts);
  };
  EXPECT_EQ(refusal_of(adapter_for({"attn_q", "ffn_gate_inp"})), "(not refused)");
  EXPECT_THAT(refusal_of(adapter_for({"attn_q", "ffn_down_exps"})),
              AllOf(HasSubstr("blk.0.ffn_down_exps.weight.lora_a"), HasSubstr("experts")));
}

TEST_F(AdapterTest, ThatIsDamagedIsABadFile) {
  const auto good = pair_for("blk.0.ffn_up.weight", 32, 48);
  EXPECT_THAT(refusal<BadFile>(adapter_of({good[0]})), HasSubstr("only one half"));
  EXPECT_THAT(refusal<BadFile>(adapter_of({})), HasSubstr("no adapter tensors"));
  EXPECT_THAT(refusal<BadFile>(adapter_of({good[0], good[1], {.name = "extra", .ne = {4}}})),
              HasSubstr("extra"));
  EXPECT_THAT(refusal<BadFile>(base), HasSubstr("not a LoRA adapter"));
  EXPECT_THAT(refusal<BadFile>(adapter_of(good, [](gguf::Writer& w) { w.set("adapter.lora.alpha", NAN); })),
              HasSubstr("alpha"));
  EXPECT_THAT(refusal<BadFile>(adapter_of(good,
                                          [](gguf::Writer& w) {
                                            w.set("lanerope.version", uint32_t{1});
                                            w.set("lanerope.visibility", "sideways");
                                          })),
              AllOf(HasSubstr("lanerope.visibility"), HasSubstr("\"sideways\"")));
}

}  // namespace
}  // namespace lanerope::model
