// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include "lanerope/errors.h"

namespace lanerope::server {

// Who may still start groups when the server ends: requests that were let in before, with all that they have.
// Any thread may call any member.
class Door {
 public:
  // Of a request that was let in; kept until its last group is in the service. The door must outlive it.
  using Pass = std::shared_ptr<const void>;

  // Throws Draining once the door is closed.
  Pass enter() {
    // Counted before it looks: close() and empty(), in this order, miss nobody who was let in.
    ++inside_;
    Pass pass(&inside_, [](std::atomic<int>* inside) { --*inside; });
    if (closed_) throw Draining("the server is shutting down and takes no new requests");
    return pass;
  }
  void close() { closed_ = true; }
  bool closed() const { return closed_; }
  bool empty() const { return inside_ == 0; }

 private:
  std::atomic<int> inside_ = 0;
  std::atomic<bool> closed_ = false;
};

}  // namespace lanerope::server
