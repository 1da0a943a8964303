// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/joint_trace.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <utility>

namespace lanerope::reference {

namespace {

// A text written out place by place: tokens as their index in flatten(), and places where nothing stands.
using Text = std::vector<size_t>;
constexpr size_t nothing = -1;

class Layout {
 public:
  explicit Layout(const Trace& trace) : t_(trace), tokens_(flatten(trace)) {}

  std::vector<Relation> row(size_t query) const {
    std::vector<Relation> row(tokens_.size());
    Text text = own_text(tokens_[query].lane);
    text.erase(std::ranges::find(text, query) + 1, text.end());
    const Text others = others_seen(query, text);
    if (t_.coupling.kind == CouplingKind::hogwild) {
      const size_t behind_prompt = std::min(t_.prompt.size(), text.size());
      text.insert(text.begin() + behind_prompt, others.begin(), others.end());
    } else {
      for (const size_t key : others) row[key] = by_the_clock(query, key);
    }
    for (size_t place = 0; place < text.size(); ++place) {
      if (text[place] == nothing) continue;
      row[text[place]] = {.visible = true, .token_offset = static_cast<double>(text.size() - 1 - place)};
    }
    if (t_.coupling.prompt_lane == PromptLane::first && tokens_[query].lane >= 0) {
      for (size_t key = 0; key < t_.prompt.size(); ++key) add_lanes(row[key], tokens_[query].lane, 0);
    }
    return row;
  }

 private:
  // What a lane has as its own before step `end`: the prompt, what it was forked from up to there, what it
  // wrote itself. A lane that begins afresh leaves the places empty in which others that it sees wrote
  // before, but for hogwild, whose texts have no gaps; so does a lane for the steps that it sleeps. Of lane
  // -1, the prompt.
  Text own_text(int lane, int32_t end = INT32_MAX) const {
    Text text;
    if (lane >= 0 && t_.lanes[lane].parent >= 0) {
      text = own_text(t_.lanes[lane].parent, t_.lanes[lane].fork_step);
    } else if (lane >= 0) {
      text = own_text(-1);
      const auto kind = t_.coupling.kind;
      const bool by_the_clock = kind == CouplingKind::lanerope || kind == CouplingKind::groupthink;
      if (by_the_clock || (t_.lanes[lane].reads_all && kind != CouplingKind::hogwild)) {
        text.insert(text.end(), t_.lanes[lane].start_step, nothing);
      }
    }
    int32_t next = lane >= 0 ? t_.lanes[lane].start_step : 0;
    const auto leave_empty_until = [&](int32_t step) {
      if (step > next) text.insert(text.end(), step - next, nothing);
    };
    for (const size_t i : written_by(lane)) {
      if (tokens_[i].step >= end) break;
      leave_empty_until(tokens_[i].step);
      text.push_back(i);
      next = tokens_[i].step + 1;
    }
    if (end != INT32_MAX) leave_empty_until(end);
    return text;
  }

