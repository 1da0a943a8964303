// SPDX-License-Identifier: Apache-2.0
#include "kernels/thread_pool.h"

#include <hwy/cache_control.h>

namespace lanerope::kernels {
namespace {

constexpr uint32_t open_bit = 1U << 15;
constexpr uint32_t count_mask = open_bit - 1;
constexpr uint32_t job_one = 1U << 16;
constexpr int spins = 4000;  // of about 20 to 30 ns

uint32_t job_of(uint32_t state) {
  return state / job_one;
}

}  // namespace

ThreadPool::ThreadPool(int n_threads) {
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
  total_ = total;
  call_ = call;
  body_ = body;
  const uint32_t before = state_.load(std::memory_order_relaxed);
  state_.store((before & ~(job_one - 1)) + job_one + open_bit, std::memory_order_release);
  state_.notify_all();
  call(body, tickets);
  state_.fetch_and(~open_bit, std::memory_order_acq_rel);
  for (int i = 0; (state_.load(std::memory_order_acquire) & count_mask) != 0; ++i) {
    if (i < spins) {
      hwy::Pause();
    } else {
      std::this_thread::yield();
    }
  }
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
      state_.fetch_sub(1, std::memory_order_release);
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
