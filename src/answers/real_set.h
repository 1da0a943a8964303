// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "answers/evaluate.h"
#include "answers/expression.h"

namespace lanerope::answers {

struct Interval {
  Node low;
  Node high;
  bool has_low = false;  // closed below
  bool has_high = false;
};

// Intervals in rising order, and the variable that runs through them where it is named.
struct RealSet {
  std::vector<Interval> intervals;
  std::string variable;
};

// Whether it is written as one: with inequalities, unions, "\mathbb{R}"; a tuple alone may be a point as
// well.
bool looks_like_real_set(const Node& node);

// What an interpreted answer says about real numbers: "[0, 1) \cup (2, \infty)", "x > 2", "-1 < x \le 3",
// "x < 1 or x > 2", "x \ne 0", "\mathbb{R} \setminus \{0\}".
std::optional<RealSet> real_set(const Node& node, Evaluator& evaluate);

bool is_infinite(const Node& node);

}  // namespace lanerope::answers
