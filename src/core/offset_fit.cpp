// SPDX-License-Identifier: Apache-2.0
#include "core/offset_fit.h"

#include <algorithm>
#include <numeric>
#include <ranges>

namespace lanerope::core {

namespace {

Offset plus(Offset x, Offset y) {
  return {.lanes = x.lanes + y.lanes, .tokens = x.tokens + y.tokens};
}
Offset minus(Offset x, Offset y) {
  return {.lanes = x.lanes - y.lanes, .tokens = x.tokens - y.tokens};
}

// Rows and segments as nodes of a forest, each with its offset from its root: what is known of a and b while
// meetings come in. Trees that no meeting joins may be shifted against one another.
class Potentials {
 public:
  explicit Potentials(const FitLimits& limits)
      : n_rows_(limits.n_rows),
        parents_(limits.n_rows + limits.n_segments),
        sizes_(parents_.size(), 1),
        offsets_(parents_.size()) {
    std::iota(parents_.begin(), parents_.end(), 0);
  }

  // Whether a - b can be the meeting's offset; if so it is from now on.
  bool take(const Meeting& meeting) {
    const Place row = place(meeting.row);
    const Place segment = place(n_rows_ + meeting.segment);
    if (row.root == segment.root) return minus(row.offset, segment.offset) == meeting.offset;
    const Offset from_row = minus(minus(row.offset, meeting.offset), segment.offset);
    const bool below_row = sizes_[row.root] >= sizes_[segment.root];
    const int32_t child = below_row ? segment.root : row.root;
    const int32_t parent = below_row ? row.root : segment.root;
    parents_[child] = parent;
    sizes_[parent] += sizes_[child];
    offsets_[child] = below_row ? from_row : minus({}, from_row);
    return true;
  }

  // Shifted so that the first row of each tree is not rotated at all.
  std::vector<Offset> values() const {
    std::vector<Offset> values(parents_.size());
    std::vector<int32_t> first(parents_.size(), -1);  // [roots]
    for (int32_t node = 0; node < std::ssize(parents_); ++node) {
      const Place at = place(node);
      if (first[at.root] < 0) first[at.root] = node;
      values[node] = minus(at.offset, place(first[at.root]).offset);
    }
    return values;
  }

 private:
  struct Place {
    int32_t root = 0;
    Offset offset = {};  // from the root
  };
  Place place(int32_t node) const {
    Place at{.root = node};
    while (parents_[at.root] != at.root) {
      at.offset = plus(at.offset, offsets_[at.root]);
      at.root = parents_[at.root];
    }
    return at;
  }

  int32_t n_rows_;
  std::vector<int32_t> parents_;
  std::vector<int32_t> sizes_;   // of the tree below
  std::vector<Offset> offsets_;  // from the parent
};

struct Draft {
  Potentials potentials;
  std::vector<Meeting> meetings = {};
};

bool take_all(Draft& draft, std::span<const Meeting> meetings) {
  Potentials tried = draft.potentials;
  for (const Meeting& meeting : meetings) {
    if (!tried.take(meeting)) return false;
  }
  draft.potentials = std::move(tried);
  draft.meetings.insert(draft.meetings.end(), meetings.begin(), meetings.end());
  return true;
}

Variant finished(const Draft& draft, const FitLimits& limits) {
  const std::vector<Offset> values = draft.potentials.values();
  return {.of_rows = {values.begin(), values.begin() + limits.n_rows},
          .of_segments = {values.begin() + limits.n_rows, values.end()},
          .meetings = draft.meetings};
}

}  // namespace

std::vector<Variant> fit_offsets(std::span<const Meeting> meetings, const FitLimits& limits) {
  std::vector<Draft> drafts;
  const auto full = [&] { return std::ssize(drafts) == limits.most_variants; };
  const auto add_draft = [&]() -> Draft& {
    return drafts.emplace_back(Draft{.potentials = Potentials(limits)});
  };
  const auto take_one = [&](const Meeting& meeting) {
    for (Draft& draft : drafts) {
      if (!draft.potentials.take(meeting)) continue;
      draft.meetings.push_back(meeting);
      return true;
    }
    if (full()) return false;
    Draft& fresh = add_draft();
    fresh.meetings.push_back(meeting);
    return fresh.potentials.take(meeting);
  };
  // Kinds of meetings that mostly fit together, or not at all.
  const auto take_kind = [&](std::span<const Meeting> kind, bool whole) {
    if (kind.empty()) return true;
    if (std::ranges::any_of(drafts, [&](Draft& draft) { return take_all(draft, kind); })) return true;
    if (whole) return !full() && take_all(add_draft(), kind);
    return std::ranges::all_of(kind, take_one);
  };

  std::vector<Meeting> turned;
  std::vector<Meeting> still;
  std::vector<Meeting> prompt;
  for (const Meeting& meeting : meetings) {
    (meeting.of_prompt ? prompt : meeting.offset.none() ? still : turned).push_back(meeting);
  }
  // Segment by segment: keys that all rows meet settle what the rows' offsets are.
  std::ranges::stable_sort(turned, {}, &Meeting::segment);
  if (!take_kind(turned, false) || !take_kind(still, false) || !take_kind(prompt, true)) return {};

  std::vector<Variant> variants;
  for (const Draft& draft : drafts) variants.push_back(finished(draft, limits));
  return variants;
}

}  // namespace lanerope::core
