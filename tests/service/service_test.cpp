// SPDX-License-Identifier: Apache-2.0
// An engine on a thread of its own: many callers, refusals as types, one group's failure its own.
#include "lanerope/service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <limits>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const Model> small_model() {
  static const auto model =
      support::load_model(tools::RandomModel{.width = 64, .n_ffn = 96, .n_vocab = 300}, BackEnd::kernels);
  return model;
}

Request request_of(uint64_t seed) {
  return {.prompt = {.text = "How many beams are there?"},
          .lanes = 2,
          .budget = 16,
          .sampling = {.seed = seed},
          .ignore_end = true};
}

std::shared_ptr<const ResolvedRequest> resolved(const Request& request) {
  return resolve(*small_model(), request);
}

// All events of a group, until its end.
std::vector<TokenId> tokens_of(GroupStream& stream, int32_t lane) {
  std::vector<TokenId> tokens;
  while (true) {
    const std::optional<Event> event = stream.next(100ms);
    if (!event) continue;
    if (event->kind == EventKind::token && event->lane == lane) tokens.push_back(event->token);
    if (event->kind == EventKind::group_finished) return tokens;
  }
}

TEST(Service, GivesCallersOnManyThreadsWhatTheEngineGivesEachAlone) {
  Engine engine(small_model(), {.kv_cells = 512});
  std::vector<std::vector<TokenId>> expected;
  for (uint64_t seed = 0; seed < 4; ++seed)
    expected.push_back(support::run_group(engine, request_of(seed)).tokens(0));

  Service service(small_model(), {.engine = {.kv_cells = 512}});
  std::vector<std::vector<TokenId>> got(4);
  std::vector<std::thread> callers;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    callers.emplace_back(
        [&, seed] { got[seed] = tokens_of(*service.submit(resolved(request_of(seed))), 0); });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(got, expected);
}

TEST(Service, RefusesWithATypeThatSaysWhy) {
  Service full(small_model(), {.engine = {.kv_cells = 128}, .most_waiting = 0});
  EXPECT_THROW(full.submit(resolved(request_of(1))), Busy);

  Service service(small_model(), {.engine = {.kv_cells = 128}});
  EXPECT_THROW(service.submit(resolved({.prompt = {.text = "Hello"}, .lanes = 8, .budget = 256})),
               DoesNotFit);
  EXPECT_THROW(service.find("grp_of_nobody"), NoSuchGroup);
  service.drain();
  EXPECT_THROW(service.submit(resolved(request_of(1))), Draining);
}

TEST(Service, TellsTheReaderOfAGroupAloneThatItFailed) {
  Service service(small_model(), {.engine = {.kv_cells = 512}});
  Request bad = request_of(1);
  for (TokenId token = 0; token < small_model()->info().n_tokens; ++token) {
    for (int i = 0; i < 2; ++i)
      bad.sampling.logit_bias.push_back({.token = token, .bias = std::numeric_limits<float>::lowest()});
  }
  const auto failed = service.submit(resolved(bad));
  const auto good = service.submit(resolved(request_of(2)));
  EXPECT_THROW(tokens_of(*failed, 0), InvalidRequest);
  EXPECT_EQ(tokens_of(*good, 0).size(), 16U);
  EXPECT_FALSE(service.failed());
}

// What listens to the service may run out of memory, too.
class FailsOnce final : public ServiceObserver {
 public:
  void first_token(double /*seconds*/) override {
    if (!std::exchange(failed_, true)) throw std::bad_alloc();
  }

 private:
  bool failed_ = false;
};

TEST(Service, EndsAGroupAloneWhoseEventsCannotBeHandedOver) {
  FailsOnce observer;
  Service service(small_model(), {.engine = {.kv_cells = 512}}, &observer);
  const auto failed = service.submit(resolved(request_of(1)));
  EXPECT_THROW(tokens_of(*failed, 0), std::bad_alloc);
  const auto good = service.submit(resolved(request_of(2)));
  EXPECT_EQ(tokens_of(*good, 0).size(), 16U);
  EXPECT_FALSE(service.failed());
}

// What is said of groups that end and of those that are refused.
class Listens final : public ServiceObserver {
 public:
  struct Moments {
    double queued = 0;  // seconds
    double in_all = 0;
  };
  void group_finished(const FinishedGroup& group) override {
    const std::lock_guard lock(mutex_);
    ended_[group.public_id] = {
        .queued = std::chrono::duration<double>(group.begun - group.submitted).count(),
        .in_all = std::chrono::duration<double>(group.ended - group.submitted).count()};
  }
  void refused() override { ++refusals; }
  Moments of(const GroupStream& stream) {
    const std::lock_guard lock(mutex_);
    return ended_.at(stream.public_id());
  }
  std::atomic<int> refusals = 0;

