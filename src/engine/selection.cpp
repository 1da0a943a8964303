// SPDX-License-Identifier: Apache-2.0
#include "engine/selection.h"

#include <algorithm>
#include <cmath>

#include "answers/equal.h"

namespace lanerope::engine {

namespace {

Confidence mean_probability(const LaneResult& lane) {
  return {.value = std::exp(lane.mean_logprob), .kind = ConfidenceKind::mean_probability};
}

Selected by_vote(const std::vector<LaneResult>& lanes) {
  const std::vector<Vote> votes = count_votes(lanes);
  if (votes.empty()) return {};
  for (size_t m = 0; m < lanes.size(); ++m) {
    if (lanes[m].answer == votes.front().answer) {
      return {.lane = static_cast<int32_t>(m),
              .confidence = {
                  .value = static_cast<double>(votes.front().count) / static_cast<double>(lanes.size()),
                  .kind = ConfidenceKind::vote_share}};
    }
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

std::vector<Vote> count_votes(const std::vector<LaneResult>& lanes) {
  answers::AnswerGroups groups;
  for (const LaneResult& lane : lanes) {
    if (lane.answer) groups.add(*lane.answer);
  }
  std::vector<Vote> votes = groups.votes();
  std::ranges::stable_sort(votes, std::ranges::greater{}, &Vote::count);
  return votes;
}

Selected select(SelectionKind kind, const std::vector<LaneResult>& lanes,
                const std::vector<int32_t>& finish_order) {
  switch (kind) {
    case SelectionKind::vote:
      return by_vote(lanes);
    case SelectionKind::logprob:
      return by_logprob(lanes);
    case SelectionKind::first:
      return by_first(lanes, finish_order);
    case SelectionKind::none:
    case SelectionKind::verifier:
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
