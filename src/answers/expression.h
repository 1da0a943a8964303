// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "answers/rational.h"

namespace lanerope::answers {

// What stands at a place of an answer's expression tree. The arguments are in `args`.
enum class Kind {
  number,      // `number`
  variable,    // `name`, with its subscript and primes
  constant,    // `name`: pi, e, i, infty, nothing ("no solution"), reals
  sum,         // of all arguments
  product,     // of both arguments
  quotient,    // of both arguments
  negative,    // of its argument
  power,       // base, exponent
  root,        // of its argument, degree
  function,    // `name` of its arguments: sin, log (with its base as a second), abs, factorial, binom, floor,
               // degree
  based,       // `name`: digits, `number`: the base
  plus_minus,  // both arguments; in `name` "+-" or "-+"
  percent,     // its argument per cent
  quantity,    // its argument in the unit `name`
  list,        // with commas, "and" or "or" between (`name` is the first of them)
  tuple,       // also an open interval; `name` has both brackets: "()", "[)", "(]", "[]"
  set,         // in braces
  matrix,      // rows, each a list
  set_union,   // of all arguments
  without,     // the first argument but for the second
  relation,    // `name` has the operators between the arguments, with a space between each
  words,       // `name`
  named,       // a value, and what stood before its "=" or "\in"
  either,      // any of its arguments: an exact value and what it is about
};

struct Node {
  Kind kind;
  std::string name = {};
  KeptRational number = {};
  std::optional<int> decimals = {};  // of a number that is written with a point: digits behind it
  int significant = 0;               // of the same: digits from the first that is not 0 on
  bool bracketed = false;            // whether it stood in brackets of its own
  std::vector<Node> args = {};
};

// The same tree, whatever the brackets.
bool operator==(const Node& a, const Node& b);

bool is_scalar(const Node& node);

// Whether something of this kind (or name) is anywhere in it.
bool contains(const Node& node, Kind kind);
bool contains_constant(const Node& node, std::string_view name);

Node whole(long value);
Node constant(std::string_view name);
Node unary(Kind kind, Node argument);
Node binary(Kind kind, Node left, Node right);

}  // namespace lanerope::answers
