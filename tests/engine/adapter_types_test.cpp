// SPDX-License-Identifier: Apache-2.0
// Adapters as llama.cpp's converter writes them with --outtype: A in that type, and B too where the rank
// fills its blocks. They do what the same adapter does in f32, on both back ends.
#include <gtest/gtest.h>

#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

support::AllLogits logits_with(const std::string& base, const std::string& adapter, BackEnd back_end) {
  std::vector<AdapterOptions> adapters;
  if (!adapter.empty()) adapters.push_back({.file = adapter});
  Engine engine(support::load_model(base, back_end, adapters), {.kv_cells = 2048});
  return support::all_logits(engine, {.prompt_tokens = support::some_tokens(9, 1),
                                      .lanes = {support::some_tokens(7, 2), support::some_tokens(4, 3)}});
}

TEST(AdapterTypes, OfLlamaCppAreRead) {
  const std::string base = support::write_model({.architecture = "llama",
                                                 .n_layer = 2,
                                                 .width = 64,
                                                 .n_head = 2,
                                                 .n_head_kv = 1,
                                                 .n_ffn = 96,
                                                 .n_vocab = 259});
  for (const BackEnd back_end : {BackEnd::kernels, BackEnd::ggml}) {
    const support::AllLogits plain = logits_with(base, "", back_end);
    for (const int32_t rank : {8, 32}) {
      const auto adapter = [&](const char* type) {
        return support::write_adapter({.rank = rank, .strength = 0.5F, .type = type}, base);
      };
      const support::AllLogits wanted = logits_with(base, adapter("f32"), back_end);
      ASSERT_GT(support::relative_difference(wanted, plain), 0.1) << "the adapter does something";
      for (const char* type : {"q8_0", "f16", "bf16"}) {
        EXPECT_LT(support::relative_difference(logits_with(base, adapter(type), back_end), wanted), 0.03)
            << type << ", rank " << rank;
      }
    }
  }
}

}  // namespace
}  // namespace lanerope::engine
