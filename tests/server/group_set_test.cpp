// SPDX-License-Identifier: Apache-2.0
// The groups of one request, which come and go together.
#include "server/group_set.h"

#include <chrono>
#include <thread>

#include "tests/server/running_server.h"

namespace lanerope::server {
namespace {

std::shared_ptr<const ResolvedRequest> group_of(size_t prompt_tokens) {
  return resolve(*tiny_model(), {.prompt = {.tokens = std::vector<TokenId>(prompt_tokens, 72)},
                                 .lanes = 1,
                                 .max_tokens = 1900,
                                 .ignore_end = true});
}

TEST(GroupSet, RunsNoneOfItsGroupsWhereOneIsRefused) {
  Service service(tiny_model(), {.engine = {.kv_cells = 2048}});
  const std::vector requests = {group_of(1), group_of(500)};  // of which the second can never fit
  EXPECT_THROW(GroupSet(service, requests), DoesNotFit);
  for (int i = 0; i < 1000 && !service.idle(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(service.idle());
  EXPECT_LT(service.state().steps, 1900) << "the first was cut off";
}

// What a server that ends waits for, and lets in all the same.
TEST(GroupSet, KeepsItsPassUntilAllItsGroupsAreSubmitted) {
  Service service(tiny_model(), {.engine = {.kv_cells = 8192}});
  const auto brief = resolve(
      *tiny_model(),
      {.prompt = {.tokens = std::vector<TokenId>(1, 72)}, .lanes = 1, .max_tokens = 2, .ignore_end = true});
  Door door;
  GroupSet one(service, {brief}, door.enter());
  EXPECT_TRUE(door.empty());
  GroupSet many(service, std::vector(size_t{40}, brief), door.enter());
  EXPECT_FALSE(door.empty()) << "eight have to wait for others";
  door.close();
  EXPECT_THROW(door.enter(), Draining);
  while (!many.finished()) many.next(std::chrono::milliseconds(100));
  EXPECT_TRUE(door.empty());
}

}  // namespace
}  // namespace lanerope::server
