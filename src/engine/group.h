// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/attention_plan.h"
#include "engine/lane.h"
#include "engine/prefix_cache.h"
#include "engine/sampler.h"
#include "engine/selection.h"
#include "engine/verifier.h"
#include "lanerope/engine.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

enum class GroupState {
  queued,     // waits for cells
  prefill,    // its prompt is being read
  decode,     // its lanes decode
  verifying,  // its lanes have ended and the verifier is at work
  finished,
};

// One request on its way: its prompt, its lanes, its clock. It knows nothing of the batch; the engine asks it
// for rows and brings it logits.
class Group {
 public:
  Group(GroupId id, const Model& model, std::shared_ptr<const ResolvedRequest> request);
  ~Group() { verifier_stop_.request_stop(); }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  GroupId id() const { return id_; }
  GroupState state() const { return state_; }
  const ResolvedRequest& request() const { return request_; }
  bool held() const { return held_; }  // once it has finished
  int32_t clock() const { return clock_; }
  int32_t n_prompt() const { return static_cast<int32_t>(request_.prompt.size()); }

  // queued -> prefill, with cells for the prompt and for every lane, or unchanged where there is no room.
  bool start(PrefixCache& store);

  // The prompt, during prefill: whether it waits for another group to read the beginning that they share.
  bool waits_for_prefix();
  CachedPrompt& prompt() { return *prompt_; }

  // decode: the rows of the next step, lane by lane. Fills `view_lanes` for the plan.
  std::vector<core::GroupRow> decode_rows() const;
  bool wants_logits(const core::GroupRow& row) const;
  TokenId token_at(const core::GroupRow& row) const;
  int32_t cell_at(const core::GroupRow& row) const;
  bool was_fed(const core::GroupRow& row) const;  // the lane exists and the token of this step is in its cell
  // The group as the plan sees it once the given rows are in their cells. Valid until the group changes.
  core::GroupView view(std::span<const core::GroupRow> rows);

  // The prompt is read; logits [n_vocab] are those of its last token. prefill -> decode.
  void prefill_is_done(std::span<const float> logits, Sampler& sampler);
  // The rows of a step were fed. logits_of gives [n_vocab] for rows that wanted them.
  using LogitsOf = std::function<std::span<const float>(size_t row)>;
  void step_is_done(std::span<const core::GroupRow> rows, const LogitsOf& logits_of, Sampler& sampler);
  // verifying -> finished once the verifier has spoken; waits at most `patience`.
  void poll_verifier(std::chrono::milliseconds patience);

  int32_t spawn(const SpawnOptions& options, PrefixCache& store);
  void push_text(int32_t lane, std::string_view text);
  void retire(int32_t lane);
  void cancel();
  // Gives its cells back.
  void let_go(PrefixCache& store);

  std::vector<Event> take_events() { return std::exchange(events_, {}); }
  int32_t live_lanes() const;

 private:
  struct Origin {
    int32_t parent = -1;
    int32_t fork_step = 0;
    int32_t silent = 0;
    std::vector<TokenId> forced = {};
    std::string text = {};  // inherited
  };
  int32_t add_lane(std::shared_ptr<const OwnedCells> cells, Origin origin);
  Origin fork_of(int32_t parent, int32_t step) const;
  Lane& running_lane(int32_t index);
  void choose(int32_t index, std::span<const float> logits, Sampler& sampler);
  void append_token(int32_t index, const Draw& draw, bool forced);
  void append_text(Lane& lane, TokenId token, std::string& shown);
  void end_lane(int32_t index, FinishReason reason);
  void check_consensus();
  void finish_if_over();
  void conclude(const Selected& selected);
  void report(FinishReason reason_for_all);
  std::optional<std::string> answer_of(const Lane& lane) const;
  LaneResult lane_result(const Lane& lane) const;
  void emit(Event event);

  GroupId id_;
  const Model& model_;
  std::shared_ptr<const ResolvedRequest> resolved_;
  const ResolvedRequest& request_;  // the same
  bool held_;
  bool announced_ = false;  // an event has carried the request
  GroupState state_ = GroupState::queued;
  std::shared_ptr<CachedPrompt> prompt_;
  std::deque<std::shared_ptr<const OwnedCells>> free_cells_;  // one budget each, for lanes to come
  std::vector<Lane> lanes_;
  std::vector<int32_t> finish_order_;
  int32_t clock_ = 0;
  std::vector<float>
      prompt_logits_;  // [n_vocab] of the prompt's last token, for lanes that start afresh later
  std::vector<Event> events_;
  std::vector<core::SegmentView> view_prompt_;
  std::vector<core::LaneView> view_lanes_;
  GroupResult result_;
  std::stop_source verifier_stop_;
  std::future<Verdict> verdict_;  // waits for the verifier when it goes away, so that is stopped first
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point read_;
};

}  // namespace lanerope::engine
