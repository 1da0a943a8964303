// SPDX-License-Identifier: Apache-2.0
#include "answers/equal.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "answers/boxes.h"
#include "answers/characters.h"
#include "answers/choices.h"
#include "answers/compare.h"
#include "answers/reading.h"
#include "answers/spelling.h"
#include "answers/words.h"

namespace lanerope::answers {

namespace {

constexpr size_t longest_answer = 4096;  // bytes; a longer one is compared as it is

bool is_box(std::string_view text) {
  return text.starts_with("\\boxed") || text.starts_with("\\fbox");
}

// The command alone, where it has no content.
std::string_view without_box(std::string_view text) {
  if (is_box(text)) text.remove_prefix(text.find("box") + 3);
  return text.starts_with("ed") ? text.substr(2) : text;
}

bool is_plain_whole(std::string_view text) {
  return !text.empty() && text.front() != '0' &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool mathematics_equal(const std::string& a, const std::string& b) {
  const std::vector<Node> trees_a = trees_of(a);
  const std::vector<Node> trees_b = trees_of(b);
  Comparison comparison;
  for (const Node& tree_a : trees_a) {
    for (const Node& tree_b : trees_b) {
      if (comparison.same(tree_a, tree_b)) return true;
    }
  }
  // What is mathematics is not made equal by its letters.
  const auto is_mathematics = [](const Node& tree) { return tree.kind != Kind::words; };
  if (std::ranges::any_of(trees_a, is_mathematics) || std::ranges::any_of(trees_b, is_mathematics))
    return false;
  const std::string words = folded_words(a);
  return !words.empty() && words == folded_words(b);
}

bool any_equal(std::string_view given, std::string_view truth);

std::optional<bool> as_choices(std::string_view given, std::string_view truth) {
  const auto a = choice_of(given);
  const auto b = choice_of(truth);
  if (a && b) {
    // "A" and "C" may be names of quantities as well; the letters decide either way.
    return a->letters == b->letters;
  }
  if (a && a->marked && !a->content.empty()) return any_equal(a->content, truth);
  if (b && b->marked && !b->content.empty()) return any_equal(given, b->content);
  return std::nullopt;
}

bool any_equal(std::string_view given, std::string_view truth) {
  const std::string a = spelled(given);
  const std::string b = spelled(truth);
  if (a == b) return true;
  if (a.empty() || b.empty()) return false;
  if (is_plain_whole(a) && is_plain_whole(b)) return false;
  const auto says_a = yes_or_no(a);
  const auto says_b = yes_or_no(b);
  if (says_a && says_b) return says_a == says_b;
  if (says_a || says_b) return false;
  if (const auto choices = as_choices(given, truth)) return *choices;
  return mathematics_equal(a, b);
}

// Where yes or no was asked, "True" says yes.
std::optional<bool> affirms(std::string_view text) {
  const std::optional<std::string> word = yes_or_no(spelled(text));
  if (!word) return std::nullopt;
  return *word == "Yes" || *word == "True";
}

}  // namespace

bool answers_equal(std::string_view given, std::string_view truth, AnswerKind kind) {
  given = trimmed(given);
  truth = trimmed(truth);
  if (given == truth) return true;
  if (given.size() > longest_answer || truth.size() > longest_answer) return false;
  if (is_box(given) || is_box(truth))
    return answers_equal(boxed_answer(given).value_or(std::string(without_box(given))),
                         boxed_answer(truth).value_or(std::string(without_box(truth))), kind);
  switch (kind) {
    case AnswerKind::exact:
    case AnswerKind::code:
      return false;
    case AnswerKind::yes_no: {
      const auto says = affirms(given);
      return says && says == affirms(truth);
    }
    case AnswerKind::choice: {
      const auto choice = choice_of(given);
      const auto wanted = choice_of(truth);
      // "Paris" where the truth is "(B) Paris".
      if (!choice && wanted && !wanted->content.empty()) return any_equal(given, wanted->content);
      return choice && wanted && choice->letters == wanted->letters;
    }
    case AnswerKind::any:
      return any_equal(given, truth);
  }
  return false;
}

size_t AnswerGroups::add(std::string_view answer, double weight) {
  const auto found = std::ranges::find_if(
      votes_, [&](const Vote& vote) { return answers_equal(answer, vote.answer, kind_); });
  if (found != votes_.end()) {
    ++found->count;
    found->weight += weight;
    return static_cast<size_t>(found - votes_.begin());
  }
  votes_.push_back({.answer = std::string(answer), .count = 1, .weight = weight});
  return votes_.size() - 1;
}

std::vector<Vote> ranked(std::vector<Vote> votes) {
  double heaviest = 0;
  for (const Vote& vote : votes) heaviest = std::max(heaviest, vote.weight);
  if (heaviest <= 0) heaviest = 1;
  // Whole numbers, so that the order in which weights were added up decides nothing.
  const auto order = [&](const Vote& vote) {
    return std::pair(std::llround(vote.weight / heaviest * 1e9), vote.count);
  };
  std::ranges::stable_sort(votes, std::ranges::greater{}, order);
  return votes;
}

}  // namespace lanerope::answers
