// SPDX-License-Identifier: Apache-2.0
// What lanes would write that share the problems of a question.
#include <algorithm>
#include <cassert>
#include <cctype>
#include <climits>
#include <utility>

#include "core/lane_tag.h"
#include "core/sleepers.h"
#include "data/compose.h"

namespace lanerope::data {

namespace {

constexpr TokenId end_token = -2;  // stands for the one that every lane ends with
constexpr int32_t never = INT_MAX;

// One lane on its way. Tokens are its tag's, its text's and at last the end.
struct Writer {
  std::vector<size_t> problems = {};  // that it still has to do, the next one first
  std::string tag = {};
  std::string text = {};
  std::vector<TokenId> tokens = {};
  size_t chosen = 0;    // of the tokens
  size_t fed = 0;       // the same
  bool over = false;    // its text is complete
  bool waited = false;  // the last thing it wrote
  std::vector<std::pair<size_t, size_t>> results =
      {};  // a problem, and which token makes its answer readable
};

std::vector<std::string> shorter_half(const KnownProblem& problem, RandomStream& random) {
  const std::vector<std::string>& all = problem.solutions;
  assert(!all.empty());
  std::vector<std::string> half(all.begin(), all.begin() + static_cast<std::ptrdiff_t>((all.size() + 1) / 2));
  random.shuffle(std::span(half));
  return half;
}

// Steps a group of writers through the clock, as an engine does with lanes, and lets each write on by what it
// can read.
class Simulation {
 public:
  Simulation(const Composition& composition, const LaneWriting& writing, RandomStream& random)
      : composition_(composition),
        writing_(writing),
        sleep_{.wait = writing.encode(writing.wait).front(), .ready = writing.encode(writing.ready).front()},
        sleepers_(sleep_, coupling_) {
    const size_t n_problems = composition.problems.size();
    const std::vector<std::vector<size_t>> plan = share_out(n_problems, writing.lanes);
    known_.assign(n_problems, std::vector<int32_t>(plan.size(), never));
    drawn_.assign(n_problems, 0);
    for (size_t m = 0; m < plan.size(); ++m) {
      Writer writer{.problems = plan[m]};
      if (writing.lanes > 1) writer.tag = core::render_tag(writing.tag, static_cast<int64_t>(m) + 1);
      writer.tokens = writing.encode(writer.tag);
      writers_.push_back(std::move(writer));
      sleepers_.joined(static_cast<int32_t>(m));
      for (const size_t i : plan[m]) expected_.emplace_back(i, m);
    }
    for (const KnownProblem& problem : composition.problems)
      solutions_.push_back(shorter_half(problem, random));
  }

  std::optional<std::vector<std::string>> run() {
    for (size_t m = 0; m < writers_.size(); ++m) choose(m, 0);
    for (int32_t clock = 0; fits_; ++clock) {
      sleepers_.settle();
      bool over = true;
      std::vector<size_t> fed;
      for (size_t m = 0; m < writers_.size(); ++m) {
        const Writer& writer = writers_[m];
        if (writer.fed == writer.chosen) continue;
        over = false;
        if (!sleepers_.asleep(static_cast<int32_t>(m))) fed.push_back(m);
      }
      if (over) break;
      for (const size_t m : fed) feed(m, clock);
      for (const size_t m : fed) choose(m, clock + 1);
    }
    if (!fits_) return std::nullopt;
    std::vector<std::string> texts;
    for (Writer& writer : writers_) texts.push_back(std::move(writer.text));
    return texts;
  }

 private:
  void feed(size_t m, int32_t clock) {
    Writer& writer = writers_[m];
    for (const auto& [problem, token] : writer.results) {
      if (token == writer.fed) known_[problem][m] = clock;
    }
    ++writer.fed;
  }

  void choose(size_t m, int32_t clock) {
    Writer& writer = writers_[m];
    if (writer.chosen == writer.tokens.size() && !writer.over) write_on(m, clock);
    if (writer.chosen == writer.tokens.size()) return;
    const TokenId token = writer.tokens[writer.chosen++];
    sleepers_.chose(static_cast<int32_t>(m), token);
    if (token == end_token) sleepers_.ended(static_cast<int32_t>(m));
  }

  // What was fed before this moment of the clock can be read.
  bool can_read(size_t problem, size_t m, int32_t clock) const { return known_[problem][m] < clock; }
  bool somebody_found(size_t problem, int32_t clock) const {
    return std::ranges::any_of(known_[problem], [&](int32_t step) { return step < clock; });
  }
  bool all_found(int32_t clock) const {
    return std::ranges::all_of(expected_,
                               [&](const auto& of) { return can_read(of.first, of.second, clock); });
  }

