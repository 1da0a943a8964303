// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace lanerope::kernels {

// Numbers 0 .. total - 1, each given to one taker.
struct Tickets {
  std::atomic<int64_t>& next;
  int64_t total;
  int takers =
      0;  // if known: each takes until it gets -1, once, and the last of them makes `next` ready for reuse

  // The next number, or -1 when there is none left.
  int64_t take() const {
    const int64_t ticket = next.fetch_add(1, std::memory_order_relaxed);
    if (ticket < total) return ticket;
    if (ticket == total + takers - 1) next.store(0, std::memory_order_relaxed);
    return -1;
  }
};

// Threads for work that is cut into tickets. On a machine that others use too a thread may be away when it is
// needed; so nobody waits for a worker that has not come: the caller works as well, and only those that
// joined in time are waited for. Where one of these was kept waiting all the same, the caller works alone for
// a while (2 ms, and up to 100 where it comes to that again and again) before it asks for help once more.
// Between jobs workers look out for the next one for about a tenth of a millisecond and then sleep. One
// caller at a time.
class ThreadPool {
 public:
  explicit ThreadPool(int n_threads);  // the caller's included
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int n_threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(tickets) on this thread and on those that join; returns when all tickets are done. The body
  // must take tickets until there are none, and must not throw.
  template <typename Body>
  void run(int64_t total, const Body& body) {
    run_job(
        total, [](const void* of, const Tickets& tickets) { (*static_cast<const Body*>(of))(tickets); },
        &body);
  }

 private:
  using Call = void (*)(const void* body, const Tickets& tickets);
  using Clock = std::chrono::steady_clock;
  void run_job(int64_t total, Call call, const void* body);
  void wait_for_workers(Clock::time_point start);
  void work();

  // What workers look at: the number of the job (upper half), whether it may still be joined, and how many
  // have.
  std::atomic<uint32_t> state_ = 0;
  std::atomic<int64_t> next_ = 0;
  int64_t total_ = 0;
  Call call_ = nullptr;
  const void* body_ = nullptr;
  Clock::time_point alone_until_ = {};  // the caller's, like the next two
  Clock::duration pause_;               // how long it works alone the next time
  int good_jobs_ = 0;                   // since it last had to
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace lanerope::kernels
