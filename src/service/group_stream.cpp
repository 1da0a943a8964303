// SPDX-License-Identifier: Apache-2.0
#include "lanerope/service.h"

namespace lanerope {

bool GroupStream::push(Event event) {
  const std::lock_guard lock(mutex_);
  if (error_ != nullptr) return true;  // the reader hears of that, and of nothing after it
  if (events_.size() >= most_unread_ && event.kind != EventKind::group_finished) return false;
  events_.push_back(std::move(event));
  changed_.notify_one();
  return true;
}

void GroupStream::fail(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  changed_.notify_one();
}

void GroupStream::set_attention(AttentionRecord record) {
  const std::lock_guard lock(mutex_);
  attention_ = std::make_shared<const AttentionRecord>(std::move(record));
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

std::shared_ptr<const AttentionRecord> GroupStream::attention() const {
  const std::lock_guard lock(mutex_);
  return attention_;
}

GroupId GroupStream::group() const {
  const std::lock_guard lock(mutex_);
  return group_;
}

}  // namespace lanerope
