// SPDX-License-Identifier: Apache-2.0
#include "kernels/thread_pool.h"

#include <algorithm>

#include <hwy/cache_control.h>

namespace lanerope::kernels {
namespace {

constexpr uint32_t open_bit = 1U << 15;
constexpr uint32_t asleep_bit = 1U << 14;  // the caller sleeps until the last worker has left
constexpr uint32_t count_mask = asleep_bit - 1;
constexpr uint32_t job_one = 1U << 16;
constexpr int spins = 4000;  // of about 20 to 50 ns

// Nobody waits longer than this, and longer than he worked himself, for a worker that works.
constexpr std::chrono::microseconds patience{200};
constexpr std::chrono::milliseconds first_pause{2};
constexpr std::chrono::milliseconds longest_pause{100};
constexpr int jobs_to_forget = 200;  // about one step of a model

uint32_t job_of(uint32_t state) {
  return state / job_one;
}

}  // namespace

ThreadPool::ThreadPool(int n_threads) : pause_(first_pause) {
  for (int t = 1; t < n_threads; ++t) workers_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  state_.fetch_add(job_one, std::memory_order_release);
  state_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run_job(int64_t total, Call call, const void* body) {
  next_.store(0, std::memory_order_relaxed);
  const Tickets tickets{next_, total};
  if (workers_.empty() || total <= 1) return call(body, tickets);
  const Clock::time_point start = Clock::now();
  if (start < alone_until_) return call(body, tickets);
  total_ = total;
  call_ = call;
  body_ = body;
  const uint32_t before = state_.load(std::memory_order_relaxed);
  state_.store((before & ~(job_one - 1)) + job_one + open_bit, std::memory_order_release);
  state_.notify_all();
  call(body, tickets);
  state_.fetch_and(~open_bit, std::memory_order_acq_rel);
  wait_for_workers(start);
}

void ThreadPool::wait_for_workers(Clock::time_point start) {
  const auto all_left = [&] { return (state_.load(std::memory_order_acquire) & count_mask) == 0; };
  for (int i = 0; i < spins && !all_left(); ++i) hwy::Pause();
  if (all_left()) {
    if (++good_jobs_ >= jobs_to_forget) pause_ = first_pause;
    return;
  }
  const Clock::time_point done = Clock::now();
  const Clock::duration most = std::max<Clock::duration>(patience, done - start);
  while (!all_left() && Clock::now() - done < most / 2) hwy::Pause();
  // A worker that takes so long has lost its core to somebody else. It may get this one.
  for (uint32_t state = state_.fetch_or(asleep_bit, std::memory_order_acq_rel) | asleep_bit;
       (state & count_mask) != 0; state = state_.load(std::memory_order_acquire)) {
    state_.wait(state, std::memory_order_acquire);
  }
  state_.fetch_and(~asleep_bit, std::memory_order_acq_rel);
  const Clock::time_point now = Clock::now();
  if (now - done < most) return;
  good_jobs_ = 0;
  alone_until_ = now + pause_;
  pause_ = std::min<Clock::duration>(2 * pause_, longest_pause);
}

void ThreadPool::work() {
  uint32_t done = 0;
  for (int idle = 0;;) {
    uint32_t state = state_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_relaxed)) return;
    if ((state & open_bit) != 0 && job_of(state) != done) {
      if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) continue;
      call_(body_, Tickets{next_, total_});
      done = job_of(state);
      const uint32_t left = state_.fetch_sub(1, std::memory_order_release) - 1;
      if ((left & asleep_bit) != 0 && (left & count_mask) == 0) state_.notify_all();
      idle = 0;
    } else if (idle < spins) {
      ++idle;
      hwy::Pause();
    } else {
      state_.wait(state, std::memory_order_acquire);
      idle = 0;
    }
  }
}

}  // namespace lanerope::kernels
