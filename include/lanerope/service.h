// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "lanerope/engine.h"
#include "lanerope/resolve.h"
#include "lanerope/service_observer.h"

namespace lanerope {

namespace service {
class EngineThread;  // src/service/engine_thread.h
}

// The prefix and 32 hexadecimal digits from the operating system's random source: a name that cannot be
// guessed.
std::string new_public_id(std::string_view prefix);

// The way of one group's events from the service's thread to whoever reads them. Any thread may call any
// member.
class GroupStream {
 public:
  // `most_unread`: events that may wait for the reader.
  GroupStream(std::string public_id, size_t most_unread)
      : public_id_(std::move(public_id)), most_unread_(most_unread) {}

  // The group's name for others: 128 bits that cannot be guessed, since to know it is to command the group.
  const std::string& public_id() const { return public_id_; }
  GroupId group() const;  // in the service's engine

  // The next event, or nothing after `patience`. Throws what ended the group, where it failed or the service
  // did, and DoesNotFit where more events waited than may.
  std::optional<Event> next(std::chrono::milliseconds patience);
  // Where the lanes looked; set before group_finished where it was asked for, null otherwise.
  std::shared_ptr<const AttentionRecord> attention() const;

 private:
  friend class service::EngineThread;
  // False once more events wait than a reader may leave: it has stopped reading.
  bool push(Event event);
  void fail(std::exception_ptr error);
  void set_attention(AttentionRecord record);
  void set_group(GroupId group);

  const std::string public_id_;
  const size_t most_unread_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
  std::exception_ptr error_;
  std::shared_ptr<const AttentionRecord> attention_;
  GroupId group_ = 0;
};

// What a service runs with.
struct ServiceOptions {
  EngineOptions engine = {};
  int32_t most_waiting = 64;            // groups that wait for cells; more are refused with Busy
  std::chrono::seconds hold_time{600};  // how long a finished group stays readable after the last probe
  // Events of a group that wait for its reader. One that falls back further has stopped reading, and its
  // group ends; the cells of most engines bound them before.
  size_t most_unread = size_t{1} << 17;
};

// An engine with a thread of its own. Other threads talk to it through bounded queues; every member may be
// called from any thread and waits at most for the step that is under way.
class Service {
 public:
  // `observer`, if any, must outlive the service. Throws as Engine's constructor.
  Service(std::shared_ptr<const Model> model, const ServiceOptions& options,
          ServiceObserver* observer = nullptr);
  // Ends the thread; what still runs is cut off and told so.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Queues a group that resolve() made. Throws InvalidRequest or DoesNotFit, Busy where too many wait,
  // Draining while it drains.
  std::shared_ptr<GroupStream> submit(std::shared_ptr<const ResolvedRequest> request);
  // The same for who asks again later: null where too many wait, which is then no refusal of anybody.
  std::shared_ptr<GroupStream> try_submit(std::shared_ptr<const ResolvedRequest> request);

  // Its lanes and cells are free in the next step.
  void cancel(GroupId group);

  // Runs `work(engine)` between two steps and returns what it returns, or throws what it throws. Throws Busy
  // where too much is asked at once, Draining where the thread ends before.
  template <typename Work>
  auto call(Work work) {
    using Result = std::invoke_result_t<Work, Engine&>;
    auto task = std::make_shared<std::packaged_task<Result(Engine&)>>(std::move(work));
    std::future<Result> result = task->get_future();
    post([task](Engine& engine) { (*task)(engine); });
    task.reset();  // so that a job which is thrown away is known to be
    try {
      return result.get();
    } catch (const std::future_error&) {
      throw_refusal();
    }
  }

  // Runs `work(engine, group)` on the group of that name, as call() does. Throws NoSuchGroup if it has
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

  // The group of that name. Throws NoSuchGroup.
  GroupId find(std::string_view public_id) const;

  void drain();      // no new groups from now on
  void shut_down();  // ends the thread now
  // Where a step is stuck for good, as it is when a worker is lost: tells all who wait, from another thread,
  // and all who come. Only the end of the process ends the thread then.
  void abandon(const std::string& sentence);
  bool idle() const;          // no group runs or waits
  bool failed() const;        // the thread has ended, by an error or by shut_down
  EngineState state() const;  // after the last step

 private:
  void post(std::function<void(Engine&)> job);
  void require(GroupId group, Wanted wanted);
  [[noreturn]] void throw_refusal() const;  // why jobs are thrown away
  std::unique_ptr<service::EngineThread> thread_;
};

}  // namespace lanerope
