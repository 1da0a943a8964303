// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "answers/expression.h"
#include "answers/value.h"

namespace lanerope::answers {

using Point = std::map<std::string, Rational>;  // a value for each variable

// Calculates expressions, up to a number of steps: what an answer costs is bounded however it is written.
class Evaluator {
 public:
  // With `real`, an expression has no value where a part of it leaves the real numbers.
  std::optional<Value> operator()(const Node& node, const Point& point = {}, bool real = false);

  bool exhausted() const { return steps_ <= 0; }

 private:
  std::optional<Value> node_value(const Node& node, const Point& point, bool real);
  std::optional<Value> constant_value(const Node& node);

  int steps_ = 4000;
};

std::set<std::string> variables_of(const Node& node);

}  // namespace lanerope::answers
