// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/conductor.h"

#include <algorithm>
#include <charconv>

#include "engine/policies/attempt.h"

namespace lanerope::engine {

Conductor::Conductor(const PolicySettings& settings, const ResolvedRequest& /*request*/)
    : lane_(static_cast<int32_t>(settings.whole("lane")) - 1) {}

void Conductor::read(std::string_view line, LaneActions& actions) const {
  const size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos || line[begin] != '@') return;
  const char* const number = line.data() + begin + 1;
  int32_t lane = 0;
  const auto [end, error] = std::from_chars(number, line.data() + line.size(), lane);
  const std::string_view rest(end, static_cast<size_t>(line.data() + line.size() - end));
  const bool says = rest.starts_with(':') && rest.find_first_not_of(" \t\r", 1) != std::string_view::npos;
  if (error != std::errc() || !says || lane == lane_ + 1) return;
  attempt([&] {
    actions.push(lane - 1, "\n" + std::string(line.substr(begin)) + "\n",
                 "lane " + std::to_string(lane_ + 1) + " says so");
  });
}

void Conductor::after_step(const GroupStatus& group, LaneActions& actions) {
  if (lane_ >= group.n_lanes()) return;
  const LaneStatus lane = group.lane(lane_);
  // Acts may end lanes, so what the text is read from is a copy.
  const std::string text(lane.text.substr(std::min(read_, lane.text.size())));
  size_t from = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', from)) {
    read(std::string_view(text).substr(from, end - from), actions);
    from = end + 1;
  }
  if (!lane.live() && from < text.size()) {
    read(std::string_view(text).substr(from), actions);
    from = text.size();
  }
  read_ += from;
}

}  // namespace lanerope::engine
