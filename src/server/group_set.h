// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "lanerope/resolve.h"
#include "lanerope/service.h"
#include "server/door.h"

namespace lanerope::server {

// The groups that answer one HTTP request: one, or one for each prompt and answer. They are submitted in
// order, a few at a time, so that a request with many prompts does not fill the queue; where that is full
// already they wait for those before them. When the connection goes, so do the groups that have not finished.
class GroupSet {
 public:
  // Submits the first few; throws as Service::submit, and then none of them runs on. The service must outlive
  // the set. The pass goes back once all are submitted.
  GroupSet(Service& service, std::vector<std::shared_ptr<const ResolvedRequest>> requests,
           Door::Pass pass = {});
  ~GroupSet();
  GroupSet(const GroupSet&) = delete;
  GroupSet& operator=(const GroupSet&) = delete;

  struct Happening {
    size_t group = 0;
    Event event = {};
  };
  // The next thing that happened to any of them, or nothing after `patience`. Throws what ended one of them.
  std::optional<Happening> next(std::chrono::milliseconds patience);

  bool finished() const { return finished_ == requests_.size(); }
  size_t size() const { return requests_.size(); }
  GroupStream& stream(size_t group) { return *streams_.at(group); }  // once submitted
  const ResolvedRequest& request(size_t group) const { return *requests_.at(group); }

 private:
  bool submit_next();
  void fill();
  void cancel();
  std::optional<Happening> look(size_t running, std::chrono::milliseconds patience);

  Service& service_;
  std::vector<std::shared_ptr<const ResolvedRequest>> requests_;
  std::vector<std::shared_ptr<GroupStream>> streams_;
  std::deque<size_t> running_;  // submitted and not finished, in order
  size_t finished_ = 0;
  Door::Pass pass_;
};

}  // namespace lanerope::server
