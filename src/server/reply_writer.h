// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "server/api_error.h"
#include "server/group_set.h"

namespace lanerope::server {

// Makes of what happens to a request's groups what the client's API has for it: text of server-sent events
// where it streams, one response where it does not.
class ReplyWriter {
 public:
  virtual ~ReplyWriter() = default;

  virtual std::string opening() { return {}; }  // before anything has happened
  virtual std::string take(const GroupSet::Happening& happened) = 0;
  virtual std::string closing() { return {}; }  // after the last event
  virtual std::string failure(const ErrorReply& error) = 0;

  virtual Json response() const = 0;  // once all groups have finished
};

}  // namespace lanerope::server
