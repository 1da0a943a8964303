// SPDX-License-Identifier: Apache-2.0
#include "eval/question_lanes.h"

#include <algorithm>

#include "answers/elements.h"

namespace lanerope::eval {

double rightness(const EvalLane& lane, const Truth& truth) {
  if (lane.passed) return *lane.passed ? 1 : 0;
  if (!lane.ended || !lane.answer) return 0;
  if (truth.parts.empty()) return answers::answers_equal(*lane.answer, truth.answer, truth.kind) ? 1 : 0;
  const std::vector<std::string> said = answers::list_elements(*lane.answer, truth.parts.size());
  double right = 0;
  for (size_t i = 0; i < said.size(); ++i) {
    if (answers::answers_equal(said[i], truth.parts[i], truth.kind)) right += 1;
  }
  return right / static_cast<double>(truth.parts.size());
}

QuestionLanes::QuestionLanes(const std::vector<const EvalRecord*>& groups, const Truth& truth)
    : groups_(groups) {
  for (const EvalRecord* group : groups_) {
    for (const EvalLane& lane : group->lanes) lanes_.push_back(&lane);
  }
  judge_all(truth);
  for (size_t i = 0; i < truth.parts.size(); ++i) {
    QuestionLanes part;
    part.groups_ = groups_;
    part.lanes_ = lanes_;
    part.part_ = i;
    part.of_parts_ = truth.parts.size();
    part.judge_all({.answer = truth.parts[i], .kind = truth.kind});
    parts_.push_back(std::move(part));
  }
}

std::optional<std::string> QuestionLanes::counted(const std::string& said) const {
  if (of_parts_ == 1) return said;
  std::vector<std::string> elements = answers::list_elements(said, of_parts_);
  if (elements.empty()) return std::nullopt;
  return std::move(elements[part_]);
}

void QuestionLanes::judge_all(const Truth& truth) {
  for (const EvalLane* lane : lanes_) {
    if (lane->answer) judge(*lane->answer, truth, lane->passed);
    for (const SettledAnswer& settled : lane->settled) judge(settled.answer, truth, std::nullopt);
  }
}

void QuestionLanes::judge(const std::string& said, const Truth& truth, std::optional<bool> passed) {
  const std::optional<std::string> answer_said = counted(said);
  if (!answer_said || wordings_.contains(*answer_said)) return;
  const std::string& answer = *answer_said;
  const auto known = std::ranges::find_if(answers_, [&](const JudgedAnswer& other) {
    return answers::answers_equal(answer, other.text, truth.kind);
  });
  Wording wording{.answer = static_cast<size_t>(known - answers_.begin()),
                  .right = passed ? *passed : answers::answers_equal(answer, truth.answer, truth.kind)};
  if (known == answers_.end()) answers_.push_back({.text = answer, .right = wording.right});
  wordings_.emplace(answer, wording);
}

double QuestionLanes::share_of(const std::string& said) const {
  double right = 0;
  for (const QuestionLanes& part : parts_) {
    if (const auto here = part.counted(said); here && part.wordings_.find(*here)->second.right) right += 1;
  }
  return right / static_cast<double>(parts_.size());
}

double QuestionLanes::seconds_within(int32_t budget) const {
  double longest = 0;
  for (const EvalRecord* group : groups_) {
    if (group->steps < 1) continue;
    int32_t steps = budget;
    for (const EvalLane& lane : group->lanes) steps = std::max(steps, lane.end_of(budget));
    const double share = static_cast<double>(std::min(group->steps, steps)) / group->steps;
    longest = std::max(longest, group->seconds * share);
  }
  return longest;
}

std::vector<LaneVote> QuestionLanes::within(int32_t budget, bool unfinished) const {
  std::vector<LaneVote> votes;
  for (const EvalLane* lane : lanes_) {
    LaneVote vote{.lane = lane, .ended = lane->ended && lane->length <= lane->end_of(budget)};
    const std::string* said = nullptr;
    if (vote.ended) {
      if (lane->answer) said = &*lane->answer;
    } else if (unfinished) {
      for (const SettledAnswer& settled : lane->settled) {
        if (settled.length <= lane->end_of(budget)) said = &settled.answer;
      }
    }
    const auto here = said != nullptr ? counted(*said) : std::nullopt;
    if (here) {
      const Wording& wording = wordings_.find(*here)->second;
      vote.answer = wording.answer;
      vote.right = wording.right;
      if (vote.ended && lane->passed) vote.right = *lane->passed;
      vote.share =
          parts_.empty() || vote.right || (vote.ended && lane->passed) ? vote.right : share_of(*said);
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
