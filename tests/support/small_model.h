// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tools/random_model.h"

namespace lanerope::support {

// The shape of models that are compared with a reference, which computes them whole and slowly.
inline tools::RandomModel small_model(const std::string& architecture = "qwen3") {
  return {.architecture = architecture,
          .n_layer = 2,
          .width = 64,
          .n_head = 4,
          .n_head_kv = 2,
          .head_dim = 16,
          .n_ffn = 96,
          .n_vocab = 300,
          .context = 512};
}

}  // namespace lanerope::support
