// SPDX-License-Identifier: Apache-2.0
#include "engine/selection.h"

#include <algorithm>
#include <cmath>

#include "answers/equal.h"

namespace lanerope::engine {

Confidence mean_probability(const LaneResult& lane) {
  return {.value = std::exp(lane.mean_logprob), .kind = ConfidenceKind::mean_probability};
}

namespace {

Selected by_vote(const std::vector<LaneResult>& lanes, VoteWeight weight) {
  const std::vector<Vote> votes = count_votes(lanes, weight);
  if (votes.empty()) return {};
  double total = 0;
  for (const LaneResult& lane : lanes) total += vote_weight(lane, weight);
  const ConfidenceKind kind =
      weight == VoteWeight::equal ? ConfidenceKind::vote_share : ConfidenceKind::weight_share;
  const double share = total > 0 ? votes.front().weight / total : 0;
  for (size_t m = 0; m < lanes.size(); ++m) {
    if (lanes[m].answer == votes.front().answer)
      return {.lane = static_cast<int32_t>(m), .confidence = {.value = share, .kind = kind}};
  }
  return {};
}

Selected by_logprob(const std::vector<LaneResult>& lanes) {
  Selected best;
  for (size_t m = 0; m < lanes.size(); ++m) {
    if (lanes[m].generated == 0) continue;
    if (best.lane < 0 || lanes[m].mean_logprob > lanes[best.lane].mean_logprob)
      best.lane = static_cast<int32_t>(m);
  }
  if (best.lane >= 0) best.confidence = mean_probability(lanes[best.lane]);
  return best;
}

Selected by_first(const std::vector<LaneResult>& lanes, const std::vector<int32_t>& finish_order) {
  for (const int32_t m : finish_order) {
    if (ended_by_itself(lanes[m].finish)) return {.lane = m, .confidence = mean_probability(lanes[m])};
  }
  return {};
}

}  // namespace

double vote_weight(const LaneResult& lane, VoteWeight weight) {
  const Certainty certainty = lane.certainty.value_or(Certainty());
  double value = 0;
  switch (weight) {
    case VoteWeight::equal:
      return 1;
    case VoteWeight::logprob:
      value = lane.generated > 0 ? std::exp(lane.mean_logprob) : 0;
      break;
    case VoteWeight::self_certainty:
      value = certainty.self_certainty;
      break;
    case VoteWeight::lowest_window:
      value = certainty.lowest_window;
      break;
  }
  return std::isfinite(value) ? std::max(value, 0.0) : 0;
}

std::vector<Vote> count_votes(const std::vector<LaneResult>& lanes, VoteWeight weight) {
  // What a format made is compared as it is spelled.
  const bool spelled = std::ranges::any_of(
      lanes, [](const LaneResult& lane) { return lane.answer_from == AnswerFrom::format; });
  answers::AnswerGroups groups(spelled ? answers::AnswerKind::exact : answers::AnswerKind::any);
  for (const LaneResult& lane : lanes) {
    if (lane.answer) groups.add(*lane.answer, vote_weight(lane, weight));
  }
  return answers::ranked(groups.votes());
}

Selected select(const Selection& selection, const std::vector<LaneResult>& lanes,
                const std::vector<int32_t>& finish_order) {
  switch (selection.kind) {
    case SelectionKind::vote:
      return by_vote(lanes, selection.weight);
    case SelectionKind::logprob:
      return by_logprob(lanes);
    case SelectionKind::first:
      return by_first(lanes, finish_order);
    case SelectionKind::none:
    case SelectionKind::verifier:
    case SelectionKind::then:
      break;
  }
  return {};
}

Selected select_by_scores(const std::vector<double>& scores) {
  if (scores.empty()) return {};
  const auto best = std::ranges::max_element(scores);
  const bool shares = std::ranges::all_of(scores, [](double s) { return s >= 0 && s <= 1; });
  double confidence = *best;
  if (!shares) {
    double total = 0;
    for (const double score : scores) total += std::exp(score - *best);
    confidence = 1 / total;
  }
  return {.lane = static_cast<int32_t>(best - scores.begin()),
          .confidence = {.value = confidence, .kind = ConfidenceKind::verifier_score}};
}

}  // namespace lanerope::engine
