// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/api_error.h"
#include "server/group_set.h"

namespace lanerope::server {

void send_json(httplib::Response& response, const Json& json, int status = 200);
void send_error(httplib::Response& response, const ErrorReply& error);

// One event of a server-sent stream; `name` may be empty.
std::string sse(std::string_view name, const Json& data);

// How often a connection that waits for events looks whether its client is still there.
inline constexpr std::chrono::milliseconds watch_interval{50};

// Streams what `write` makes of each event (text of server-sent events, maybe none) until the groups have
// finished. `opening` goes first, before anything has happened.
using EventWriter = std::function<std::string(const GroupSet::Happening&)>;
struct EventStream {
  std::shared_ptr<GroupSet> groups;
  EventWriter write;
  std::string opening = {};
  std::function<std::string()> closing = {};  // asked after the last event; empty: nothing
  // What is written in place of it where a group fails on the way; empty: an `error` object.
  std::function<std::string(const ErrorReply&)> failure = {};
};
void stream_events(httplib::Response& response, EventStream stream);

// Hands every event to `take` until the groups have finished. False where the client has left before that.
bool await_groups(const httplib::Request& request, GroupSet& groups,
                  const std::function<void(const GroupSet::Happening&)>& take);

}  // namespace lanerope::server
