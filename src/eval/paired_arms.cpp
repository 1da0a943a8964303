// SPDX-License-Identifier: Apache-2.0
#include "eval/paired_arms.h"

#include <algorithm>
#include <map>

namespace lanerope::eval {

namespace {

using Groups = std::vector<const EvalRecord*>;

// Apart from those that a policy added.
int32_t lanes_of(const EvalRecord& group) {
  return static_cast<int32_t>(
      std::ranges::count_if(group.lanes, [](const EvalLane& lane) { return lane.start_step == 0; }));
}

int32_t lanes_of(const Groups& groups) {
  int32_t lanes = 0;
  for (const EvalRecord* group : groups) lanes += lanes_of(*group);
  return lanes;
}

struct ArmGroups {
  std::map<int64_t, Groups> by_question = {};
  int32_t whole = 0;  // lanes of a question that has all
  bool has_whole(int64_t question) const {
    const auto found = by_question.find(question);
    return found != by_question.end() && lanes_of(found->second) == whole;
  }
};

}  // namespace

PairedArms pair_arms(std::span<const std::string> arms, std::span<const EvalRecord> records,
                     std::span<const Truth> truths) {
  PairedArms paired;
  std::vector<ArmGroups> groups(arms.size());
  for (const std::string& arm : arms) paired.arms.push_back({.name = arm});
  for (const EvalRecord& record : records) {
    if (record.question >= std::ssize(truths)) continue;
    for (size_t a = 0; a < arms.size(); ++a) {
      if (arms[a] != record.arm) continue;
      groups[a].by_question[record.question].push_back(&record);
      paired.arms[a].lanes = std::max(paired.arms[a].lanes, lanes_of(record));
      for (const EvalLane& lane : record.lanes) paired.arms[a].tokens += lane.tokens();
    }
  }
  if (groups.empty()) return paired;
  for (ArmGroups& of_arm : groups) {
    for (const auto& [question, list] : of_arm.by_question)
      of_arm.whole = std::max(of_arm.whole, lanes_of(list));
  }
  for (size_t a = 0; a < arms.size(); ++a) paired.arms[a].lanes_total = groups[a].whole;
  for (const auto& [question, list] : groups[0].by_question) {
    const bool everywhere = std::ranges::all_of(
        groups, [&, q = question](const ArmGroups& of_arm) { return of_arm.has_whole(q); });
    if (everywhere) paired.questions.push_back(question);
  }
  for (const int64_t question : paired.questions) {
    for (size_t a = 0; a < arms.size(); ++a) {
      paired.arms[a].questions.emplace_back(std::move(groups[a].by_question[question]),
                                            truths[static_cast<size_t>(question)]);
    }
  }
  return paired;
}

}  // namespace lanerope::eval
