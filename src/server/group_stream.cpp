// SPDX-License-Identifier: Apache-2.0
#include "server/group_stream.h"

#include <random>

namespace lanerope::server {

namespace {

// A group's events are bounded by the cells that were reserved for it; this is for engines with very many
// cells.
constexpr size_t most_waiting_events = size_t{1} << 17;

}  // namespace

AttentionSummary summarise(const AttentionRecord& record) {
  AttentionSummary summary{.n_lanes = record.n_lanes, .rows = record.rows};
  const auto width = static_cast<size_t>(1 + record.n_lanes);
  const size_t heads = static_cast<size_t>(record.n_layer) * static_cast<size_t>(record.n_head);
  summary.shares.assign(width * record.rows.size(), 0.0F);
  for (size_t row = 0; row < record.rows.size(); ++row) {
    for (size_t head = 0; head < heads; ++head) {
      const float* from = &record.shares[(row * heads + head) * width];
      for (size_t k = 0; k < width; ++k)
        summary.shares[row * width + k] += from[k] / static_cast<float>(heads);
    }
  }
  return summary;
}

bool GroupStream::push(Event event) {
  const std::lock_guard lock(mutex_);
  if (events_.size() >= most_waiting_events && event.kind != EventKind::group_finished) return false;
  events_.push_back(std::move(event));
  changed_.notify_one();
  return true;
}

void GroupStream::fail(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  changed_.notify_one();
}

void GroupStream::set_attention(AttentionSummary summary) {
  const std::lock_guard lock(mutex_);
  attention_ = std::move(summary);
}

void GroupStream::set_group(GroupId group) {
  const std::lock_guard lock(mutex_);
  group_ = group;
}

std::optional<Event> GroupStream::next(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return !events_.empty() || error_ != nullptr; });
  if (!events_.empty()) {
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  if (error_ != nullptr) std::rethrow_exception(error_);
  return std::nullopt;
}

std::optional<AttentionSummary> GroupStream::attention() const {
  const std::lock_guard lock(mutex_);
  return attention_;
}

GroupId GroupStream::group() const {
  const std::lock_guard lock(mutex_);
  return group_;
}

std::string new_public_id(std::string_view prefix) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::random_device source;
  std::string id(prefix);
  for (int word = 0; word < 4; ++word) {
    const uint32_t bits = source();
    for (int shift = 28; shift >= 0; shift -= 4) id += digits[(bits >> shift) & 0xF];
  }
  return id;
}

}  // namespace lanerope::server
