// SPDX-License-Identifier: Apache-2.0
#include "eval/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "eval/outcome.h"

namespace lanerope::eval {

namespace {

// Numbers by what they are worth, before words.
struct ByValue {
  static std::optional<double> number(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
      return std::nullopt;
    return value;
  }
  bool operator()(const std::string& a, const std::string& b) const {
    const std::optional<double> x = number(a);
    const std::optional<double> y = number(b);
    if (x && y && *x != *y) return *x < *y;
    if (x.has_value() != y.has_value()) return x.has_value();
    return a < b;
  }
};

// The ways that could choose for at least one question, each with its claims.
std::vector<WayScore> score_ways(std::span<const QuestionLanes> questions,
                                 std::span<const std::vector<LaneVote>> votes, const Bootstrap& bootstrap) {
  std::vector<WayScore> scores;
  const bool one_lane =
      std::ranges::all_of(questions, [](const QuestionLanes& question) { return question.size() == 1; });
  for (const Way& way : all_ways()) {
    if (one_lane && way.weight != VoteWeight::equal) continue;  // there is nothing to weigh
    std::vector<std::optional<Claim>> claims;
    claims.reserve(questions.size());
    for (size_t i = 0; i < questions.size(); ++i) claims.push_back(claim_of(way, questions[i], votes[i]));
    const bool chose = std::ranges::any_of(claims, [](const auto& claim) { return claim.has_value(); });
    if (chose) scores.push_back(score_way(way, claims, bootstrap));
  }
  return scores;
}

std::vector<FromScore> score_sources(std::span<const std::vector<LaneVote>> votes) {
  std::vector<FromScore> scores;
  for (const Named<AnswerFrom>& from : names<AnswerFrom>()) scores.push_back({.from = from.value});
  for (const std::vector<LaneVote>& question : votes) {
    for (const LaneVote& vote : question) {
      if (!vote.answer || !vote.lane->answer_from) continue;
      FromScore& score = *std::ranges::find(scores, *vote.lane->answer_from, &FromScore::from);
      ++score.lanes;
      score.right += vote.share;
    }
  }
  std::erase_if(scores, [](const FromScore& score) { return score.lanes == 0; });
  return scores;
}

}  // namespace

std::vector<ArmScore> score_arms(const PairedArms& paired, std::span<const EvalQuestion> questions,
                                 const MetricOptions& options) {
  const std::vector<int64_t>& common = paired.questions;
  std::vector<ArmScore> result;
  if (common.empty()) return result;
  const Bootstrap bootstrap(common.size(), {.resamples = options.resamples, .seed = options.seed});
  std::vector<std::vector<double>> first_majority;  // [budgets][questions] of the first arm
  for (const PairedArm& arm : paired.arms) {
    ArmScore score{.arm = arm.name,
                   .questions = std::ssize(common),
                   .lanes = arm.lanes,
                   .lanes_total = arm.lanes_total,
                   .tokens = arm.tokens};
    std::map<std::string, ByScore, ByValue> by = {};
    for (size_t b = 0; b < options.budgets.size(); ++b) {
      const int32_t budget = options.budgets[b];
      const std::vector<Outcome> outcomes = outcomes_of(arm, budget, options.unfinished);
      const auto column = [&](double Outcome::* member) { return column_of(outcomes, member); };
      const std::vector<double> majorities = column(&Outcome::majority);
      const double tokens = mean(column(&Outcome::tokens));
      score.budgets.push_back({.budget = budget,
                               .majority = bootstrap.share(majorities),
                               .pass = bootstrap.share(column(&Outcome::pass)),
                               .oracle = bootstrap.share(column(&Outcome::oracle)),
                               .ended = mean(column(&Outcome::ended)),
                               .mean_tokens = tokens / score.lanes_total,
                               .total_tokens = tokens,
                               .seconds = mean(column(&Outcome::seconds))});
      if (first_majority.size() <= b) first_majority.push_back(majorities);
      std::vector<double> gains(majorities);
      for (size_t i = 0; i < gains.size(); ++i) gains[i] -= first_majority[b][i];
      score.gain.push_back(bootstrap.share(gains));
      for (size_t i = 0; i < common.size(); ++i) {
        ByScore& of_value = by[questions[static_cast<size_t>(common[i])].by];
        of_value.majority.resize(options.budgets.size());
        of_value.majority[b] += majorities[i];
        if (b == 0) ++of_value.questions;
      }
      if (b + 1 < options.budgets.size()) continue;
      std::vector<std::vector<LaneVote>> votes;
      votes.reserve(arm.questions.size());
      for (const QuestionLanes& question : arm.questions)
        votes.push_back(question.within(budget, options.unfinished));
      score.ways = score_ways(arm.questions, votes, bootstrap);
      score.sources = score_sources(votes);
    }
    for (auto& [value, of_value] : by) {
      if (by.size() == 1 && value.empty()) break;
      of_value.value = value;
      for (double& share : of_value.majority) share /= static_cast<double>(of_value.questions);
      score.by.push_back(std::move(of_value));
    }
    result.push_back(std::move(score));
  }
  return result;
}

void add_timing(std::span<ArmScore> scores, std::span<const ArmTiming> timings) {
  if (scores.empty()) return;
  size_t base = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (scores[i].arm == "independent") base = i;
  }
  for (size_t i = 0; i < scores.size(); ++i) {
    scores[i].timing = timings[i];
    scores[i].usual_step = usual_step(timings[i]);
    scores[i].step_ratio = step_ratio(timings[i], timings[base]);
  }
}

}  // namespace lanerope::eval
