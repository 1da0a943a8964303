// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "lanerope/engine.h"
#include "server/group_stream.h"
#include "server/metrics.h"

namespace lanerope::server {

struct EngineLoopOptions {
  EngineOptions engine = {};
  int32_t most_waiting = 64;            // groups that wait for cells; more are refused with 429
  std::chrono::seconds hold_time{600};  // how long a finished group stays readable after the last probe
};

// The one thread that owns the engine. Other threads talk to it through bounded queues; every member may be
// called from any thread and waits at most for the step that is under way.
class EngineLoop {
 public:
  EngineLoop(std::shared_ptr<const Model> model, const EngineLoopOptions& options, Metrics& metrics);
  ~EngineLoop();
  EngineLoop(const EngineLoop&) = delete;
  EngineLoop& operator=(const EngineLoop&) = delete;

  // Queues a group. Throws InvalidRequest or DoesNotFit, and ApiError: 429 where too many wait, 503 while
  // draining.
  std::shared_ptr<GroupStream> submit(std::shared_ptr<const ResolvedRequest> request);

  // Its lanes and cells are free in the next step.
  void cancel(GroupId group);

  // Runs `work(engine)` between two steps and returns what it returns, or throws what it throws.
  template <typename Work>
  auto call(Work work) {
    using Result = std::invoke_result_t<Work, Engine&>;
    auto task = std::make_shared<std::packaged_task<Result(Engine&)>>(std::move(work));
    std::future<Result> result = task->get_future();
    post([task](Engine& engine) { (*task)(engine); });
    task.reset();  // so that a job which is thrown away is known to be
    return result.get();
  }

  // Runs `work(engine, group)` on the group of that name, as call() does. Throws ApiError (404) if it has
  // ended; a held group has not where `readable` is asked for, and is held for another while.
  enum class Wanted { running, readable };
  template <typename Work>
  auto call_group(std::string_view public_id, Wanted wanted, Work work) {
    const GroupId group = find(public_id);
    return call([this, group, wanted, &work](Engine& engine) {
      require(group, wanted);
      return work(engine, group);
    });
  }

  // The group of that name. Throws ApiError (404).
  GroupId find(std::string_view public_id) const;

  void drain();       // no new groups from now on
  void shut_down();   // ends the thread; what still runs is cut off and told so
  bool idle() const;  // no group runs or waits
  bool failed() const;
  EngineState state() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    std::shared_ptr<GroupStream> stream;
    Clock::time_point submitted;
    Clock::time_point read;
    int32_t budget = 0;
    bool attention = false;
    bool spoke = false;
  };

  void post(std::function<void(Engine&)> job);
  void run();
  bool run_jobs();
  void require(GroupId group, Wanted wanted);
  void step();
  void deliver(const Event& event);
  void finish(Running& running, const Event& event);
  void forget(GroupId group);
  void expire_held();
  void fail(const std::exception_ptr& error);
  void publish_state();
  int retry_after() const;

  Metrics& metrics_;
  const EngineLoopOptions options_;
  Engine engine_;  // the loop's thread only, as are these three:
  std::map<GroupId, Running> running_;
  std::map<GroupId, Clock::time_point> held_;  // until when
  double group_seconds_ = 1;                   // a moving average, for Retry-After

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void(Engine&)>> jobs_;
  std::vector<GroupId> cancelled_;
  std::map<std::string, GroupId, std::less<>> names_;
  EngineState state_;
  bool draining_ = false;
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace lanerope::server
