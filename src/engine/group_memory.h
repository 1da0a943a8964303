// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "core/attention_plan.h"
#include "engine/prefix_cache.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// The KV cells of one group: its prompt, a run of cells for each lane, and how far they are filled. It knows
// nothing of what the tokens say.
class GroupMemory {
 public:
  explicit GroupMemory(const ResolvedRequest& request) : request_(request) {}

  // Takes cells for the prompt and for every lane to come. False, with nothing taken, where there is no room.
  bool reserve(PrefixCache& cache);
  bool reserved() const { return prompt_ != nullptr; }
  // During prefill: whether another group is still reading the beginning that they share.
  bool waits_for_prefix();
  CachedPrompt& prompt() { return *prompt_; }

  // A run of cells for one more lane, reserved or found now; false where there is none. A fork's own past is
  // its parent's cells with step < fork_step.
  struct LaneOrigin {
    int32_t start_step = 0;
    int32_t parent = -1;
    int32_t fork_step = 0;
  };
  bool add_lane(const LaneOrigin& origin, PrefixCache* cache);
  void drop_last_lane();

  // One more cell of the lane holds a token.
  void fed(int32_t lane) { ++lanes_[lane].view.segment.length; }
  int32_t n_fed(int32_t lane) const { return lanes_[lane].view.segment.length; }
  // The step of the cell that the lane fills next, unless it sleeps first.
  int32_t next_step(int32_t lane) const { return core::step_of(lanes_[lane].view, n_fed(lane)); }
  // The lane slept, and fills its next cell at `step`, which is not before next_step(); for how many steps.
  int32_t woke(int32_t lane, int32_t step);
  bool was_fed(const core::GroupRow& row) const;
  int32_t cell_at(const core::GroupRow& row) const;
  int32_t token_index(const core::GroupRow& row) const;  // number of the row's token in its lane
  const core::LaneView& lane(int32_t lane) const { return lanes_[lane].view; }

  // The group as the plan sees it once the given rows are in their cells. Valid until the memory changes.
  core::GroupView view(std::span<const core::GroupRow> rows);

  // Gives the cells back.
  void let_go(PrefixCache& cache);

 private:
  struct LaneCells {
    std::shared_ptr<const OwnedCells> cells;  // capacity: the budget
    std::vector<Sleep> sleeps = {};           // what `view` points to
    core::LaneView view;
  };
  const ResolvedRequest& request_;
  std::shared_ptr<CachedPrompt> prompt_;
  std::deque<std::shared_ptr<const OwnedCells>> free_;  // one budget each, for lanes to come
  std::vector<LaneCells> lanes_;
  std::vector<core::SegmentView> view_prompt_;
  std::vector<core::LaneView> view_lanes_;
};

}  // namespace lanerope::engine
