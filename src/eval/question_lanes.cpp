// SPDX-License-Identifier: Apache-2.0
#include "eval/question_lanes.h"

#include <algorithm>

namespace lanerope::eval {

bool is_right(const EvalLane& lane, const Truth& truth) {
  if (lane.passed) return *lane.passed;
  return lane.ended && lane.answer && answers::answers_equal(*lane.answer, truth.answer, truth.kind);
}

QuestionLanes::QuestionLanes(std::vector<const EvalRecord*> groups, const Truth& truth)
    : groups_(std::move(groups)) {
  for (const EvalRecord* group : groups_) {
    for (const EvalLane& lane : group->lanes) lanes_.push_back(&lane);
  }
  for (const EvalLane* lane : lanes_) {
    if (lane->answer) judge(*lane->answer, truth, lane->passed);
    for (const SettledAnswer& settled : lane->settled) judge(settled.answer, truth, std::nullopt);
  }
}

void QuestionLanes::judge(const std::string& answer, const Truth& truth, std::optional<bool> passed) {
  if (wordings_.contains(answer)) return;
  const auto known = std::ranges::find_if(answers_, [&](const JudgedAnswer& other) {
    return answers::answers_equal(answer, other.text, truth.kind);
  });
  Wording wording{.answer = static_cast<size_t>(known - answers_.begin()),
                  .right = passed ? *passed : answers::answers_equal(answer, truth.answer, truth.kind)};
  if (known == answers_.end()) answers_.push_back({.text = answer, .right = wording.right});
  wordings_.emplace(answer, wording);
}

double QuestionLanes::seconds_within(int32_t budget) const {
  double longest = 0;
  for (const EvalRecord* group : groups_) {
    if (group->steps < 1) continue;
    const double share = static_cast<double>(std::min(group->steps, budget)) / group->steps;
    longest = std::max(longest, group->seconds * share);
  }
  return longest;
}

std::vector<LaneVote> QuestionLanes::within(int32_t budget, bool unfinished) const {
  std::vector<LaneVote> votes;
  for (const EvalLane* lane : lanes_) {
    LaneVote vote{.lane = lane, .ended = lane->ended && lane->length <= budget};
    const std::string* said = nullptr;
    if (vote.ended) {
      if (lane->answer) said = &*lane->answer;
    } else if (unfinished) {
      for (const SettledAnswer& settled : lane->settled) {
        if (settled.length <= budget) said = &settled.answer;
      }
    }
    if (said != nullptr) {
      const Wording& wording = wordings_.find(*said)->second;
      vote.answer = wording.answer;
      vote.right = wording.right;
      if (vote.ended && lane->passed) vote.right = *lane->passed;
    }
    votes.push_back(vote);
  }
  return votes;
}

double majority(const QuestionLanes& question, std::span<const LaneVote> votes) {
  std::vector<int32_t> counts(question.answers().size());
  for (const LaneVote& vote : votes) {
    if (vote.answer) ++counts[*vote.answer];
  }
  const int32_t most = counts.empty() ? 0 : std::ranges::max(counts);
  if (most == 0) return 0;
  double right = 0;
  double tied = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < most) continue;
    tied += 1;
    if (question.answers()[i].right) right += 1;
  }
  return right / tied;
}

}  // namespace lanerope::eval
