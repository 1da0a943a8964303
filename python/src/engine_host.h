// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "convert.h"
#include "lanerope/engine.h"

namespace lanerope::python {

// What is known of a group so far.
struct GroupLog {
  std::shared_ptr<const ResolvedRequest> resolved = {};
  bool wants_events = false;
  std::deque<Event> events = {};                  // not read yet; empty without wants_events
  std::vector<std::vector<float>> logprobs = {};  // [lane][token]; not a number for forced ones
  std::shared_ptr<const std::vector<PromptToken>> prompt = {};
  std::shared_ptr<const GroupResult> result = {};  // once it has finished
  FinishReason finish = FinishReason::none;
  std::optional<AttentionRecord> attention = {};  // where the request has it recorded, once it has finished
};

// An engine that any thread of Python's may step for its own group: who waits steps, one at a time, and what
// happens to other groups is kept for their readers. No member needs the GIL, and all may block; call them
// without it.
class EngineHost {
 public:
  EngineHost(std::shared_ptr<const Model> model, const EngineOptions& options);
  ~EngineHost();
  EngineHost(const EngineHost&) = delete;
  EngineHost& operator=(const EngineHost&) = delete;

  GroupId submit(std::shared_ptr<const ResolvedRequest> request, bool wants_events);

  // Whether the group has an event to read, or has finished, after one step at most.
  bool step_for(GroupId group);
  // The next event, if there is one already.
  std::optional<Event> poll(GroupId group);
  bool finished(GroupId group) const;
  GroupLog log(GroupId group) const;  // a copy without its events

  // Runs `work(engine)` between two steps.
  template <typename Work>
  auto act(Work work) {
    const std::lock_guard lock(stepping_);
    return work(open());
  }

  // Nobody reads the group any more: it ends in the next step. Never blocks for a step.
  void forget(GroupId group);

  void close();  // every group ends
  bool closed() const { return closed_; }

 private:
  Engine& open();  // throws InvalidRequest once it is closed, RuntimeError in a forked process
  void take(const Event& event);
  void cancel_forgotten();

  HomeProcess home_;
  std::mutex stepping_;  // held while the engine works
  std::unique_ptr<Engine> engine_;
  std::atomic<bool> closed_ = false;
  mutable std::mutex logs_mutex_;  // for what follows, and never held for long
  std::map<GroupId, GroupLog> logs_;
  std::vector<GroupId> forgotten_;
};

}  // namespace lanerope::python
