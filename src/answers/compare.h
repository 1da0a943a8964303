// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "answers/evaluate.h"
#include "answers/expression.h"

namespace lanerope::answers {

// Whether two interpreted answers say the same. What a comparison costs is bounded: one that runs out of
// steps says no.
class Comparison {
 public:
  bool same(const Node& a, const Node& b);

 private:
  bool either_same(const Node& either, const Node& other);
  bool named_same(const Node& a, const Node& b);
  bool quantities_same(const Node& a, const Node& b);
  bool based_same(const Node& a, const Node& b);
  bool collections_same(const Node& a, const Node& b);
  bool matrices_same(const Node& a, const Node& b);
  bool relations_same(const Node& a, const Node& b);
  bool real_sets_same(const Node& a, const Node& b);
  bool in_order(std::span<const Node> a, std::span<const Node> b);
  bool in_any_order(std::span<const Node> a, std::span<const Node> b);

  Evaluator evaluate_;
  int left_ = 2000;  // comparisons of parts
};

}  // namespace lanerope::answers
