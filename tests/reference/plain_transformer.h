// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/reference/model_facts.h"

namespace lanerope::reference {

// An ordinary decoder that knows nothing of lanes, in loops over doubles: each token has a position at which
// it is rotated once, and a mask says who sees whom. The check of TorchModel, which is the check of the
// engine.
struct PlainTransformer {
  explicit PlainTransformer(const std::string& path);

  struct Token {
    int32_t id = 0;
    double position = 0;
  };
  // sees(q, k): whether token q attends to token k. Returns the logits after each token, [n_tokens][n_vocab].
  std::vector<std::vector<double>> logits(const std::vector<Token>& tokens,
                                          const std::function<bool(size_t, size_t)>& sees) const;

  ModelFacts facts;
  std::map<std::string, std::vector<double>> weights;  // row after row; tests may change them
};

}  // namespace lanerope::reference
