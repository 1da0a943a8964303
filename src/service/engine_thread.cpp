// SPDX-License-Identifier: Apache-2.0
#include "service/engine_thread.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <string>
#include <utility>

#include "lanerope/errors.h"

namespace lanerope::service {

namespace {

constexpr size_t most_jobs = 256;
constexpr std::chrono::milliseconds idle_tick{500};

NoSuchGroup no_group() {
  return NoSuchGroup("there is no such group, or it has ended");
}

ServiceObserver nobody;

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

EngineThread::EngineThread(std::shared_ptr<const Model> model, const ServiceOptions& options,
                           ServiceObserver* observer)
    : observer_(observer != nullptr ? *observer : nobody),
      options_(options),
      engine_(std::move(model), options.engine) {
  publish_state();
  thread_ = std::thread([this] { run(); });
}

EngineThread::~EngineThread() {
  shut_down();
}

void EngineThread::shut_down() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<GroupStream> EngineThread::submit(std::shared_ptr<const ResolvedRequest> request) {
  return admit(std::move(request), WhenFull::refuse);
}

std::shared_ptr<GroupStream> EngineThread::try_submit(std::shared_ptr<const ResolvedRequest> request) {
  try {
    return admit(std::move(request), WhenFull::come_again);
  } catch (const Busy&) {
    return nullptr;
  }
}

std::shared_ptr<GroupStream> EngineThread::admit(std::shared_ptr<const ResolvedRequest> request,
                                                 WhenFull when_full) {
  auto stream = std::make_shared<GroupStream>(new_public_id("grp_"), options_.most_unread);
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(streams_, [](const std::weak_ptr<GroupStream>& one) { return one.expired(); });
    streams_.push_back(stream);
  }
  const auto let_in = [&, submitted = Clock::now()](Engine& engine) {
    {
      const std::lock_guard lock(mutex_);
      if (draining_) throw Draining("the server is shutting down and takes no new requests");
    }
    if (engine.state().queued_groups >= options_.most_waiting) {
      if (when_full == WhenFull::refuse) observer_.refused();
      throw Busy("too many requests wait already; try again later", retry_after());
    }
    const GroupId group = engine.submit(request);
    stream->set_group(group);
    running_[group] = {.stream = stream,
                       .submitted = submitted,
                       .request = request,
                       .attention = request->asked.attention != AttentionRecording::none};
    const std::lock_guard lock(mutex_);
    names_.emplace(stream->public_id(), group);
  };
  auto task = std::make_shared<std::packaged_task<void(Engine&)>>(let_in);
  std::future<void> admitted = task->get_future();
  post([task](Engine& engine) { (*task)(engine); });
  task.reset();  // so that a job which is thrown away is known to be
  try {
    admitted.get();
  } catch (const std::future_error&) {
    throw_refusal();
  }
  return stream;
}

void EngineThread::throw_refusal() const {
  const std::lock_guard lock(mutex_);
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  throw Draining("the server is shutting down");
}

void EngineThread::cancel(GroupId group) {
  const std::lock_guard lock(mutex_);
  cancelled_.push_back(group);
  wake_.notify_one();
}

GroupId EngineThread::find(std::string_view public_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(public_id);
  if (found == names_.end()) throw no_group();
  return found->second;
}

void EngineThread::require(GroupId group, Service::Wanted wanted) {
  const auto held = held_.find(group);
  const bool readable = held != held_.end() && engine_.holds(group);
  if (!running_.contains(group) && !(readable && wanted == Service::Wanted::readable)) throw no_group();
  if (readable) held->second = Clock::now() + options_.hold_time;
}

void EngineThread::drain() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

bool EngineThread::idle() const {
  const std::lock_guard lock(mutex_);
  return state_.groups == 0 && state_.queued_groups == 0 && jobs_.empty() && !at_jobs_;
}

bool EngineThread::failed() const {
  const std::lock_guard lock(mutex_);
  return failure_ != nullptr;
}

EngineState EngineThread::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void EngineThread::post(std::function<void(Engine&)> job) {
  const std::lock_guard lock(mutex_);
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  if (stopping_) throw Draining("the server is shutting down");
  if (jobs_.size() >= most_jobs) {
    throw Busy("the server is busy; try again in a moment", 1);
  }
  jobs_.push_back(std::move(job));
  wake_.notify_one();
}

void EngineThread::run() {
  bool working = false;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto called = [this] { return stopping_ || !jobs_.empty() || !cancelled_.empty(); };
      if (!working) wake_.wait_for(lock, idle_tick, called);
      if (stopping_) break;
    }
    try {
      expire_held();
      working = run_jobs() || working;
      if (!working) continue;
      working = engine_.state().groups + engine_.state().queued_groups > 0;
      if (working) step();
    } catch (...) {
      fail(std::current_exception());
      return;
    }
    publish_state();
  }
  fail(std::make_exception_ptr(Draining("the server is shutting down")));
}

