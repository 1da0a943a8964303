// SPDX-License-Identifier: Apache-2.0
#include "eval/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "answers/equal.h"

namespace lanerope::eval {

namespace {

std::vector<Vote> votes_of(std::span<const std::string> answers) {
  answers::AnswerGroups groups;
  for (const std::string& answer : answers) groups.add(answer);
  return groups.votes();
}

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

// One question under one arm: its lanes, all groups together.
using QuestionLanes = std::vector<const EvalLane*>;

struct Outcome {
  double majority = 0;
  double pass = 0;
  double oracle = 0;
  double ended = 0;
  double tokens = 0;
  std::optional<Claim> by_votes = {};
  std::optional<Claim> by_logprob = {};
};

// What a lane answers with `budget` tokens: nothing that it wrote later counts.
std::optional<std::string> answer_within(const EvalLane& lane, int32_t budget, bool unfinished) {
  if (lane.ended && lane.length <= budget) return lane.answer;
  if (!unfinished) return std::nullopt;
  std::optional<std::string> answer;
  for (const SettledAnswer& settled : lane.settled) {
    if (settled.length <= budget) answer = settled.answer;
  }
  return answer;
}

Outcome outcome_of(const QuestionLanes& lanes, const std::string& truth, int32_t budget, bool unfinished) {
  Outcome outcome;
  std::vector<std::string> answers;
  const EvalLane* likeliest = nullptr;
  for (const EvalLane* lane : lanes) {
    outcome.tokens += std::min(lane->length, budget);
    const bool ended = lane->ended && lane->length <= budget;
    if (ended) outcome.ended += 1;
    const std::optional<std::string> answer = answer_within(*lane, budget, unfinished);
    if (!answer) continue;
    answers.push_back(*answer);
    const bool right = answers::answers_equal(*answer, truth);
    if (right) outcome.pass += 1;
    if (right) outcome.oracle = 1;
    if (!ended || (likeliest != nullptr && likeliest->mean_logprob >= lane->mean_logprob)) continue;
    likeliest = lane;
    outcome.by_logprob = {.confidence = std::exp(lane->mean_logprob), .right = right ? 1.0 : 0.0};
  }
  const auto count = static_cast<double>(lanes.size());
  outcome.majority = majority(answers, truth);
  const std::vector<Vote> votes = votes_of(answers);
  if (!votes.empty()) {
    const int32_t most = std::ranges::max(votes, {}, &Vote::count).count;
    outcome.by_votes = {.confidence = most / count, .right = outcome.majority};
  }
  outcome.pass /= count;
  outcome.ended /= count;
  outcome.tokens /= count;
  return outcome;
}

Calibration calibration_by(std::span<const Outcome> outcomes, std::optional<Claim> Outcome::* claim) {
  std::vector<Claim> claims;
  for (const Outcome& outcome : outcomes) {
    if (outcome.*claim) claims.push_back(*(outcome.*claim));
  }
  return calibration_of(claims);
}

// [arm][question]
using LanesByQuestion = std::map<std::string, std::map<int64_t, QuestionLanes>>;

std::vector<int64_t> common_questions(std::span<const std::string> arms, const LanesByQuestion& lanes) {
  std::vector<int64_t> common;
  const auto& first = lanes.at(arms[0]);
  std::map<std::string, size_t> whole;  // lanes of a question that is complete
  for (const std::string& arm : arms) {
    for (const auto& [question, list] : lanes.at(arm)) whole[arm] = std::max(whole[arm], list.size());
  }
  for (const auto& [question, list] : first) {
    const bool everywhere = std::ranges::all_of(arms, [&](const std::string& arm) {
      const auto found = lanes.at(arm).find(question);
      return found != lanes.at(arm).end() && found->second.size() == whole.at(arm);
    });
    if (everywhere) common.push_back(question);
  }
  return common;
}

}  // namespace

double majority(std::span<const std::string> answers, const std::string& truth) {
  const std::vector<Vote> votes = votes_of(answers);
  if (votes.empty()) return 0;
  const int32_t most = std::ranges::max(votes, {}, &Vote::count).count;
  double right = 0;
  double tied = 0;
  for (const Vote& known : votes) {
    if (known.count < most) continue;
    tied += 1;
    if (answers::answers_equal(known.answer, truth)) right = 1;
  }
  return right / tied;
}

std::vector<ArmScore> score_arms(std::span<const std::string> arms, std::span<const EvalRecord> records,
                                 std::span<const EvalQuestion> questions, const MetricOptions& options) {
  LanesByQuestion lanes;
  for (const std::string& arm : arms) lanes[arm];
  std::map<std::string, ArmScore> scores;
  for (const EvalRecord& record : records) {
    const auto arm = lanes.find(record.arm);
    if (arm == lanes.end() || record.question >= std::ssize(questions)) continue;
    ArmScore& score = scores[record.arm];
    score.lanes = std::max(score.lanes, static_cast<int32_t>(record.lanes.size()));
    for (const EvalLane& lane : record.lanes) {
      arm->second[record.question].push_back(&lane);
      score.tokens += lane.length;
    }
  }
  const std::vector<int64_t> common = common_questions(arms, lanes);
  std::vector<ArmScore> result;
  if (common.empty()) return result;
  const Bootstrap bootstrap(common.size(), {.resamples = options.resamples, .seed = options.seed});
  std::vector<std::vector<double>> first_majority;  // [budgets][questions] of the first arm
  for (const std::string& arm : arms) {
    ArmScore score = scores[arm];
    score.arm = arm;
    score.questions = std::ssize(common);
    score.lanes_total = static_cast<int32_t>(lanes[arm].at(common[0]).size());
    std::map<std::string, ByScore, ByValue> by = {};
    for (size_t b = 0; b < options.budgets.size(); ++b) {
      std::vector<Outcome> outcomes;
      for (const int64_t question : common) {
        outcomes.push_back(outcome_of(lanes[arm].at(question), questions[question].truth, options.budgets[b],
                                      options.unfinished));
      }
      const auto column = [&](double Outcome::* member) {
        std::vector<double> values;
        for (const Outcome& outcome : outcomes) values.push_back(outcome.*member);
        return values;
      };
      const std::vector<double> majorities = column(&Outcome::majority);
      score.budgets.push_back({.budget = options.budgets[b],
                               .majority = bootstrap.share(majorities),
                               .pass = bootstrap.share(column(&Outcome::pass)),
                               .oracle = bootstrap.share(column(&Outcome::oracle)),
                               .ended = mean(column(&Outcome::ended)),
                               .mean_tokens = mean(column(&Outcome::tokens))});
      if (first_majority.size() <= b) first_majority.push_back(majorities);
      std::vector<double> gains(majorities);
      for (size_t i = 0; i < gains.size(); ++i) gains[i] -= first_majority[b][i];
      score.gain.push_back(bootstrap.share(gains));
      for (size_t i = 0; i < common.size(); ++i) {
        ByScore& of_value = by[questions[common[i]].by];
        of_value.majority.resize(options.budgets.size());
        of_value.majority[b] += majorities[i];
        if (b == 0) ++of_value.questions;
      }
      if (b + 1 < options.budgets.size()) continue;
      score.by_votes = calibration_by(outcomes, &Outcome::by_votes);
      score.by_logprob = calibration_by(outcomes, &Outcome::by_logprob);
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
