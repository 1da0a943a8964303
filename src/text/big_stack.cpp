// SPDX-License-Identifier: Apache-2.0
#include "text/big_stack.h"

#include <pthread.h>

#include <cstddef>
#include <exception>

#include "lanerope/errors.h"

namespace lanerope::text {

namespace {

constexpr size_t stack_bytes = size_t{256} << 20;  // of addresses; memory is taken as it is used

struct Work {
  const std::function<void()>& run;
  std::exception_ptr error = {};
};

void* run(void* argument) {
  auto& work = *static_cast<Work*>(argument);
  try {
    work.run();
  } catch (...) {
    work.error = std::current_exception();
  }
  return nullptr;
}

}  // namespace

void run_on_big_stack(const std::function<void()>& work) {
  Work job{.run = work};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_t thread{};
  const bool started = pthread_attr_setstacksize(&attributes, stack_bytes) == 0 &&
                       pthread_create(&thread, &attributes, run, &job) == 0;
  pthread_attr_destroy(&attributes);
  if (!started) throw SystemError("a thread for the chat template cannot be started; free some memory");
  pthread_join(thread, nullptr);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace lanerope::text
