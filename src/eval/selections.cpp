// SPDX-License-Identifier: Apache-2.0
#include "eval/selections.h"

#include <algorithm>
#include <numeric>

#include "engine/selection.h"

namespace lanerope::eval {

namespace {

// The lanes as the engine sees them when it selects. Equal answers are worded alike, so nothing is compared
// twice.
std::vector<LaneResult> lane_results(const QuestionLanes& question, std::span<const LaneVote> votes) {
  std::vector<LaneResult> lanes;
  for (const LaneVote& vote : votes) {
    LaneResult lane{.finish = vote.ended ? FinishReason::end : FinishReason::length,
                    .generated = vote.lane->tokens(),
                    .mean_logprob = vote.lane->mean_logprob,
                    .certainty = vote.lane->certainty,
                    .verifier_score = vote.lane->verifier_score};
    if (vote.answer) lane.answer = question.answers()[*vote.answer].text;
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

bool can_choose(const Way& way, std::span<const LaneVote> votes) {
  const bool by_certainty =
      way.weight == VoteWeight::self_certainty || way.weight == VoteWeight::lowest_window;
  return std::ranges::all_of(votes, [&](const LaneVote& vote) {
    if (way.select == SelectionKind::verifier) return vote.lane->verifier_score.has_value();
    return !by_certainty || vote.lane->certainty.has_value();
  });
}

std::vector<int32_t> by_length(std::span<const LaneVote> votes) {
  std::vector<int32_t> order(votes.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int32_t m) { return votes[static_cast<size_t>(m)].lane->length; });
  return order;
}

engine::Selected chosen(const Way& way, const QuestionLanes& question, std::span<const LaneVote> votes) {
  if (way.select == SelectionKind::verifier) {
    std::vector<double> scores;
    for (const LaneVote& vote : votes) scores.push_back(*vote.lane->verifier_score);
    return engine::select_by_scores(scores);
  }
  return engine::select({.kind = way.select, .weight = way.weight}, lane_results(question, votes),
                        by_length(votes));
}

}  // namespace

std::string name_of(const Way& way) {
  const std::string select(name(way.select));
  return way.weight == VoteWeight::equal ? select : select + " by " + std::string(name(way.weight));
}

std::vector<Way> all_ways() {
  std::vector<Way> ways;
  for (const Named<VoteWeight>& weight : names<VoteWeight>()) ways.push_back({.weight = weight.value});
  for (const SelectionKind kind : {SelectionKind::logprob, SelectionKind::first, SelectionKind::verifier})
    ways.push_back({.select = kind});
  return ways;
}

std::optional<Claim> claim_of(const Way& way, const QuestionLanes& question,
                              std::span<const LaneVote> votes) {
  if (votes.empty() || !can_choose(way, votes)) return std::nullopt;
  const engine::Selected selected = chosen(way, question, votes);
  if (selected.lane < 0) return std::nullopt;
  const LaneVote& lane = votes[static_cast<size_t>(selected.lane)];
  return Claim{.confidence = selected.confidence.value, .right = lane.share};
}

WayScore score_way(const Way& way, std::span<const std::optional<Claim>> claims, const Bootstrap& bootstrap) {
  std::vector<double> right;
  std::vector<Claim> made;
  for (const std::optional<Claim>& claim : claims) {
    right.push_back(claim ? claim->right : 0);
    if (claim) made.push_back(*claim);
  }
  return {.way = way, .right = bootstrap.share(right), .reliability = reliability_of(made)};
}

}  // namespace lanerope::eval
