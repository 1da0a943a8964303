// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lanerope/service.h"

namespace lanerope::service {

// The one thread that owns the engine. Other threads talk to it through bounded queues; every member may be
// called from any thread and waits at most for the step that is under way.
class EngineThread {
 public:
  EngineThread(std::shared_ptr<const Model> model, const ServiceOptions& options, ServiceObserver* observer);
  ~EngineThread();
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  // As those of Service.
  std::shared_ptr<GroupStream> submit(std::shared_ptr<const ResolvedRequest> request);
  std::shared_ptr<GroupStream> try_submit(std::shared_ptr<const ResolvedRequest> request);
  void cancel(GroupId group);
  void post(std::function<void(Engine&)> job);
  void require(GroupId group, Service::Wanted wanted);  // on the thread itself
  GroupId find(std::string_view public_id) const;
  [[noreturn]] void throw_refusal() const;  // why jobs are thrown away
  void drain();                             // no new groups from now on
  void shut_down();                         // ends the thread; what still runs is cut off and told so
  void abandon(const std::string& sentence);
  bool idle() const;  // no group runs or waits
  bool failed() const;
  EngineState state() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    std::shared_ptr<GroupStream> stream;
    Clock::time_point submitted;
    std::optional<Clock::time_point> read = {};  // none: it still waits, or its prompt is being read
    std::shared_ptr<const ResolvedRequest> request;
    bool attention = false;
    bool spoke = false;
  };

  enum class WhenFull { refuse, come_again };
  std::shared_ptr<GroupStream> admit(std::shared_ptr<const ResolvedRequest> request, WhenFull when_full);
  void run();
  bool run_jobs();
  void step();
  void deliver(const Event& event);
  void drop(const Event& event, std::exception_ptr error);
  void finish(Running& running, const Event& event);
  void forget(GroupId group);
  void expire_held();
  void fail(const std::exception_ptr& error);
  void refuse_all(const std::exception_ptr& error);
  void publish_state();
  int retry_after() const;

  ServiceObserver& observer_;
  const ServiceOptions options_;
  Engine engine_;  // this thread's only, as are these three:
  std::map<GroupId, Running> running_;
  std::map<GroupId, Clock::time_point> held_;  // until when
  // For Retry-After: when a group ended last, and a moving average of the time between two ends while others
  // waited.
  Clock::time_point last_end_ = Clock::now();
  double seconds_between_ends_ = 1;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void(Engine&)>> jobs_;
  std::vector<GroupId> cancelled_;
  std::map<std::string, GroupId, std::less<>> names_;
  std::vector<std::weak_ptr<GroupStream>> streams_;  // that somebody may wait for; for abandon()
  EngineState state_;
  bool at_jobs_ = false;  // and at the step behind them: `state_` does not know of them yet
  bool draining_ = false;
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace lanerope::service
