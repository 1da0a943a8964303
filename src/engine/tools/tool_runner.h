// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/lane.h"
#include "engine/tools/tool_threads.h"
#include "engine/tools/tool_watch.h"
#include "lanerope/resolve.h"
#include "lanerope/result.h"

namespace lanerope::engine {

// A running group as its tools need it.
class CalledFrom {
 public:
  virtual ~CalledFrom() = default;
  virtual std::deque<Lane>& lanes_with_tools() = 0;
  virtual int32_t clock() const = 0;
  virtual void emit(Event event) = 0;
  virtual void hold(int32_t lane) = 0;  // it sleeps until it is released
  virtual void release(int32_t lane) = 0;
  virtual void end_lane(int32_t index, FinishReason reason) = 0;
};

// The tools of one group: finds calls in what lanes write, runs them beside the steps and gives lanes the
// results.
class ToolRunner {
 public:
  ToolRunner(const ResolvedRequest& request, CalledFrom& group, ToolThreads& threads);

  bool on() const { return request_.tools.on(); }
  void joined(const std::string& inherited);  // a lane more, and what was written before it, by its parent
  void left();                                // the last one, after all
  // A lane has chosen a token, and has come to its end with it if `ends`. Whether it goes on all the same:
  // a result is still to come.
  struct Chosen {
    int32_t lane = 0;
    TokenId token = 0;
    bool text = true;     // of the lane
    bool forced = false;  // may begin a call, and makes none
    bool ends = false;
  };
  bool chose(const Chosen& chosen);
  // All lanes have chosen: runs what was called.
  void after_step();
  // Gives lanes the results that are there. Whether there were any.
  bool take_results();
  bool waiting() const;      // for a result, whatever its lane does
  void ended(int32_t lane);  // it wants no results any more
  const std::vector<ToolRun>& runs() const { return runs_; }

 private:
  struct Pending {
    size_t run = 0;
    bool started = false;
    std::shared_ptr<ToolThreads::Call> call = {};
    std::chrono::steady_clock::time_point begin = {};
  };
  struct OfLane {
    std::unique_ptr<ToolWatch> watch;
    std::vector<Pending> pending = {};
    int32_t n_calls = 0;
    bool held = false;
    std::optional<TokenId> end = {};  // its own end, which stands before a result already
  };

  void called(int32_t lane, const ToolWatch::Found& found);
  void add(int32_t lane, ToolRun run);
  void start(Pending& pending);
  void returned(Pending& pending, ToolAnswer answer);
  bool give_results(int32_t lane);
  std::vector<TokenId> form_of(const OfLane& of, std::span<const size_t> runs) const;
  void settle(int32_t lane);
  const Tool* tool_of(const ToolRun& run) const;
  void tell(const ToolRun& run);

  const ResolvedRequest& request_;
  CalledFrom& group_;
  ToolThreads& threads_;
  Tool calculator_;
  std::deque<OfLane> lanes_;
  std::vector<ToolRun> runs_;
};

}  // namespace lanerope::engine
