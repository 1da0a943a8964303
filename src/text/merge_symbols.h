// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "lanerope/token.h"

namespace lanerope::text {

inline constexpr TokenId no_token = -1;

// A stretch of a word while its symbols are merged. A list by index, so that a merge costs O(1).
struct Symbol {
  uint32_t begin;  // bytes, in the word
  uint32_t size;   // 0: merged into the symbol before it
  TokenId token;   // or no_token
};

struct Join {
  double cost;  // the cheapest join comes first, of equal ones the leftmost
  TokenId token;
};

// Joins neighbours in `symbols`, cheapest join first, until nothing joins; what is left of it are the symbols
// of size > 0. `find_join(left, right)` gives std::optional<Join>. O(n log n).
template <typename FindJoin>
void merge_symbols(std::vector<Symbol>& symbols, const FindJoin& find_join) {
  constexpr uint32_t none = UINT32_MAX;
  struct Neighbours {
    uint32_t before, after;
  };
  struct Candidate {
    double cost;
    uint32_t left, right;
    uint32_t size;  // of the result; another one by now means that the candidate is stale
    TokenId token;

    bool operator<(const Candidate& other) const {
      return cost != other.cost ? cost > other.cost : left > other.left;
    }
  };

  const auto n = static_cast<uint32_t>(symbols.size());
  std::vector<Neighbours> list(n);
  std::priority_queue<Candidate> queue;
  const auto consider = [&](uint32_t left, uint32_t right) {
    if (left == none || right == none) return;
    const std::optional<Join> join = find_join(symbols[left], symbols[right]);
    if (!join) return;
    queue.push({.cost = join->cost,
                .left = left,
                .right = right,
                .size = symbols[left].size + symbols[right].size,
                .token = join->token});
  };

  for (uint32_t i = 0; i < n; ++i)
    list[i] = {.before = i == 0 ? none : i - 1, .after = i + 1 == n ? none : i + 1};
  for (uint32_t i = 1; i < n; ++i) consider(i - 1, i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.left];
    Symbol& right = symbols[best.right];
    if (left.size == 0 || right.size == 0 || left.size + right.size != best.size) continue;
    left.size = best.size;
    left.token = best.token;
    right.size = 0;
    list[best.left].after = list[best.right].after;
    if (list[best.left].after != none) list[list[best.left].after].before = best.left;
    consider(list[best.left].before, best.left);
    consider(best.left, list[best.left].after);
  }
}

}  // namespace lanerope::text
