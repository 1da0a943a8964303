// SPDX-License-Identifier: Apache-2.0
#include "engine/resolve_format.h"

#include <optional>
#include <string>

#include "grammar/matcher.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"

namespace lanerope::engine {

namespace {

constexpr int32_t most_thinking = 1 << 24;

std::optional<int32_t> thinking_budget(const ResolvedRequest& resolved, const RequestDefaults& defaults) {
  const std::optional<int32_t> wanted = resolved.asked.thinking_budget;
  if (wanted && (*wanted < -1 || *wanted > most_thinking)) {
    throw InvalidRequest("the thinking budget must be -1 (none), or 0 (no thinking) to " +
                         std::to_string(most_thinking) + " tokens");
  }
  if (wanted && *wanted >= 0 && resolved.style.thinking.begin.empty()) {
    throw InvalidRequest(
        "a thinking budget needs messages and a chat template that marks the thinking, and there is none; "
        "leave "
        "it out");
  }
  return wanted ? wanted : defaults.thinking_budget;
}

void check_lane_texts(const ResolvedRequest& resolved) {
  for (size_t m = 0; m < resolved.lanes.size(); ++m) {
    const ResolvedLane& lane = resolved.lanes[m];
    grammar::Matcher matcher(resolved.format);
    for (auto i = static_cast<size_t>(lane.tag_tokens); i < lane.forced.size(); ++i) {
      if (matcher.accept(lane.forced[i])) continue;
      throw InvalidRequest(
          "the text of lane " + std::to_string(m + 1) +
          " does not keep to the answer's format; leave it out, or let it begin such an answer");
    }
  }
}

}  // namespace

void resolve_format(ResolvedRequest& resolved, const Model& model, const RequestDefaults& defaults) {
  const std::optional<int32_t> budget = thinking_budget(resolved, defaults);
  grammar::ThinkingRules thinking;
  if (resolved.thinking != Thinking::none) {
    thinking = {.begin = resolved.style.thinking.begin,
                .end = resolved.style.thinking.end,
                .message = resolved.style.thinking.message,
                .answer = resolved.style.thinking.answer,
                .opened = resolved.thinking == Thinking::opened,
                .most_tokens = budget.value_or(-1)};
  }
  resolved.format = model::loaded(model).formats.compile(resolved.asked.format, thinking);
  if (resolved.format == nullptr) return;
  if (resolved.asked.ignore_end) {
    throw InvalidRequest(
        "lanes that do not end at the end of their answer cannot keep to a format; leave one of them out");
  }
  check_lane_texts(resolved);
}

}  // namespace lanerope::engine
