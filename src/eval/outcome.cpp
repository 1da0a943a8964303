// SPDX-License-Identifier: Apache-2.0
#include "eval/outcome.h"

#include <algorithm>

namespace lanerope::eval {

namespace {

// Adds how right the lanes are: `share` of it to what is a mean.
void add_rights(const QuestionLanes& question, std::span<const LaneVote> votes, double share,
                Outcome& outcome) {
  const int64_t right = std::ranges::count_if(votes, &LaneVote::right);
  outcome.majority += share * majority(question, votes);
  outcome.oracle += right > 0 ? share : 0;
  outcome.answers.right += right;
  outcome.answers.of += std::ssize(votes);
}

}  // namespace

Outcome outcome_of(const QuestionLanes& question, int32_t budget, bool unfinished) {
  const std::vector<LaneVote> votes = question.within(budget, unfinished);
  Outcome outcome{.seconds = question.seconds_within(budget), .answers = {.of = 0}};
  for (const LaneVote& vote : votes) {
    outcome.tokens += vote.lane->tokens_within(budget);
    if (vote.ended) outcome.ended += 1;
  }
  outcome.ended /= static_cast<double>(votes.size());
  if (question.parts().empty()) add_rights(question, votes, 1, outcome);
  for (const QuestionLanes& part : question.parts()) {
    add_rights(part, part.within(budget, unfinished), 1 / static_cast<double>(question.parts().size()),
               outcome);
  }
  outcome.pass = outcome.answers.share();
  return outcome;
}

std::vector<Outcome> outcomes_of(const PairedArm& arm, int32_t budget, bool unfinished) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(arm.questions.size());
  for (const QuestionLanes& question : arm.questions)
    outcomes.push_back(outcome_of(question, budget, unfinished));
  return outcomes;
}

std::vector<double> column_of(std::span<const Outcome> outcomes, double Outcome::* member) {
  std::vector<double> values;
  for (const Outcome& outcome : outcomes) values.push_back(outcome.*member);
  return values;
}

}  // namespace lanerope::eval
