// SPDX-License-Identifier: Apache-2.0
#include "answers/reading.h"

#include <algorithm>
#include <optional>

#include "answers/interpret.h"
#include "answers/parser.h"
#include "answers/spelling.h"

namespace lanerope::answers {

namespace {

constexpr size_t longest_answer = 4096;  // bytes

std::optional<Node> tree_of(std::string_view spelled, Commas commas) {
  auto tokens = tokens_of(spelled, commas);
  if (!tokens) return std::nullopt;
  auto node = Parser(std::move(*tokens)).parse();
  return node ? std::optional(interpreted(std::move(*node))) : std::nullopt;
}

}  // namespace

std::vector<Node> trees_of(std::string_view spelled) {
  std::vector<Node> trees;
  if (auto tree = tree_of(spelled, Commas::thousands)) trees.push_back(std::move(*tree));
  if (spelled.find_first_of(", ") != std::string_view::npos) {
    auto tree = tree_of(spelled, Commas::separators);
    if (tree && (trees.empty() || !(*tree == trees.front()))) trees.push_back(std::move(*tree));
  }
  return trees;
}

bool is_definite(std::string_view text) {
  if (text.size() > longest_answer) return false;
  const std::string spelling = spelled(text);
  const auto tree = tree_of(spelling, Commas::thousands);
  if (!tree || contains(*tree, Kind::words)) return false;
  return contains(*tree, Kind::number) || contains(*tree, Kind::based) || contains(*tree, Kind::constant) ||
         contains(*tree, Kind::root);
}

}  // namespace lanerope::answers
