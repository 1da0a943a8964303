// SPDX-License-Identifier: Apache-2.0
#include "kernels/thread_pool.h"

#include <chrono>
#include <ctime>
#include <set>

#include <gtest/gtest.h>

namespace lanerope::kernels {
namespace {

TEST(ThreadPool, GivesEachTicketToOneTaker) {
  for (int n_threads : {1, 2, 5}) {
    ThreadPool pool(n_threads);
    EXPECT_EQ(pool.n_threads(), n_threads);
    for (int64_t total : {0, 1, 2, 3, 100}) {
      for (int round = 0; round < 200; ++round) {
        std::vector<int> taken(total);
        pool.run(total, [&](const Tickets& tickets) {
          for (int64_t ticket; (ticket = tickets.take()) >= 0;) ++taken[ticket];
        });
        for (int times : taken) ASSERT_EQ(times, 1);
      }
    }
  }
}

TEST(ThreadPool, LetsOthersWork) {
  ThreadPool pool(2);
  std::atomic<int> inside = 0;
  // Two tickets that each wait for the other need two threads.
  pool.run(2, [&](const Tickets& tickets) {
    while (tickets.take() >= 0) {
      ++inside;
      while (inside < 2) std::this_thread::yield();
    }
  });
  EXPECT_EQ(inside, 2);
}

TEST(ThreadPool, SleepsWhenThereIsNothingToDo) {
  ThreadPool pool(3);
  pool.run(10, [](const Tickets& tickets) {
    while (tickets.take() >= 0) {
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.03);
}

// A worker that loses its core in the middle of a ticket.
TEST(ThreadPool, WorksAloneForAWhileAfterAWorkerWasAway) {
  ThreadPool pool(2);
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> joined = false;
  const auto run = [&](bool slow) {
    joined = false;
    pool.run(2, [&](const Tickets& tickets) {
      const bool worker = std::this_thread::get_id() != caller;
      if (worker) joined = true;
      while (tickets.take() >= 0) {
        if (worker && slow) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const auto start = std::chrono::steady_clock::now();
        while (!worker && !joined &&
               std::chrono::steady_clock::now() - start < std::chrono::milliseconds(slow ? 500 : 1)) {
        }
      }
    });
    return joined.load();
  };
  ASSERT_TRUE(run(true));
  EXPECT_FALSE(run(false));
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  bool again = false;
  for (int i = 0; i < 100 && !again; ++i) again = run(false);
  EXPECT_TRUE(again);
}

TEST(Tickets, AreReadyAgainWhenAllTakersHaveLeft) {
  std::atomic<int64_t> next = 0;
  const Tickets tickets{next, 3, 2};
  for (int round = 0; round < 3; ++round) {
    for (int64_t expected : {0, 1, 2, -1, -1}) EXPECT_EQ(tickets.take(), expected);
  }
}

}  // namespace
}  // namespace lanerope::kernels
