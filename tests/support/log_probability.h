// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <vector>

#include "lanerope/token.h"

namespace lanerope::support {

// Of a token, from all logits [n_vocab]; natural logarithm.
inline double log_probability(const std::vector<double>& logits, TokenId token) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - logits[token]);
  return -std::log(sum);
}

}  // namespace lanerope::support
