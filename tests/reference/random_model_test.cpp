// SPDX-License-Identifier: Apache-2.0
#include "tools/random_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "gguf/file.h"
#include "gguf/finite.h"
#include "lanerope/errors.h"
#include "tests/reference/model_facts.h"
#include "tests/reference/plain_transformer.h"
#include "tests/support/temporary_directory.h"
#include "tools/random_adapter.h"

namespace lanerope::reference {
namespace {

using reference::PlainTransformer;
using reference::read_facts;
using reference::read_numbers;

class RandomModelTest : public testing::Test {
 protected:
  std::string write(const tools::RandomModel& model, const std::string& name = "m.gguf") {
    return tools::write_random_model(model, directory.file(name));
  }

  support::TemporaryDirectory directory;
};

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(RandomModelTest, IsTheSameForTheSameSeedWhateverTheThreads) {
  const std::string one = bytes_of(write({.n_layer = 1, .type = "q4_0", .threads = 1}, "one.gguf"));
  const std::string two = bytes_of(write({.n_layer = 1, .type = "q4_0", .threads = 3}, "two.gguf"));
  const std::string other = bytes_of(write({.n_layer = 1, .type = "q4_0", .seed = 2}, "other.gguf"));
  EXPECT_EQ(one, two);
  EXPECT_NE(one, other);
}

TEST_F(RandomModelTest, SplitFilesHoldWhatOneFileHolds) {
  const gguf::File whole(write({}));
  const gguf::File split(write({.splits = 3}, "s.gguf"));
  EXPECT_EQ(split.n_shards(), 3);
  ASSERT_EQ(split.tensors().size(), whole.tensors().size());
  for (const gguf::TensorInfo& tensor : whole.tensors()) {
    EXPECT_EQ(read_numbers(split.tensor(tensor.name)), read_numbers(tensor)) << tensor.name;
  }
}

TEST_F(RandomModelTest, HoldsFiniteTensorsOfTheTypeAskedFor) {
  for (const char* type :
       {"f32", "f16", "bf16", "q8_0", "q4_0", "q5_1", "iq4_nl", "q6_k", "q2_K", "iq2_xxs"}) {
    const gguf::File file(write({.n_layer = 1, .width = 256, .type = type}));
    EXPECT_EQ(file.tensor("blk.0.attn_q.weight").type, tools::parse_tensor_type(type));
    EXPECT_EQ(file.tensor("blk.0.attn_norm.weight").type, GGML_TYPE_F32);
    for (const gguf::TensorInfo& tensor : file.tensors())
      EXPECT_TRUE(gguf::all_finite(tensor)) << tensor.name;
  }
}

// Layers, out of 28, that llama.cpp's quantiser gives more bits in Q4_K_M.
TEST_F(RandomModelTest, MixesTypesAsLlamaCppDoesForQ4KM) {
  tools::RandomModel model = tools::preset_model("r1-1.5b");
  model.width = 256;
  model.n_head = model.n_head_kv = 1;
  model.head_dim = 64;
  model.n_ffn = 256;
  model.n_vocab = 0;
  model.chat = tools::ToyChat::chatml;
  const gguf::File file(write(model));
  const std::set<int> more = {0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 24, 25, 26, 27};
  for (int layer = 0; layer < 28; ++layer) {
    const std::string prefix = "blk." + std::to_string(layer) + ".";
    const ggml_type expected = more.contains(layer) ? GGML_TYPE_Q6_K : GGML_TYPE_Q4_K;
    EXPECT_EQ(file.tensor(prefix + "attn_v.weight").type, expected) << layer;
    EXPECT_EQ(file.tensor(prefix + "ffn_down.weight").type, expected) << layer;
    EXPECT_EQ(file.tensor(prefix + "attn_q.weight").type, GGML_TYPE_Q4_K);
  }
  EXPECT_EQ(file.tensor("output.weight").type, GGML_TYPE_Q6_K);
  EXPECT_EQ(file.tensor("token_embd.weight").type, GGML_TYPE_Q4_K);
}

TEST_F(RandomModelTest, TokenizerHasEveryByteAndEveryMergeItNames) {
  for (const int32_t n_vocab : {0, 259, 300, 1000}) {
    const gguf::File file(write({.n_layer = 1, .n_vocab = n_vocab}));
    const auto tokens = file.get<std::vector<std::string>>("tokenizer.ggml.tokens");
    const std::set<std::string> known(tokens.begin(), tokens.end());
    EXPECT_EQ(known.size(), tokens.size()) << "tokens are unique";
    if (n_vocab > 0) {
      EXPECT_EQ(tokens.size(), static_cast<size_t>(n_vocab));
    }
    EXPECT_EQ(file.tensor("token_embd.weight").ne[1], static_cast<int64_t>(tokens.size()));
    EXPECT_EQ(file.get<std::vector<int32_t>>("tokenizer.ggml.token_type").size(), tokens.size());
    for (const std::string& merge : file.get<std::vector<std::string>>("tokenizer.ggml.merges")) {
      const size_t space = merge.find(' ');
      EXPECT_TRUE(known.contains(merge.substr(0, space)) && known.contains(merge.substr(space + 1)) &&
                  known.contains(merge.substr(0, space) + merge.substr(space + 1)))
          << merge;
    }
    EXPECT_EQ(tokens[file.get<int32_t>("tokenizer.ggml.eos_token_id")], "<|im_end|>");
  }
}

TEST_F(RandomModelTest, DeepSeekTokensHaveTheirIds) {
  const tools::ToyTokenizer tokenizer = tools::make_toy_tokenizer(151936, tools::ToyChat::deepseek);
  EXPECT_EQ(tokenizer.tokens.size(), 151936U);
  EXPECT_EQ(tokenizer.tokens[151644], "<｜User｜>");
  EXPECT_EQ(tokenizer.tokens[151648], "<think>");
  EXPECT_EQ(tokenizer.bos, 151646);
  EXPECT_EQ(tokenizer.eos, 151643);
}

// What makes greedy decoding stable: the best token leads by far more than the rounding of any back end.
TEST_F(RandomModelTest, HasAClearFavouriteAtNearlyEveryStep) {
  for (const bool tied : {false, true}) {
    const PlainTransformer model(write({.tied = tied}));
    std::vector<PlainTransformer::Token> text;
    text.reserve(40);
    for (int i = 0; i < 40; ++i) text.push_back({.id = 40 + 7 * i % 60, .position = static_cast<double>(i)});
    int clear = 0;
    std::set<size_t> favourites;
    for (std::vector<double> logits : model.logits(text, [](size_t q, size_t k) { return k <= q; })) {
      const auto best = std::ranges::max_element(logits);
      const double top = *best;
      favourites.insert(best - logits.begin());
      *best = -1e9;
      clear += top - *std::ranges::max_element(logits) > 0.05 ? 1 : 0;
      EXPECT_LT(std::abs(top), 200);
    }
    EXPECT_GE(clear, 34) << "of 40 steps";
    EXPECT_GE(favourites.size(), 10U) << "it does not say the same thing for ever";
  }
}

TEST_F(RandomModelTest, Llama3DivisorsLeaveFastPairsAlone) {
  const gguf::File file(write({.architecture = "llama",
                               .head_dim = 64,
                               .context = 131072,
                               .rope_base = 500000,
                               .rope_factor = 8,
                               .rope_original_context = 8192,
                               .llama3_rope_freqs = true}));
  const std::vector<float> divisors = read_numbers(file.tensor("rope_freqs.weight"));
  ASSERT_EQ(divisors.size(), 32U);
  EXPECT_EQ(divisors.front(), 1.0F);
  EXPECT_EQ(divisors.back(), 8.0F);
  EXPECT_TRUE(std::ranges::is_sorted(divisors));
  EXPECT_NEAR(read_facts(file).theta[31], std::pow(500000.0, -62.0 / 64) / 8, 1e-12);
}

TEST_F(RandomModelTest, RefusesWhatCannotBe) {
  EXPECT_THROW(write({.architecture = "gpt2"}), InvalidRequest);
  EXPECT_THROW(write({.n_head = 3}), InvalidRequest);
  EXPECT_THROW(write({.head_dim = 31}), InvalidRequest);
  EXPECT_THROW(write({.type = "q4_7"}), InvalidRequest);
  EXPECT_THROW(write({.n_vocab = 200}), InvalidRequest);
  EXPECT_THROW(write({.splits = 9}), InvalidRequest);
  EXPECT_THROW(tools::preset_model("huge"), InvalidRequest);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST_F(RandomModelTest, AdapterFitsItsModelAndCarriesTheLaneKeys) {
  const gguf::File base(write({.n_layer = 2}));
  tools::RandomAdapter adapter{.rank = 3, .coupling = Coupling{.stride = 17, .omega = {0.5F, 0.25F}}};
  tools::write_random_adapter(adapter, base, directory.file("a.gguf"));
  const gguf::File file(directory.file("a.gguf"));
  EXPECT_EQ(file.get<std::string>("general.type"), "adapter");
  EXPECT_EQ(file.get<std::string>("adapter.type"), "lora");
  EXPECT_EQ(file.get<std::string>("general.architecture"), "qwen2");
  EXPECT_EQ(file.get<int32_t>("lanerope.stride"), 17);
  EXPECT_EQ(file.get<std::string>("lanerope.visibility"), "inclusive");
  EXPECT_EQ(file.get<std::vector<float>>("lanerope.omega"), adapter.coupling->omega);
  EXPECT_EQ(file.tensors().size(), 2U * 7U * 2U);
  const gguf::TensorInfo& a = file.tensor("blk.1.ffn_down.weight.lora_a");
  const gguf::TensorInfo& b = file.tensor("blk.1.ffn_down.weight.lora_b");
  const gguf::TensorInfo& w = base.tensor("blk.1.ffn_down.weight");
  EXPECT_THAT(a.ne, testing::ElementsAre(w.ne[0], 3, 1, 1));
  EXPECT_THAT(b.ne, testing::ElementsAre(3, w.ne[1], 1, 1));
}

}  // namespace
}  // namespace lanerope::reference
