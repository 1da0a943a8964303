// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "lanerope/inspect.h"

namespace lanerope::cli {

// What tokens of a model go through: its matrices, except the table of token embeddings where it is not the
// output as well, since that is looked up. Of experts a token goes to some only.
struct WeightLoad {
  int64_t parameters = 0;         // of one token
  int64_t output_parameters = 0;  // of these, used for tokens that are sampled only
  int64_t bytes = 0;              // of what every step reads
  int64_t expert_bytes = 0;       // of all experts
  double experts_used = 0;        // of them for a token: a share

  // What a step of so many rows is expected to read where its routers pick evenly.
  double bytes_of_step(int32_t rows) const;
};

// Of a file, as its header describes it. n_experts of a layer (0: none), of which a token goes to n_used.
struct ExpertCounts {
  int32_t n_experts = 0;
  int32_t n_used = 0;
};
WeightLoad weight_load(const FileDescription& file, ExpertCounts experts);

}  // namespace lanerope::cli
