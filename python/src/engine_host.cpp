// SPDX-License-Identifier: Apache-2.0
#include "engine_host.h"

#include <limits>
#include <utility>

#include "lanerope/resolve.h"

namespace lanerope::python {

EngineHost::EngineHost(std::shared_ptr<const Model> model, const EngineOptions& options)
    : engine_(std::make_unique<Engine>(std::move(model), options)) {}

EngineHost::~EngineHost() {
  // Its threads are the parent's: waiting for them in a forked process would never end.
  if (!home_.here()) (void)engine_.release();
}

Engine& EngineHost::open() {
  if (engine_ == nullptr) throw InvalidRequest("the engine is closed");
  home_.require();
  return *engine_;
}

GroupId EngineHost::submit(std::shared_ptr<const ResolvedRequest> request, bool wants_events) {
  const std::lock_guard lock(stepping_);
  const GroupId group = open().submit(request);
  const std::lock_guard logs(logs_mutex_);
  logs_[group] = {.resolved = std::move(request), .wants_events = wants_events};
  return group;
}

bool EngineHost::step_for(GroupId group) {
  const auto has_news = [&] {
    const std::lock_guard logs(logs_mutex_);
    const GroupLog& log = logs_.at(group);
    return !log.events.empty() || log.result != nullptr;
  };
  if (has_news()) return true;
  const std::lock_guard lock(stepping_);
  if (has_news()) return true;  // by who stepped before
  Engine& engine = open();
  cancel_forgotten();
  engine.step([this](const Event& event) { take(event); });
  return has_news();
}

void EngineHost::take(const Event& event) {
  const std::lock_guard logs(logs_mutex_);
  const auto found = logs_.find(event.group);
  if (found == logs_.end()) return;
  GroupLog& log = found->second;
  switch (event.kind) {
    case EventKind::prefill:
      log.prompt = event.prompt;
      break;
    case EventKind::lane_started:
      log.logprobs.emplace_back();
      break;
    case EventKind::token:
      log.logprobs[event.lane].push_back(event.logprob.value_or(std::numeric_limits<float>::quiet_NaN()));
      break;
    case EventKind::lane_slept:
    case EventKind::lane_woke:
    case EventKind::policy:
    case EventKind::tool_called:
    case EventKind::tool_returned:
    case EventKind::lane_finished:
      break;
    case EventKind::group_finished:
      log.finish = event.finish;
      if (log.resolved->asked.attention != AttentionRecording::none)
        log.attention = engine_->take_attention(event.group);
      log.result = event.result;
      break;
  }
  if (log.wants_events) log.events.push_back(event);
}

std::optional<Event> EngineHost::poll(GroupId group) {
  const std::lock_guard logs(logs_mutex_);
  std::deque<Event>& events = logs_.at(group).events;
  if (events.empty()) return std::nullopt;
  Event event = std::move(events.front());
  events.pop_front();
  return event;
}

bool EngineHost::finished(GroupId group) const {
  const std::lock_guard logs(logs_mutex_);
  return logs_.at(group).result != nullptr;
}

GroupLog EngineHost::log(GroupId group) const {
  const std::lock_guard logs(logs_mutex_);
  const GroupLog& log = logs_.at(group);
  return {.resolved = log.resolved,
          .wants_events = log.wants_events,
          .logprobs = log.logprobs,
          .prompt = log.prompt,
          .result = log.result,
          .finish = log.finish,
          .attention = log.attention};
}

void EngineHost::forget(GroupId group) {
  const std::lock_guard logs(logs_mutex_);
  const auto found = logs_.find(group);
  if (found == logs_.end()) return;
  if (found->second.result == nullptr || found->second.resolved->asked.hold) forgotten_.push_back(group);
  logs_.erase(found);
}

void EngineHost::cancel_forgotten() {
  std::vector<GroupId> groups;
  {
    const std::lock_guard logs(logs_mutex_);
    groups.swap(forgotten_);
  }
  for (const GroupId group : groups) {
    if (engine_->holds(group)) {
      engine_->release(group);
      continue;
    }
    try {
      engine_->cancel(group);
    } catch (const InvalidRequest&) {  // it has ended meanwhile
    }
  }
}

void EngineHost::close() {
  home_.require();
  const std::lock_guard lock(stepping_);
  closed_ = true;
  engine_.reset();
}

}  // namespace lanerope::python
