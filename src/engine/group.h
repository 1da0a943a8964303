// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/sleepers.h"
#include "engine/group_memory.h"
#include "engine/group_state.h"
#include "engine/lane.h"
#include "engine/policy_runner.h"
#include "engine/sampler.h"
#include "engine/selector.h"
#include "engine/tools/tool_runner.h"
#include "lanerope/engine.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// One request on its way: a state machine over its lanes and its clock. It knows nothing of the batch; the
// engine asks it for rows and brings it logits. Where one of its members throws, the engine calls fail(), and
// no other group notices.
class Group final : private ActedOn, private CalledFrom {
 public:
  // `threads` outlive it.
  Group(GroupId id, const Model& model, std::shared_ptr<const ResolvedRequest> request, ToolThreads& threads);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  GroupId id() const { return id_; }
  GroupState state() const { return state_; }
  const ResolvedRequest& request() const { return request_; }
  bool held() const { return held_; }  // once it has finished
  GroupMemory& memory() { return memory_; }
  int32_t n_prompt() const { return static_cast<int32_t>(request_.prompt.size()); }
  int32_t live_lanes() const;
  int32_t lanes_to_grow() const;  // those that write and do not have pages for all of their budget yet

  // queued -> prefill, with pages for the prompt and for every lane, or unchanged where there is no room.
  bool start(PrefixCache& cache, const GroupMemory::Start& how);
  bool has_pages() const { return memory_.started(); }
  bool was_put_back() const { return put_back_; }
  // decode: where every lane that writes is forced its next tokens, they are chosen ahead, for one pass to
  // feed several steps. `rows`: that may be fed beside the usual one a lane; how many there will be.
  int32_t choose_ahead(int32_t rows);
  // decode: sees that the cells which its next rows fill have pages; false where some have none.
  bool make_room(PrefixCache& cache);
  // prefill, refill, decode -> queued: gives its pages away. Nobody else will notice: its lanes go on from
  // the tokens that they have, to the same text.
  void put_back(PrefixCache& cache);

  // refill: the first rows that are still to be read, and that so many of them are.
  std::vector<core::GroupRow> refill_rows(int32_t most) const { return memory_.rows_to_refill(most); }
  void refill_is_done(std::span<const core::GroupRow> rows);

  // decode: the rows of the next step, or of as many as every lane that writes has tokens for, by lane.
  std::vector<core::GroupRow> decode_rows() const;
  bool wants_logits(const core::GroupRow& row) const;
  TokenId token_at(const core::GroupRow& row) const;

  // decode: the lanes whose next token must keep to a format, for which masks can be made already.
  void append_lanes_to_mask(std::vector<Lane*>& lanes);

  // Whether logits are wanted behind every token of the prompt.
  bool scores_prompt() const { return request_.asked.prompt_logprobs.has_value() && lanes_.empty(); }
  // The prompt's token number `index` is read; logits [n_tokens] are those behind it.
  void score_prompt(int32_t index, const kernels::LogitRow& logits, Sampler& sampler);
  // The prompt is read; logits [n_tokens] are those of its last token. prefill -> decode, or refill.
  void prefill_is_done(const kernels::LogitRow& logits, Sampler& sampler);
  // The rows of a step were fed. logits_of gives [n_tokens] for rows that wanted them.
  using LogitsOf = std::function<kernels::LogitRow(size_t row)>;
  void step_is_done(std::span<const core::GroupRow> rows, const LogitsOf& logits_of, Sampler& sampler);
  void take_tool_results();  // gives its lanes those that are there
  bool waits_for_tools() const { return writes() && tools_.waiting(); }
  // selecting -> finished once the answer is chosen; waits at most `patience`.
  void poll_selection(std::chrono::milliseconds patience);
  // Ends the group with the error as its result's.
  void fail(std::exception_ptr error);

  // What a caller or a policy may do while its lanes write (group_actions.cpp).
  int32_t spawn(const SpawnOptions& options, int32_t pool_cells) override;
  void push(int32_t lane, std::string_view text) override;
  void retire(int32_t lane) override;
  void cancel();

  std::vector<Event> take_events() { return std::exchange(events_, {}); }

 private:
  struct Origin {
    GroupMemory::LaneOrigin cells = {};
    LaneOrigin lane = {};
  };
  void add_lane(LaneOrigin origin);
  Origin fork_of(int32_t parent, int32_t step) const;
  // Whether its lanes write, or will go on to once there are pages again.
  bool writes() const { return !lanes_.empty() && state_ < GroupState::selecting; }
  Lane& running_lane(int32_t index);
  void choose(int32_t index, const kernels::LogitRow& logits, Sampler& sampler);
  void end_lane(int32_t index, FinishReason reason) override;
  void after_step();
  void settle_sleepers();
  bool start_second_stage();  // the lanes have ended; whether one more began
  void finish_if_over();
  void collect_lanes();                    // and what they took, into the result
  void note(const std::string& sentence);  // in the result
  void cut_off(FinishReason reason);       // the group and what still writes, whatever it was doing
  void report(FinishReason reason_for_all);

  const std::deque<Lane>& lanes() const override { return lanes_; }
  int32_t clock() const override { return clock_; }
  std::vector<Event>& events() override { return events_; }
  void emit(Event event) override;
  void end_all(FinishReason reason) override;
  std::deque<Lane>& lanes_with_tools() override { return lanes_; }
  void hold(int32_t lane) override { sleepers_.hold(lane); }
  void release(int32_t lane) override { sleepers_.release(lane); }

  GroupId id_;
  const Model& model_;
  std::shared_ptr<const ResolvedRequest> resolved_;
  const ResolvedRequest& request_;  // the same
  bool held_;
  bool put_back_ = false;   // once, at least
  bool announced_ = false;  // an event has carried the request
  LaneRules rules_;
  GroupState state_ = GroupState::queued;
  GroupMemory memory_;
  std::deque<Lane> lanes_;
  std::vector<int32_t> finish_order_;
  PolicyRunner policies_;
  ToolRunner tools_;
  Selector selector_;
  core::Sleepers sleepers_;
  int32_t clock_ = 0;
  std::vector<float> prompt_logits_;  // [n_tokens] of the prompt's last token, for lanes that start later
  std::vector<PromptToken> prompt_scores_;  // of the tokens that have been read, and one more
  std::vector<Event> events_;
  GroupResult result_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point read_;
};

}  // namespace lanerope::engine
