// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/finish.h"

#include <algorithm>

#include "engine/policies/attempt.h"
#include "lanerope/model.h"

namespace lanerope::engine {

std::string answer_lead(std::string_view prompt) {
  const size_t box = prompt.rfind("\\boxed");
  const size_t mark = prompt.rfind("####");
  if (box == std::string_view::npos && mark == std::string_view::npos) return "\n\nFinal answer:";
  const bool boxed = mark == std::string_view::npos || (box != std::string_view::npos && box > mark);
  return boxed ? "\n\nFinal answer: \\boxed{" : "\n#### ";
}

Finish::Finish(const PolicySettings& settings, const ResolvedRequest& request)
    : at_(settings.whole("at")),
      text_(settings.text("text")),
      purse_(request),
      style_(request.style),
      thinking_(request.thinking) {
  if (text_.empty()) text_ = answer_lead(request.model->decode(request.prompt));
}

// A lane that still thinks has to stop that first.
std::string Finish::lead_for(std::string_view text) const {
  const ThinkingMarks& marks = style_.thinking;
  if (marks.end.empty() || text.find(marks.end) != std::string_view::npos) return text_;
  const bool thinks = thinking_ == Thinking::opened ||
                      (thinking_ == Thinking::may && text.find(marks.begin) != std::string_view::npos);
  return thinks ? "\n" + marks.end + text_ : text_;
}

void Finish::after_step(const GroupStatus& group, LaneActions& actions) {
  const int64_t of_purse = purse_.left_for_each(group);
  for (int32_t m = 0; m < group.n_lanes(); ++m) {
    const LaneStatus lane = group.lane(m);
    const int64_t left = std::min<int64_t>(lane.left, of_purse);
    if (!lane.live() || lane.forced || left > at_ || refused_.contains(m)) continue;
    // Led already, maybe as the lane that it is a fork of, or there by itself.
    if (lane.text.find(text_) != std::string_view::npos || group.answer(m)) continue;
    const auto push = [&] {
      actions.push(m, lead_for(lane.text), std::to_string(left) + " tokens are left");
    };
    if (!attempt(push)) refused_.insert(m);
  }
}

}  // namespace lanerope::engine
