// SPDX-License-Identifier: Apache-2.0
#include "cli/weight_load.h"

#include <gtest/gtest.h>

namespace lanerope::cli {
namespace {

FileDescription file(std::vector<FileTensor> tensors) {
  FileDescription description;
  description.tensors = std::move(tensors);
  return description;
}

TEST(WeightLoad, IsTheMatricesWithoutTheTableOfEmbeddings) {
  const WeightLoad load = weight_load(file({{.name = "token_embd.weight", .shape = {8, 100}, .bytes = 900},
                                            {.name = "blk.0.attn_q.weight", .shape = {8, 8}, .bytes = 70},
                                            {.name = "blk.0.attn_norm.weight", .shape = {8}, .bytes = 32},
                                            {.name = "output.weight", .shape = {8, 100}, .bytes = 800}}),
                                      {});
  EXPECT_EQ(load.parameters, 64 + 800);
  EXPECT_EQ(load.output_parameters, 800);
  EXPECT_EQ(load.bytes, 870);
  EXPECT_EQ(load.bytes_of_step(8), 870);
}

TEST(WeightLoad, HasTheTableWhereItIsTheOutput) {
  const WeightLoad load = weight_load(file({{.name = "token_embd.weight", .shape = {8, 100}, .bytes = 900},
                                            {.name = "blk.0.attn_q.weight", .shape = {8, 8}, .bytes = 70}}),
                                      {});
  EXPECT_EQ(load.parameters, 864);
  EXPECT_EQ(load.output_parameters, 800);
  EXPECT_EQ(load.bytes, 970);
}

// A token is multiplied with the experts that it goes to; a step reads those that some row goes to.
TEST(WeightLoad, OfExpertsIsThoseThatAreNeeded) {
  const WeightLoad load =
      weight_load(file({{.name = "blk.0.ffn_gate_inp.weight", .shape = {8, 4}, .bytes = 100},
                        {.name = "blk.0.ffn_up_exps.weight", .shape = {8, 16, 4}, .bytes = 1024},
                        {.name = "output.weight", .shape = {8, 10}, .bytes = 300}}),
                  {.n_experts = 4, .n_used = 1});
  EXPECT_EQ(load.parameters, 32 + 128 + 80);
  EXPECT_EQ(load.bytes, 400);
  EXPECT_DOUBLE_EQ(load.bytes_of_step(1), 400 + 256);
  EXPECT_DOUBLE_EQ(load.bytes_of_step(2), 400 + 1024 * 7 / 16.0);
  EXPECT_NEAR(load.bytes_of_step(100), 400 + 1024, 1e-6);
}

}  // namespace
}  // namespace lanerope::cli
