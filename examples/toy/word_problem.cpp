// SPDX-License-Identifier: Apache-2.0
#include "toy/word_problem.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "core/enum_table.h"
#include "lanerope/errors.h"
#include "toy/wording.h"

namespace lanerope::toy {

namespace {

constexpr auto splits = core::enum_table<Split, 3>({
    {Split::train, "train"},
    {Split::dev, "dev"},
    {Split::test, "test"},
});

// The finaliser of splitmix64 (Steele, Lea, Flood 2014).
uint64_t mix(uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31);
}

void check_range(const NumberRange& range, const std::string& what) {
  if (range.first >= 2 && range.last <= 9999 && range.first <= range.last) return;
  throw InvalidRequest("the range of the " + what + " number, " + std::to_string(range.first) + " to " +
                       std::to_string(range.last) +
                       ", is empty or not within 2 to 9999; give the smaller first");
}

}  // namespace

std::string_view name(Split split) {
  return splits.name(split);
}

int64_t WordProblem::total() const {
  return std::accumulate(parts.begin(), parts.end(), int64_t{0},
                         [](int64_t sum, const Part& part) { return sum + part.value(); });
}

uint64_t parts_hash(std::span<const Part> parts) {
  std::vector<Part> sorted(parts.begin(), parts.end());
  std::sort(sorted.begin(), sorted.end());
  uint64_t hash = sorted.size();
  for (const Part& part : sorted) {
    for (const int64_t number : {part.first, part.second, part.third}) {
      hash = mix(hash + 0x9e3779b97f4a7c15U + static_cast<uint64_t>(number));
    }
  }
  return hash;
}

Split split_of(std::span<const Part> parts) {
  const uint64_t sixteenth = parts_hash(parts) % 16;
  return sixteenth == 0 ? Split::test : sixteenth == 1 ? Split::dev : Split::train;
}

WordProblemSource::WordProblemSource(const Difficulty& difficulty, Split split)
    : difficulty_(difficulty), split_(split) {
  check_range(difficulty.first, "first");
  check_range(difficulty.second, "second");
  check_range(difficulty.third, "third");
  if (difficulty.first.last * difficulty.second.last < difficulty.least_value) {
    throw InvalidRequest("no part can reach the least value " + std::to_string(difficulty.least_value) +
                         "; make it smaller or the ranges larger");
  }
}

Part WordProblemSource::draw_part(data::RandomStream& random) const {
  const auto draw = [&random](const NumberRange& range) { return random.between(range.first, range.last); };
  while (true) {
    Part part = {.first = draw(difficulty_.first), .second = draw(difficulty_.second)};
    const uint64_t kind = random.below(4);  // half of the parts have no third number
    if (kind == 2) part.third = draw(difficulty_.third);
    if (kind == 3) part.third = -draw(difficulty_.third);
    if (part.value() >= difficulty_.least_value) return part;
  }
}

WordProblem WordProblemSource::draw(int32_t n_parts, data::RandomStream& random) const {
  if (n_parts < 1 || n_parts > max_parts) {
    throw InvalidRequest("a problem cannot have " + std::to_string(n_parts) + " parts; ask for 1 to " +
                         std::to_string(max_parts));
  }
  // One in 16 is enough for any split, unless the ranges leave next to no problems at all.
  for (int attempt = 0; attempt < 10000; ++attempt) {
    WordProblem problem;
    for (int32_t label = 1; label <= n_parts; ++label) problem.parts.push_back(draw_part(random));
    if (split_of(problem.parts) != split_) continue;
    if (difficulty_.largest_total > 0 && problem.total() > difficulty_.largest_total) continue;
    problem.question = word_question(problem.parts, random);
    return problem;
  }
  throw InvalidRequest("the ranges are so narrow that the split " + std::string(name(split_)) +
                       " has no problem with this number of parts, " + std::to_string(n_parts) +
                       "; make them wider");
}

}  // namespace lanerope::toy
