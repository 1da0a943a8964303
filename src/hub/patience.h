// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/http.h"
#include "hub/refusal.h"
#include "hub/watch.h"

namespace lanerope::hub {

// Waits between tries, each time twice as long, and gives up in the end.
class Patience {
 public:
  Patience(const FetchOptions& options, Asked asked) : options_(options), asked_(std::move(asked)) {}

  // Something came: what was tried before does not count.
  void progressed() { tried_ = 0; }

  // Returns after a wait, or throws: what `refuse` does, or SystemError for a transfer that failed.
  void wait_for(const ReplyHead& head);
  void wait_for(const TransferError& error);

 private:
  void sleep(std::chrono::milliseconds time) const;
  void say_and_sleep(const std::string& why, std::chrono::milliseconds time);
  std::chrono::milliseconds next_wait() const;

  const FetchOptions& options_;
  Asked asked_;
  int tried_ = 0;
};

}  // namespace lanerope::hub
