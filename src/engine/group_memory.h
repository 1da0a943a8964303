// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "core/attention_plan.h"
#include "engine/prefix_cache.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// The KV cells of one group: its prompt's pages, those of its lanes, which come as the lanes grow, and how
// far they are filled. It knows nothing of what the tokens say.
//
// A group that is put back gives all of its pages away and remembers how far each lane was fed. With new
// pages the prompt is read and the lanes are filled again, whose tokens are known; then it is as if nothing
// had been.
class GroupMemory {
 public:
  explicit GroupMemory(const ResolvedRequest& request) : request_(request) {}

  struct Start {
    bool whole_budgets = false;  // pages for all that lanes may ever write, instead of what they write next
    int32_t spare = 0;           // pages that must stay free for others
  };
  // Takes pages for the prompt and for every lane, there or to come. False, with nothing taken, where there
  // is no room.
  bool start(PrefixCache& cache, const Start& how);
  bool started() const { return prompt_ != nullptr; }
  // During prefill: whether another group is still reading the beginning that they share.
  bool waits_for_prefix();
  CachedPrompt& prompt() { return *prompt_; }

  // One more lane. A fork's own past is its parent's cells with step < fork_step.
  struct LaneOrigin {
    int32_t start_step = 0;
    int32_t parent = -1;
    int32_t fork_step = 0;
    bool second_stage = false;
  };
  void add_lane(const LaneOrigin& origin);
  void drop_last_lane();

  // Sees that the lane's first `n_cells` cells have pages; false where there are too few.
  bool make_room(int32_t lane, int32_t n_cells, PrefixCache& cache);
  bool has_whole_budget(int32_t lane) const {
    return std::ssize(lanes_[lane].pages) >= pages_of(budget_of(lanes_[lane].view.reads_all));
  }
  // One more cell of the lane holds a token.
  void fed(int32_t lane) { ++lanes_[lane].n_fed, ++lanes_[lane].view.segment.length; }
  int32_t n_fed(int32_t lane) const { return lanes_[lane].n_fed; }
  // The step of the lane's token number `index`, as long as the lane does not sleep once more.
  int32_t step_of(int32_t lane, int32_t index) const { return core::step_of(lanes_[lane].view, index); }
  // Of the cell that the lane fills next.
  int32_t next_step(int32_t lane) const { return step_of(lane, n_fed(lane)); }
  // The lane slept, and fills its next cell at `step`, which is not before next_step(); for how many steps.
  int32_t woke(int32_t lane, int32_t step);
  // The lane sees others from its token number `index` on, unless it does already.
  void sees_from(int32_t lane, int32_t index) {
    int32_t& from = lanes_[lane].view.sees_from;
    from = std::min(from, index);
  }
  bool was_fed(const core::GroupRow& row) const;
  int32_t cell_at(const core::GroupRow& row) const;
  int32_t token_index(const core::GroupRow& row) const;  // number of the row's token in its lane
  // The lane with all tokens that were fed, whether their cells are filled or not.
  core::LaneView lane(int32_t lane) const;

  // The group as the plan sees it once the given rows are in their cells. Valid until the memory changes.
  core::GroupView view(std::span<const core::GroupRow> rows);

  // Gives all pages back, and keeps in mind what was in the lanes'.
  void put_back(PrefixCache& cache);
  // The rows of the first steps whose tokens were fed and whose cells are to be filled again: at most `most`,
  // but one step at least; filled() says that they are.
  std::vector<core::GroupRow> rows_to_refill(int32_t most) const;
  void filled(int32_t lane) { ++lanes_[lane].view.segment.length; }
  bool is_filled() const;

  // Gives all pages back for good.
  void let_go(PrefixCache& cache);

 private:
  struct LaneCells {
    std::vector<PageRef> pages = {};
    std::vector<core::CellRun> runs = {};  // the pages, which `view` points to
    std::vector<Sleep> sleeps = {};        // what `view` points to
    int32_t n_fed = 0;
    core::LaneView view;  // its length: cells that are filled, n_fed but where the group was put back
  };
  // LaneView::sees_from of a lane that has written nothing: a fork's past may hold its parent's hand-over.
  int32_t first_to_see(const LaneOrigin& origin) const;
  static void add_page(LaneCells& lane, PageRef page);
  int32_t budget_of(bool second_stage) const {
    return second_stage ? request_.then->n_cells() : request_.budget;
  }
  // How many pages a lane needs of which so many tokens were fed.
  int32_t pages_at_start(int32_t n_fed, bool second_stage, bool whole_budget) const;

  const ResolvedRequest& request_;
  std::shared_ptr<CachedPrompt> prompt_;
  std::deque<std::vector<PageRef>> ahead_;  // of lanes to come
  std::vector<PageRef> ahead_then_;         // of a second stage to come
  std::deque<LaneCells> lanes_;
  std::vector<core::CellRun> view_prompt_;
  std::vector<core::LaneView> view_lanes_;
};

}  // namespace lanerope::engine
