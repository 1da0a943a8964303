// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "lanerope/service.h"
#include "server/api_error.h"

namespace lanerope::server {

void send_json(httplib::Response& response, const Json& json, int status = 200);
void send_error(httplib::Response& response, const ErrorReply& error);

// One event of a server-sent stream; `name` may be empty.
std::string sse(std::string_view name, const Json& data);

// A group on whose behalf a connection waits. When the connection goes, so does the group, unless it has
// finished.
class GroupLease {
 public:
  GroupLease(Service& service, std::shared_ptr<GroupStream> stream)
      : service_(service), stream_(std::move(stream)) {}
  ~GroupLease() {
    if (!finished_) service_.cancel(stream_->group());
  }
  GroupLease(const GroupLease&) = delete;
  GroupLease& operator=(const GroupLease&) = delete;

  GroupStream& stream() { return *stream_; }
  void note(const Event& event) { finished_ = finished_ || event.kind == EventKind::group_finished; }
  bool finished() const { return finished_; }

 private:
  Service& service_;
  std::shared_ptr<GroupStream> stream_;
  bool finished_ = false;
};

// How often a connection that waits for events looks whether its client is still there.
inline constexpr std::chrono::milliseconds watch_interval{50};

// Streams what `write` makes of each event (text of server-sent events, maybe none) until the group has
// finished. `opening` goes first, before anything has happened.
using EventWriter = std::function<std::string(const Event&)>;
struct EventStream {
  std::shared_ptr<GroupLease> lease;
  EventWriter write;
  std::string opening = {};
  std::string closing = {};  // after the last event
};
void stream_events(httplib::Response& response, EventStream stream);

}  // namespace lanerope::server