 private:
  std::mutex mutex_;
  std::map<std::string, Moments> ended_;
};

TEST(Service, TellsHowLongAGroupWaitedThatLeftTheQueue) {
  Listens observer;
  Service service(small_model(), {.engine = {.kv_cells = 1024, .reserve_budgets = true}}, &observer);
  Request request = request_of(1);
  request.lanes = 1;
  request.budget = 900;
  const auto runs = service.submit(resolved(request));
  const auto waits = service.submit(resolved(request));  // for 16 pages, as many as there are
  service.cancel(waits->group());
  tokens_of(*waits, 0);
  tokens_of(*runs, 0);
  const Listens::Moments left = observer.of(*waits);
  EXPECT_GT(left.queued, 0);
  EXPECT_EQ(left.queued, left.in_all) << "it did nothing else";
  EXPECT_LT(observer.of(*runs).queued, observer.of(*runs).in_all);
}

TEST(Service, CountsARefusalWhereSomebodyIsRefused) {
  Listens observer;
  Service full(small_model(), {.engine = {.kv_cells = 128}, .most_waiting = 0}, &observer);
  EXPECT_EQ(full.try_submit(resolved(request_of(1))), nullptr) << "who asks so comes again";
  EXPECT_EQ(observer.refusals.load(), 0);
  EXPECT_THROW(full.submit(resolved(request_of(1))), Busy);
  EXPECT_EQ(observer.refusals.load(), 1);
  Service service(small_model(), {.engine = {.kv_cells = 512}});
  const auto stream = service.try_submit(resolved(request_of(1)));
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(tokens_of(*stream, 0).size(), 16U);
}

// An answer must not seem whole that was cut off since its reader fell back.
TEST(Service, TellsAReaderThatIsTooSlow) {
  Service service(small_model(), {.engine = {.kv_cells = 512}, .most_unread = 8});
  const auto stream = service.submit(resolved(request_of(1)));
  while (!service.idle()) std::this_thread::sleep_for(1ms);
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(stream->next(0ms)) << "what came before is there";
  EXPECT_THROW(stream->next(0ms), DoesNotFit);
  const auto next = service.submit(resolved(request_of(2)));
  EXPECT_NO_THROW(next->next(10s)) << "others go on";
}

TEST(Service, CommandsARunningGroupByItsName) {
  Service service(small_model(), {.engine = {.kv_cells = 2048}});
  Request request = request_of(3);
  request.budget = 900;
  const auto stream = service.submit(resolved(request));
  EXPECT_EQ(service.find(stream->public_id()), stream->group());
  service.call_group(stream->public_id(), Service::Wanted::running,
                     [](Engine& engine, GroupId group) { engine.cancel(group); });
  EXPECT_LT(tokens_of(*stream, 0).size(), 900U);
  EXPECT_THROW(service.call_group(stream->public_id(), Service::Wanted::running, [](Engine&, GroupId) {}),
               NoSuchGroup);
}

// A server that drains waits for what has been taken up, from the moment on that it has been.
TEST(Service, IsNotIdleWhileItIsAtWhatItWasAsked) {
  Service service(small_model(), {.engine = {.kv_cells = 512}});
  EXPECT_FALSE(service.call([&](Engine&) { return service.idle(); }));
}

// As where a worker is lost: the thread is in a step that never ends.
TEST(Service, TellsAllWhoWaitThatItIsAbandonedWhileItsThreadIsStuck) {
  Service service(small_model(), {.engine = {.kv_cells = 2048}});
  Request request = request_of(1);
  request.budget = 900;
  const auto stream = service.submit(resolved(request));
  std::promise<void> stuck;
  std::promise<void> freed;
  std::thread hangs([&] {
    service.call([&](Engine&) {
      stuck.set_value();
      freed.get_future().wait();
    });
  });
  stuck.get_future().wait();
  std::thread asks(
      [&] { EXPECT_THROW(service.call([](Engine&) {}), Draining) << "the sentence, and no broken promise"; });
  std::thread late([&] { EXPECT_THROW(service.submit(resolved(request_of(2))), Draining) << "queued"; });
  service.abandon("the worker in the attic is gone");
  late.join();
  asks.join();
  try {
    tokens_of(*stream, 0);
    ADD_FAILURE() << "the group went on";
  } catch (const Draining& error) {
    EXPECT_STREQ(error.what(), "the worker in the attic is gone");
  }
  EXPECT_THROW(service.submit(resolved(request_of(3))), Draining) << "too late";
  EXPECT_TRUE(service.failed());
  EXPECT_TRUE(service.idle());
  freed.set_value();
  hangs.join();
}

}  // namespace
}  // namespace lanerope
