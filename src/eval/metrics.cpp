// SPDX-License-Identifier: Apache-2.0
#include "eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "engine/answer_match.h"

namespace lanerope {

namespace {

struct AnswerClass {
  std::string answer;
  int32_t count = 0;
};

std::vector<AnswerClass> classes_of(std::span<const std::string> answers) {
  std::vector<AnswerClass> classes;
  for (const std::string& answer : answers) {
    const auto found = std::ranges::find_if(classes, [&](const AnswerClass& known) {
      return known.answer == answer || answers_equal(known.answer, answer);
    });
    if (found == classes.end()) {
      classes.push_back({.answer = answer, .count = 1});
    } else {
      ++found->count;
    }
  }
  return classes;
}

// One question under one arm: its lanes, all groups together.
using QuestionLanes = std::vector<const EvalLane*>;

struct Outcome {
  double majority = 0;
  double pass = 0;
  double oracle = 0;
  double ended = 0;
  double tokens = 0;
  double confidence = 0;
};

Outcome outcome_of(const QuestionLanes& lanes, const std::string& truth, int32_t budget) {
  Outcome outcome;
  std::vector<std::string> answers;
  for (const EvalLane* lane : lanes) {
    outcome.tokens += std::min(lane->length, budget);
    if (!lane->ended || lane->length > budget) continue;
    outcome.ended += 1;
    if (!lane->answer) continue;
    answers.push_back(*lane->answer);
    if (!answers_equal(*lane->answer, truth)) continue;
    outcome.pass += 1;
    outcome.oracle = 1;
  }
  const auto count = static_cast<double>(lanes.size());
  outcome.majority = majority(answers, truth);
  const std::vector<AnswerClass> classes = classes_of(answers);
  if (!classes.empty()) outcome.confidence = std::ranges::max(classes, {}, &AnswerClass::count).count / count;
  outcome.pass /= count;
  outcome.ended /= count;
  outcome.tokens /= count;
  return outcome;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<size_t>(values.size(), 1));
}

// The same resamples for every share of one evaluation, so that equal columns get equal intervals.
class Bootstrap {
 public:
  Bootstrap(size_t questions, const MetricOptions& options) {
    std::mt19937_64 draw(options.seed);
    samples_.resize(static_cast<size_t>(options.resamples));
    for (std::vector<uint32_t>& sample : samples_) {
      sample.resize(questions);
      for (uint32_t& index : sample) index = static_cast<uint32_t>(draw() % questions);
    }
  }

  Share share(std::span<const double> values) const {
    std::vector<double> means;
    means.reserve(samples_.size());
    for (const std::vector<uint32_t>& sample : samples_) {
      double sum = 0;
      for (const uint32_t index : sample) sum += values[index];
      means.push_back(sum / static_cast<double>(sample.size()));
    }
    std::ranges::sort(means);
    const auto at = [&](double place) {
      return means[static_cast<size_t>(std::lround(place * static_cast<double>(means.size() - 1)))];
    };
    return {.value = mean(values), .low = at(0.025), .high = at(0.975)};
  }

 private:
  std::vector<std::vector<uint32_t>> samples_;
};

Calibration calibration_of(std::span<const Outcome> outcomes) {
  constexpr size_t n_bins = 10;
  std::vector<ReliabilityBin> bins(n_bins);
  for (const Outcome& outcome : outcomes) {
    if (outcome.confidence == 0) continue;
    const auto index = std::min(n_bins - 1, static_cast<size_t>(outcome.confidence * n_bins));
    bins[index].confidence += outcome.confidence;
    bins[index].right += outcome.majority;
    ++bins[index].count;
  }
  std::erase_if(bins, [](const ReliabilityBin& bin) { return bin.count == 0; });
  Calibration calibration;
  int64_t claims = 0;
  for (ReliabilityBin& bin : bins) {
    bin.confidence /= static_cast<double>(bin.count);
    bin.right /= static_cast<double>(bin.count);
    calibration.error += std::abs(bin.confidence - bin.right) * static_cast<double>(bin.count);
    claims += bin.count;
  }
  if (claims > 0) calibration.error /= static_cast<double>(claims);
  calibration.bins = std::move(bins);
  return calibration;
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
  const std::vector<AnswerClass> classes = classes_of(answers);
  if (classes.empty()) return 0;
  const int32_t most = std::ranges::max(classes, {}, &AnswerClass::count).count;
  double right = 0;
  double tied = 0;
  for (const AnswerClass& known : classes) {
    if (known.count < most) continue;
    tied += 1;
    if (answers_equal(known.answer, truth)) right = 1;
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
    score.seconds += record.seconds;
    for (const EvalLane& lane : record.lanes) {
      arm->second[record.question].push_back(&lane);
      score.tokens += lane.length;
    }
  }
  const std::vector<int64_t> common = common_questions(arms, lanes);
  std::vector<ArmScore> result;
  if (common.empty()) return result;
  const Bootstrap bootstrap(common.size(), options);
  std::vector<std::vector<double>> first_majority;  // [budgets][questions] of the first arm
  for (const std::string& arm : arms) {
    ArmScore score = scores[arm];
    score.arm = arm;
    score.questions = std::ssize(common);
    score.lanes_total = static_cast<int32_t>(lanes[arm].at(common[0]).size());
    std::map<int32_t, PartsScore> parts;
    for (size_t b = 0; b < options.budgets.size(); ++b) {
      std::vector<Outcome> outcomes;
      for (const int64_t question : common) {
        outcomes.push_back(
            outcome_of(lanes[arm].at(question), questions[question].truth, options.budgets[b]));
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
        PartsScore& part = parts[questions[common[i]].parts];
        part.majority.resize(options.budgets.size());
        part.majority[b] += majorities[i];
        if (b == 0) ++part.questions;
      }
      if (b + 1 == options.budgets.size()) score.calibration = calibration_of(outcomes);
    }
    for (auto& [number, part] : parts) {
      part.parts = number;
      for (double& value : part.majority) value /= static_cast<double>(part.questions);
      score.parts.push_back(std::move(part));
    }
    result.push_back(std::move(score));
  }
  return result;
}

}  // namespace lanerope