bool EngineThread::run_jobs() {
  std::deque<std::function<void(Engine&)>> jobs;
  std::vector<GroupId> cancelled;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
    cancelled.swap(cancelled_);
    at_jobs_ = !jobs.empty();
  }
  for (const GroupId group : cancelled) {
    if (running_.contains(group)) engine_.cancel(group);
    if (held_.erase(group) > 0) {
      engine_.release(group);
      forget(group);
    }
  }
  for (const auto& job : jobs) job(engine_);
  return !jobs.empty() || !cancelled.empty();
}

void EngineThread::step() {
  const int32_t lanes = engine_.state().lanes;
  const Clock::time_point start = Clock::now();
  engine_.step([this](const Event& event) {
    try {
      deliver(event);
    } catch (...) {
      drop(event, std::current_exception());
    }
  });
  observer_.step_done({.seconds = seconds(Clock::now() - start), .lanes = lanes});
}

void EngineThread::deliver(const Event& event) {
  const auto found = running_.find(event.group);
  if (found == running_.end()) return;
  Running& running = found->second;
  if (event.kind == EventKind::prefill) running.read = Clock::now();
  if (event.kind == EventKind::token && !event.forced && !running.spoke) {
    running.spoke = true;
    observer_.first_token(seconds(Clock::now() - running.submitted));
  }
  if (event.kind != EventKind::group_finished) {
    if (running.stream->push(event)) return;
    running.stream->fail(std::make_exception_ptr(DoesNotFit(
        "the answer is read too slowly: " + std::to_string(options_.most_unread) +
        " of its events wait, which is the most, and it ends here; read faster, or ask for fewer lanes")));
    cancel(event.group);
    return;
  }
  finish(running, event);
  running_.erase(found);
}

// A group whose events cannot be handed over; the engine's other groups go on.
void EngineThread::drop(const Event& event, std::exception_ptr error) {
  const auto found = running_.find(event.group);
  if (found == running_.end()) return;
  found->second.stream->fail(std::move(error));
  if (event.kind != EventKind::group_finished) return cancel(event.group);
  running_.erase(found);
  held_[event.group] = Clock::now();  // expire_held() forgets its name
}

void EngineThread::finish(Running& running, const Event& event) {
  const GroupResult& result = *event.result;
  const Clock::time_point now = Clock::now();
  const auto span = [](double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::max(seconds, 0.0)));
  };
  // One that left before its prompt was read was in the queue, or at its prompt, until now.
  const Clock::time_point read = running.read.value_or(now);
  observer_.group_finished({.result = result,
                            .request = *running.request,
                            .public_id = running.stream->public_id(),
                            .submitted = running.submitted,
                            .begun = std::max(running.submitted, read - span(result.prefill_seconds)),
                            .read = read,
                            .written = std::min(now, read + span(result.decode_seconds)),
                            .ended = now});
  const double since_last = seconds(now - std::exchange(last_end_, now));
  if (engine_.state().queued_groups > 0) seconds_between_ends_ += 0.2 * (since_last - seconds_between_ends_);
  if (running.attention) running.stream->set_attention(engine_.take_attention(event.group));
  held_[event.group] = Clock::now() + options_.hold_time;  // expire_held() drops it at once if it is not held
  // Its client alone hears of a group's failure, as the status of its request.
  if (result.error != nullptr) {
    running.stream->fail(result.error);
  } else {
    running.stream->push(event);
  }
}

void EngineThread::forget(GroupId group) {
  const std::lock_guard lock(mutex_);
  std::erase_if(names_, [group](const auto& entry) { return entry.second == group; });
}

void EngineThread::expire_held() {
  const Clock::time_point now = Clock::now();
  for (auto entry = held_.begin(); entry != held_.end();) {
    if (now < entry->second && engine_.holds(entry->first)) {
      ++entry;
      continue;
    }
    engine_.release(entry->first);
    forget(entry->first);
    entry = held_.erase(entry);
  }
}

void EngineThread::fail(const std::exception_ptr& error) {
  refuse_all(error);
  for (auto& [id, running] : running_) running.stream->fail(error);
}

void EngineThread::abandon(const std::string& sentence) {
  const std::exception_ptr error = std::make_exception_ptr(Draining(sentence));
  refuse_all(error);
  std::vector<std::weak_ptr<GroupStream>> streams;
  {
    const std::lock_guard lock(mutex_);
    streams = streams_;
  }
  for (const std::weak_ptr<GroupStream>& one : streams) {
    if (const std::shared_ptr<GroupStream> stream = one.lock()) stream->fail(error);
  }
}

void EngineThread::refuse_all(const std::exception_ptr& error) {
  std::deque<std::function<void(Engine&)>> jobs;
  const std::lock_guard lock(mutex_);
  failure_ = error;
  jobs.swap(jobs_);  // their callers see a broken promise, once the lock is given back
  names_.clear();
  state_.groups = 0;
  state_.queued_groups = 0;
  at_jobs_ = false;
}

void EngineThread::publish_state() {
  const EngineState state = engine_.state();
  observer_.state(state);
  const std::lock_guard lock(mutex_);
  state_ = state;
  at_jobs_ = false;
}

int EngineThread::retry_after() const {
  return static_cast<int>(std::clamp(std::ceil(seconds_between_ends_), 1.0, 60.0));
}

}  // namespace lanerope::service
