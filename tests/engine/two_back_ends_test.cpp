// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

// How matrices are stored. Where value and up are of another type, the kernels cannot join them with their
// neighbours; f32 is left to ggml altogether.
struct Storage {
  const char* type;
  const char* type_of_v_and_up;
  double rounding;  // the largest difference of two logits over the largest logit
};
constexpr Storage f16{"f16", "", 6e-3};
constexpr Storage bf16{"bf16", "", 4e-2};
constexpr Storage q8_0{"q8_0", "", 8e-2};
constexpr Storage q4_k_m{"q4_k_m", "", 0.1};
constexpr Storage f16_and_f32{"f16", "f32", 6e-3};
constexpr Storage q8_0_and_f16{"q8_0", "f16", 8e-2};
constexpr Storage mxfp4{"mxfp4", "", 0.1};

// What the kernels fuse, join and pack, the plain operations of ggml do one by one.
class TwoBackEnds : public testing::TestWithParam<std::tuple<const char*, Storage>> {
 protected:
  static tools::RandomModel random_model() {
    const auto& [architecture, storage] = GetParam();
    return {.architecture = architecture,
            .n_layer = 2,
            .width = 256,
            .n_head = 4,
            .n_head_kv = 2,
            .head_dim = 64,
            .n_ffn = 256,
            // A token goes to all experts: two roundings of one router may choose differently.
            .n_expert = 4,
            .n_expert_used = 4,
            .n_vocab = 259,
            .type = storage.type,
            .type_of_v_and_up = storage.type_of_v_and_up,
            .tied = true,
            .window = 6};
  }

  static std::vector<float> omega_of_two_layers() {
    std::vector<float> omega(64);
    for (size_t t = 0; t < omega.size(); ++t) omega[t] = t < 32 ? 2.0F / (1 + t) : -3.0F / (t - 31);
    return omega;
  }

  static void expect_same(const std::vector<AdapterOptions>& adapters) {
    const std::string file = support::write_model(random_model());
    std::vector<AdapterOptions> fitting = adapters;
    for (AdapterOptions& adapter : fitting)
      adapter.file = support::write_adapter({.rank = 3, .strength = 0.4F}, file);
    Engine kernels(support::load_model(file, BackEnd::kernels, fitting), {.kv_cells = 2048});
    Engine plain(support::load_model(file, BackEnd::ggml, fitting), {.kv_cells = 2048});
    for (const Coupling& coupling :
         {Coupling{.kind = CouplingKind::independent},
          Coupling{.kind = CouplingKind::lanerope, .init = OmegaInit::given, .omega = omega_of_two_layers()},
          Coupling{.kind = CouplingKind::groupthink, .visibility = Visibility::interleaved},
          Coupling{.kind = CouplingKind::hogwild, .visibility = Visibility::strict, .window = 3}}) {
      const ScoreRequest request{
          .prompt_tokens = support::some_tokens(9, 1),
          .lanes = {support::some_tokens(7, 2), support::some_tokens(4, 3), support::some_tokens(6, 4)},
          .start_steps = {0, 0, 2},
          .coupling = coupling,
          .stride = 11};
      EXPECT_LT(support::relative_difference(support::all_logits(kernels, request),
                                             support::all_logits(plain, request)),
                std::get<1>(GetParam()).rounding)
          << name(coupling.kind);
    }
  }
};

TEST_P(TwoBackEnds, GiveTheSameLogits) {
  expect_same({});
}

TEST_P(TwoBackEnds, GiveTheSameLogitsWithAdapters) {
  expect_same({{.scale = 1}, {.scale = -0.5F}});
}

std::string name_of(const testing::TestParamInfo<TwoBackEnds::ParamType>& of) {
  const auto& [architecture, storage] = of.param;
  const std::string other = storage.type_of_v_and_up;
  return support::test_name(std::string(architecture) + "_" + storage.type +
                            (other.empty() ? "" : "_and_" + other));
}

INSTANTIATE_TEST_SUITE_P(Models, TwoBackEnds,
                         testing::Combine(testing::Values("llama", "qwen2", "qwen3", "qwen3moe", "olmo2",
                                                          "gemma2", "gemma3", "gpt-oss"),
                                          testing::Values(f16, bf16, q8_0, q4_k_m, f16_and_f32, q8_0_and_f16,
                                                          mxfp4)),
                         name_of);

}  // namespace
}  // namespace lanerope::engine
