// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/random_stream.h"
#include "data/trace.h"
#include "lanerope/names.h"
#include "lanerope/token.h"

namespace lanerope::data {

// What a question that is made of problems asks for.
enum class Ask {
  answers,     // of all problems, in order
  sum,         // of them
  largest,     // of them
  difference,  // between the largest and the smallest
  chain,       // as answers; each problem needs the answer of the one before it
  plain,       // of a single problem what it asks itself; lanes write solutions, and no more
};

// Which problems of a file are drawn from. Those whose question has the lowest SHA-256 of all in the file are
// kept for dev: its order does not matter, nor what it holds of a problem, but what problems it holds does.
enum class Part { all, train, dev };

// A problem whose answer is known.
struct KnownProblem {
  std::string question = {};
  std::string answer = {};
  std::vector<std::string> solutions = {};  // right ones, in the words of who solved it; the shortest first
};

// Its answer, where it is a whole number of at most 15 digits.
std::optional<int64_t> whole_answer(const KnownProblem& problem);

// Several problems as one question.
struct Composition {
  std::vector<KnownProblem> problems = {};
  Ask ask = Ask::answers;
  size_t wording = 0;  // below n_wordings, or n_plain_wordings of a plain one
  std::vector<std::string> links =
      {};  // [problems] of a chain: how a problem uses the answer before it, or ""
};
extern const size_t n_wordings;
extern const size_t n_plain_wordings;

// Draws a wording, and for a chain makes each problem but the first use the answer of the one before it: a
// number in it becomes N, which is "the answer to Problem 1 plus 5". Its answer stays the same. Nothing where
// `ask` needs whole answers and a problem has none, or where a chain cannot be made. A plain question has one
// problem.
std::optional<Composition> compose(std::vector<KnownProblem> problems, Ask ask, RandomStream& random);

std::string question_of(const Composition& composition);
std::string answer_of(const Composition& composition);  // "(5, 18, 7)", or "30" of a sum
std::vector<std::string> parts_of(
    const Composition& composition);  // several answers one by one; none of a sum

// Which problems each of `n_lanes` lanes does, in order: in each round the lanes share the next n_lanes
// problems, and where fewer are left, several lanes do the same one.
std::vector<std::vector<size_t>> share_out(size_t n_problems, int32_t n_lanes);

// How lanes write.
struct LaneWriting {
  int32_t lanes = 1;
  std::string tag = {};           // of lane k from 1, as in "<lane{k}>"; none of a single lane
  std::string wait = " await";    // one token each: see lanerope/sleep.h
  std::string ready = " \u2713";  // the same
  std::function<std::vector<TokenId>(std::string_view)> encode = {};
};

// What the lanes of a group write, all of them stepping together. A lane writes for each of its problems
//
//     Problem 3:
//     <a solution>
//     Answer 3: 18 \u2713
//
// the last sign being `ready`, then sleeps until it can read every other lane's results, a `wait` for each
// time that it is woken before, and writes what all lanes found, "#### (5, 18, 7)". A problem of a chain is
// not begun before its number can be read. A lane that is alone never waits. Each problem needs a solution.
// Lanes of a plain question write a solution as it stands, and wait for nobody.
// Solutions are drawn from the shorter half of a problem's, another one for each lane while there are enough.
// Nothing where the texts do not fall into tokens at `wait` and `ready`.
std::optional<std::vector<std::string>> lanes_of(const Composition& composition, const LaneWriting& writing,
                                                 RandomStream& random);

// Whether a solution can stand in such a lane without being taken for something else.
bool is_fit(std::string_view solution, const LaneWriting& writing);

}  // namespace lanerope::data

namespace lanerope {
template <>
std::span<const Named<data::Ask>> names();
template <>
std::span<const Named<data::Part>> names();
}  // namespace lanerope