  void write_on(size_t m, int32_t clock) {
    Writer& writer = writers_[m];
    const bool alone = writers_.size() == 1;
    if (!writer.problems.empty()) {
      const size_t i = writer.problems.front();
      const bool linked = composition_.ask == Ask::chain && i > 0;
      if (linked && !somebody_found(i - 1, clock)) return wait(m);
      writer.problems.erase(writer.problems.begin());
      return solve(m, i);
    }
    if (!alone && !all_found(clock)) return wait(m);
    add(m, "#### " + answer_of(composition_));
    writer.tokens.push_back(end_token);
    writer.over = true;
  }

  void solve(size_t m, size_t i) {
    const std::vector<std::string>& half = solutions_[i];
    const std::string& solution = half[drawn_[i]++ % half.size()];
    const std::string number = std::to_string(i + 1);
    std::string text;
    if (composition_.problems.size() > 1) text += "Problem " + number + ":\n";
    if (composition_.ask == Ask::chain && i > 0) text += composition_.links[i] + "\n";
    add(m, text + solution + "\nAnswer " + number + ": " + composition_.problems[i].answer);
    add(m, writing_.ready, sleep_.ready);
    writers_[m].results.emplace_back(i, writers_[m].tokens.size() - 1);
    add(m, "\n");
  }

  void wait(size_t m) {
    add(m, writing_.wait, sleep_.wait);
    writers_[m].waited = true;
  }

  // The tokens of a text must not depend on what is written behind it, since they are fed already by then.
  void add(size_t m, std::string_view text, TokenId as_token = -1) {
    Writer& writer = writers_[m];
    if (writer.waited && as_token < 0) writer.text += "\n";
    writer.waited = false;
    writer.text += text;
    std::vector<TokenId> tokens = writing_.encode(writer.tag);
    const std::vector<TokenId> behind = writing_.encode(writer.text);
    tokens.insert(tokens.end(), behind.begin(), behind.end());
    const bool same_before = tokens.size() > writer.tokens.size() &&
                             std::equal(writer.tokens.begin(), writer.tokens.end(), tokens.begin());
    const bool one_token =
        as_token < 0 || (tokens.size() == writer.tokens.size() + 1 && tokens.back() == as_token);
    fits_ = fits_ && same_before && one_token;
    writer.tokens = std::move(tokens);
  }

  const Composition& composition_;
  const LaneWriting& writing_;
  SleepTokens sleep_;
  Coupling coupling_ = {};
  core::Sleepers sleepers_;
  std::vector<Writer> writers_;
  std::vector<std::vector<std::string>> solutions_;  // [problems]
  std::vector<std::vector<int32_t>> known_;          // [problems][lanes] the step in which it became readable
  std::vector<std::pair<size_t, size_t>> expected_;  // problem and lane that does it
  std::vector<size_t> drawn_;                        // [problems] of its solutions
  bool fits_ = true;
};

}  // namespace

std::vector<std::vector<size_t>> share_out(size_t n_problems, int32_t n_lanes) {
  const auto n = static_cast<size_t>(n_lanes);
  std::vector<std::vector<size_t>> lanes(n);
  for (size_t first = 0; first < n_problems; first += n) {
    const size_t count = std::min(n, n_problems - first);
    for (size_t lane = 0; lane < n; ++lane) lanes[lane].push_back(first + lane % count);
  }
  return lanes;
}

std::optional<std::vector<std::string>> lanes_of(const Composition& composition, const LaneWriting& writing,
                                                 RandomStream& random) {
  const std::vector<KnownProblem>& problems = composition.problems;
  if (problems.size() == 1 && writing.lanes == 1) {
    const auto& solutions = problems[0].solutions;
    return std::vector{solutions[random.below((solutions.size() + 1) / 2)]};
  }
  if (composition.ask == Ask::plain) {
    const std::vector<std::string> half = shorter_half(problems[0], random);
    std::vector<std::string> lanes;
    for (size_t m = 0; std::cmp_less(m, writing.lanes); ++m) lanes.push_back(half[m % half.size()]);
    return lanes;
  }
  return Simulation(composition, writing, random).run();
}

bool is_fit(std::string_view solution, const LaneWriting& writing) {
  const auto before_digit = [&](std::string_view word) {
    for (size_t at = solution.find(word); at != std::string_view::npos; at = solution.find(word, at + 1)) {
      const size_t behind = at + word.size();
      if (behind < solution.size() && std::isdigit(static_cast<unsigned char>(solution[behind])) != 0)
        return true;
    }
    return false;
  };
  const auto holds = [&](std::string_view text) { return solution.find(text) != std::string_view::npos; };
  if (solution.find_first_not_of(" \t\r\n") == std::string_view::npos) return false;
  return !holds("####") && !holds("<lane") && !holds(writing.wait) && !holds(writing.ready) &&
         !before_digit("Answer ") && !before_digit("Problem ");
}

}  // namespace lanerope::data
