// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/joint_trace.h"

#include <cstdlib>

namespace lanerope::reference {

namespace {

class Definitions {
 public:
  explicit Definitions(const Trace& trace) : t_(trace), n_lanes_(static_cast<int>(trace.lanes.size())) {}

  Relation relation(const TraceToken& query, const TraceToken& key) const {
    if (query.lane < 0)
      return {.visible = key.lane < 0 && key.step <= query.step,
              .token_offset = static_cast<double>(query.step - key.step)};
    if (key.lane < 0) return to_prompt(query, key);
    if (in_own_text(query, key)) {
      return {.visible = key.step <= query.step,
              .token_offset = static_cast<double>(text_index(query) - text_index(key))};
    }
    return to_other(query, key);
  }

 private:
  bool hogwild() const { return t_.coupling.kind == CouplingKind::hogwild; }

  // How far the clock runs ahead of the lane's own text. A lane that is spawned afresh keeps the clock's
  // index, and leaves a gap behind the prompt, except in hogwild's layout, which has no gaps.
  int lag(int lane) const {
    const TraceLane& l = t_.lanes[lane];
    if (l.parent >= 0) return l.start_step - l.fork_step + lag(l.parent);
    return hogwild() ? l.start_step : 0;
  }
  int text_index(const TraceToken& token) const { return token.step - lag(token.lane); }

  // Is the key a token that the query's lane wrote itself, or that an ancestor wrote before the fork?
  bool in_own_text(const TraceToken& query, const TraceToken& key) const {
    if (key.lane == query.lane) return true;
    for (int lane = query.lane; t_.lanes[lane].parent >= 0; lane = t_.lanes[lane].parent) {
      if (t_.lanes[lane].parent == key.lane && key.step < t_.lanes[lane].fork_step) return true;
    }
    return false;
  }

  bool linked(int a, int b) const {
    switch (t_.coupling.topology) {
      case Topology::all:
        return true;
      case Topology::ring:
        return (a + 1) % n_lanes_ == b || (b + 1) % n_lanes_ == a;
      case Topology::tree: {
        const int child = a > b ? a : b;
        const int parent = a > b ? b : a;
        return child == 2 * parent + 1 || child == 2 * parent + 2;
      }
    }
    std::abort();
  }

  bool reached_by_clock(const TraceToken& query, const TraceToken& key) const {
    switch (t_.coupling.visibility) {
      case Visibility::inclusive:
        return key.step <= query.step;
      case Visibility::strict:
        return key.step < query.step;
      case Visibility::interleaved:
        return key.lane < query.lane ? key.step <= query.step : key.step < query.step;
    }
    std::abort();
  }

  // Visible but for the window.
  bool eligible(const TraceToken& query, const TraceToken& key) const {
    return t_.coupling.kind != CouplingKind::independent && linked(query.lane, key.lane) &&
           reached_by_clock(query, key);
  }

  bool sees_other(const TraceToken& query, const TraceToken& key) const {
    if (!eligible(query, key) || in_own_text(query, key)) return false;
    if (t_.coupling.window == 0) return true;
    int later = 0;  // eligible cells of that lane behind this one
    for (TraceToken token = key; ++token.step < end_step(key.lane);) later += eligible(query, token) ? 1 : 0;
    return later < t_.coupling.window;
  }

  int end_step(int lane) const {
    return t_.lanes[lane].start_step + static_cast<int>(t_.lanes[lane].tokens.size());
  }

  // Cells of lane `lane` that the query sees and whose step is at least `from`.
  int count_seen(const TraceToken& query, int lane, int from) const {
    int count = 0;
    for (int step = from; step < end_step(lane); ++step) {
      count += sees_other(query, {.lane = lane, .step = step}) ? 1 : 0;
    }
    return count;
  }

  // Tokens between the key and the beginning of the query's own text in the layout [prompt, the others in
  // order, the query's lane]: `first` is the first other lane behind the key.
  int seen_from_lane(const TraceToken& query, int first) const {
    int count = 0;
    for (int lane = first; lane < n_lanes_; ++lane) {
      if (lane != query.lane) count += count_seen(query, lane, t_.lanes[lane].start_step);
    }
    return count;
  }

  Relation to_prompt(const TraceToken& query, const TraceToken& key) const {
    const int prompt_length = static_cast<int>(t_.prompt.size());
    Relation result{.visible = true,
                    .token_offset = static_cast<double>(prompt_length + text_index(query) - key.step)};
    if (hogwild()) result.token_offset += seen_from_lane(query, 0);
    if (t_.coupling.prompt_lane == PromptLane::first) add_lanes(result, query.lane, 0);
    return result;
  }

  Relation to_other(const TraceToken& query, const TraceToken& key) const {
    Relation result{.visible = sees_other(query, key)};
    if (!result.visible) return result;
    if (hogwild()) {
      result.token_offset =
          text_index(query) + count_seen(query, key.lane, key.step) + seen_from_lane(query, key.lane + 1);
    } else {
      result.token_offset = query.step - key.step;
      add_lanes(result, query.lane, key.lane);
    }
    return result;
  }

  void add_lanes(Relation& relation, int query_lane, int key_lane) const {
    const double m = t_.first_lane + query_lane;
    const double n = t_.first_lane + key_lane;
    if (t_.coupling.kind == CouplingKind::lanerope) relation.lane_offset += m - n;
    if (t_.coupling.kind == CouplingKind::groupthink) relation.token_offset += t_.stride * m - t_.stride * n;
  }

  const Trace& t_;
  int n_lanes_;
};

}  // namespace

std::vector<TraceToken> flatten(const Trace& trace) {
  std::vector<TraceToken> tokens;
  tokens.reserve(trace.prompt.size());
  for (size_t i = 0; i < trace.prompt.size(); ++i) {
    tokens.push_back({.id = trace.prompt[i], .lane = -1, .step = static_cast<int32_t>(i)});
  }
  for (size_t m = 0; m < trace.lanes.size(); ++m) {
    const TraceLane& lane = trace.lanes[m];
    for (size_t i = 0; i < lane.tokens.size(); ++i) {
      tokens.push_back({.id = lane.tokens[i],
                        .lane = static_cast<int32_t>(m),
                        .step = lane.start_step + static_cast<int32_t>(i)});
    }
  }
  return tokens;
}

std::vector<std::vector<Relation>> relations(const Trace& trace) {
  const Definitions definitions(trace);
  const std::vector<TraceToken> tokens = flatten(trace);
  std::vector<std::vector<Relation>> result(tokens.size());
  for (size_t q = 0; q < tokens.size(); ++q) {
    for (const TraceToken& key : tokens) result[q].push_back(definitions.relation(tokens[q], key));
  }
  return result;
}

}  // namespace lanerope::reference
