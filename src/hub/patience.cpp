// SPDX-License-Identifier: Apache-2.0
#include "hub/patience.h"

#include <algorithm>
#include <thread>

#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

using std::chrono::milliseconds;

// A host that cannot be reached at all is rarely there a minute later.
constexpr int tries_to_reach = 3;

}  // namespace

milliseconds Patience::next_wait() const {
  const milliseconds longest = options_.retry.longest_wait;
  return std::min(options_.retry.first_wait * (1 << std::min(tried_ - 1, 16)), longest);
}

void Patience::sleep(milliseconds time) const {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
    options_.watch.throw_if_stopped();
    const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
    std::this_thread::sleep_for(std::clamp(left, milliseconds(1), milliseconds(50)));
  }
}

void Patience::say_and_sleep(const std::string& why, milliseconds time) {
  const auto seconds = std::max<int64_t>(1, (time.count() + 500) / 1000);
  options_.watch.say(why + "; trying again in " + std::to_string(seconds) + " s");
  sleep(time);
}

void Patience::wait_for(const ReplyHead& head) {
  ++tried_;
  const milliseconds asked = std::chrono::seconds(head.retry_after.value_or(0));
  const bool too_long = asked > options_.retry.longest_wait;
  if (!may_pass(head.status) || tried_ >= options_.retry.tries || too_long) refuse(head, asked_);
  say_and_sleep(passing_text(head, asked_), std::max(asked, next_wait()));
}

void Patience::wait_for(const TransferError& error) {
  ++tried_;
  const int most = error.connected ? options_.retry.tries : std::min(options_.retry.tries, tries_to_reach);
  if (error.lasting) throw SystemError(error.what());
  if (tried_ >= most) {
    throw SystemError(std::string(error.what()) +
                      (error.connected
                           ? "; run the same command again, which goes on from what is there"
                           : "; check the network, or use --offline with what was fetched before"));
  }
  say_and_sleep(error.what(), next_wait());
}

}  // namespace lanerope::hub
