// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/result.h"

namespace lanerope::server {

// Where the lanes of a group looked, averaged over layers and heads.
struct AttentionSummary {
  int32_t n_lanes = 0;
  std::vector<AttentionRecord::Row> rows = {};
  std::vector<float> shares = {};  // [1 + n_lanes, n_rows]: the prompt first
};
AttentionSummary summarise(const AttentionRecord& record);

// The way of one group's events from the engine's thread to the thread of its connection.
class GroupStream {
 public:
  explicit GroupStream(std::string public_id) : public_id_(std::move(public_id)) {}

  // The group's name in the API: 128 bits that cannot be guessed, since to know it is to command the group.
  const std::string& public_id() const { return public_id_; }

  // The engine's side. push() returns false once more events wait than a reader may leave: it has stopped
  // reading.
  bool push(Event event);
  void fail(std::exception_ptr error);
  void set_attention(AttentionSummary summary);
  void set_group(GroupId group);

  // The connection's side: the next event, or nothing after `patience`. Rethrows what fail() was given.
  std::optional<Event> next(std::chrono::milliseconds patience);
  std::optional<AttentionSummary> attention() const;  // set before group_finished, where it was asked for
  GroupId group() const;

 private:
  const std::string public_id_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
  std::exception_ptr error_;
  std::optional<AttentionSummary> attention_;
  GroupId group_ = 0;
};

// "grp_" and 32 hexadecimal digits, from the operating system's random source.
std::string new_public_id(std::string_view prefix);

}  // namespace lanerope::server