  Text written_by(int lane) const {
    Text text;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].lane == lane) text.push_back(i);
    }
    return text;
  }

  // Tokens of other lanes that the query sees, lane after lane.
  Text others_seen(size_t query, const Text& own) const {
    Text all;
    if (does_not_look(query)) return all;
    for (int lane = 0; lane < std::ssize(t_.lanes); ++lane) {
      if (!sees_lane(tokens_[query], lane)) continue;
      Text seen = written_by(lane);
      std::erase_if(seen, [&](size_t key) { return !is_there_yet(tokens_[key], tokens_[query]); });
      const auto window = static_cast<size_t>(t_.coupling.window);
      const bool reads_all = t_.lanes[tokens_[query].lane].reads_all;
      if (!reads_all && window > 0 && seen.size() > window)
        seen.erase(seen.begin(), seen.end() - t_.coupling.window);
      std::erase_if(seen, [&](size_t key) { return std::ranges::count(own, key) > 0; });
      all.insert(all.end(), seen.begin(), seen.end());
    }
    return all;
  }

  bool does_not_look(size_t query) const {
    const int lane = tokens_[query].lane;
    if (lane < 0 || t_.lanes[lane].reads_all) return false;
    const Text own = written_by(lane);
    const auto place = static_cast<size_t>(std::ranges::find(own, query) - own.begin());
    return place < t_.lanes[lane].sees_from;
  }

  bool sees_lane(const TraceToken& query, int n) const {
    const int m = query.lane;
    if (m < 0 || m == n || t_.lanes[n].reads_all) return false;
    if (t_.lanes[m].reads_all) return true;
    if (t_.coupling.kind == CouplingKind::independent || t_.coupling.kind == CouplingKind::bridge)
      return false;
    const auto is_child_of = [](int child, int parent) {
      return child == 2 * parent + 1 || child == 2 * parent + 2;
    };
    // Of a ring, up to the last lane that was there.
    int n_lanes = 0;
    for (int lane = 0; lane < std::ssize(t_.lanes); ++lane) {
      if (!t_.lanes[lane].reads_all && t_.lanes[lane].start_step <= query.step) n_lanes = lane + 1;
    }
    switch (t_.coupling.topology) {
      case Topology::all:
        return true;
      case Topology::ring:
        return (m + 1) % n_lanes == n || (n + 1) % n_lanes == m;
      case Topology::tree:
        return is_child_of(m, n) || is_child_of(n, m);
      case Topology::blocks: {
        const int speaker_of_m = m - m % t_.coupling.block;
        const int speaker_of_n = n - n % t_.coupling.block;
        return speaker_of_m == speaker_of_n || (speaker_of_m == m && speaker_of_n == n);
      }
    }
    std::abort();
  }

  bool is_there_yet(const TraceToken& key, const TraceToken& query) const {
    if (t_.lanes[query.lane].reads_all) return key.step <= query.step;
    switch (t_.coupling.visibility) {
      case Visibility::inclusive:
        return key.step <= query.step;
      case Visibility::strict:
        return key.step < query.step;
      case Visibility::interleaved:  // step-major, the lanes of a step in order
        return std::pair(key.step, key.lane) < std::pair(query.step, query.lane);
    }
    std::abort();
  }

  // All lanes count their tokens by one clock.
  Relation by_the_clock(size_t query, size_t key) const {
    Relation relation{.visible = true,
                      .token_offset = static_cast<double>(tokens_[query].step - tokens_[key].step)};
    add_lanes(relation, tokens_[query].lane, tokens_[key].lane);
    return relation;
  }

  void add_lanes(Relation& relation, int query_lane, int key_lane) const {
    const double m = t_.first_lane + query_lane;
    const double n = t_.first_lane + key_lane;
    if (t_.coupling.kind == CouplingKind::lanerope) relation.lane_offset += apart(m - n);
    if (t_.coupling.kind == CouplingKind::groupthink) relation.token_offset += t_.stride * m - t_.stride * n;
  }

  // Lanes that are m - n apart, as Coupling::far_lanes has it.
  double apart(double distance) const {
    const double longest = t_.coupling.trained_lanes - 1;
    const double in_group = static_cast<double>(t_.lanes.size()) - (t_.lanes.back().reads_all ? 2 : 1);
    double size = std::abs(distance);
    switch (t_.coupling.far_lanes) {
      case FarLanes::extrapolated:
        break;
      case FarLanes::clamped:
        if (size > longest) size = longest;
        break;
      case FarLanes::wrapped:
        while (size > longest) size -= longest;
        break;
      case FarLanes::interpolated:
        if (in_group > longest) size *= longest / in_group;
        break;
    }
    return distance < 0 ? -size : size;
  }

  const Trace& t_;
  std::vector<TraceToken> tokens_;
};

}  // namespace

std::vector<int32_t> steps_of(const TraceLane& lane) {
  if (!lane.steps.empty()) return lane.steps;
  std::vector<int32_t> steps(lane.tokens.size());
  std::iota(steps.begin(), steps.end(), lane.start_step);
  return steps;
}

std::vector<TraceToken> flatten(const Trace& trace) {
  std::vector<TraceToken> tokens;
  tokens.reserve(trace.prompt.size());
  for (size_t i = 0; i < trace.prompt.size(); ++i) {
    tokens.push_back({.id = trace.prompt[i], .lane = -1, .step = static_cast<int32_t>(i)});
  }
  for (size_t m = 0; m < trace.lanes.size(); ++m) {
    const TraceLane& lane = trace.lanes[m];
    const std::vector<int32_t> steps = steps_of(lane);
    for (size_t i = 0; i < lane.tokens.size(); ++i)
      tokens.push_back({.id = lane.tokens[i], .lane = static_cast<int32_t>(m), .step = steps[i]});
  }
  return tokens;
}

std::vector<std::vector<Relation>> relations(const Trace& trace) {
  const Layout layout(trace);
  const size_t n_tokens = flatten(trace).size();
  std::vector<std::vector<Relation>> result;
  for (size_t query = 0; query < n_tokens; ++query) result.push_back(layout.row(query));
  return result;
}

}  // namespace lanerope::reference
