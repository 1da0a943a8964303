// SPDX-License-Identifier: Apache-2.0
#include "server/group_set.h"

#include <algorithm>
#include <thread>

namespace lanerope::server {

namespace {

// Of one request, at once.
constexpr size_t most_running = 32;
// Where several groups run, the first one's stream is waited at for so long before the others are looked at:
// mostly all of them move with the same step.
constexpr std::chrono::milliseconds turn{5};

}  // namespace

GroupSet::GroupSet(Service& service, std::vector<std::shared_ptr<const ResolvedRequest>> requests,
                   Door::Pass pass)
    : service_(service), requests_(std::move(requests)), pass_(std::move(pass)) {
  streams_.push_back(service_.submit(requests_.front()));
  running_.push_back(0);
  try {
    fill();
  } catch (...) {  // the destructor is not for what was never made
    cancel();
    throw;
  }
}

GroupSet::~GroupSet() {
  cancel();
}

void GroupSet::cancel() {
  for (const size_t group : running_) service_.cancel(streams_[group]->group());
}

void GroupSet::fill() {
  while (running_.size() < most_running && streams_.size() < requests_.size()) {
    if (!submit_next()) return;
  }
  if (streams_.size() == requests_.size()) pass_.reset();
}

// False where there is no room in the queue; next() tries again.
bool GroupSet::submit_next() {
  std::shared_ptr<GroupStream> stream = service_.try_submit(requests_[streams_.size()]);
  if (stream == nullptr) return false;
  streams_.push_back(std::move(stream));
  running_.push_back(streams_.size() - 1);
  return true;
}

std::optional<GroupSet::Happening> GroupSet::look(size_t running, std::chrono::milliseconds patience) {
  const size_t group = running_[running];
  std::optional<Event> event = streams_[group]->next(patience);
  if (!event) return std::nullopt;
  if (event->kind == EventKind::group_finished) {
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(running));
    ++finished_;
    if (!finished()) fill();
  }
  return Happening{.group = group, .event = std::move(*event)};
}

std::optional<GroupSet::Happening> GroupSet::next(std::chrono::milliseconds patience) {
  if (running_.size() == 1) return look(0, patience);
  if (running_.empty() && !finished()) {
    std::this_thread::sleep_for(std::min(turn, patience));
    fill();
  }
  const auto end = std::chrono::steady_clock::now() + patience;
  do {
    for (size_t i = 0; i < running_.size(); ++i) {
      if (std::optional<Happening> happened = look(i, std::chrono::milliseconds(0))) return happened;
    }
    if (running_.empty() || patience.count() == 0) return std::nullopt;
    if (std::optional<Happening> happened = look(0, std::min(turn, patience))) return happened;
  } while (std::chrono::steady_clock::now() < end);
  return std::nullopt;
}

}  // namespace lanerope::server
