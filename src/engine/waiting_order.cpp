// SPDX-License-Identifier: Apache-2.0
#include "engine/waiting_order.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace lanerope::engine {

Group* WaitingOrder::next(const std::vector<std::unique_ptr<Group>>& groups) {
  std::set<std::string> there;
  for (const auto& group : groups) there.insert(group->request().asked.client);
  std::erase_if(tokens_, [&](const auto& entry) { return !there.contains(entry.first); });
  int64_t least = 0;
  if (!tokens_.empty())
    least = std::ranges::min_element(tokens_, {}, [](const auto& of) { return of.second; })->second;
  for (const std::string& client : there) tokens_.emplace(client, least);

  // The groups come in the order of their arrival.
  const auto rank = [&](const Group& group) {
    return std::tuple(group.request().asked.priority, !group.was_put_back(),
                      tokens_.at(group.request().asked.client));
  };
  Group* first = nullptr;
  for (const auto& group : groups) {
    if (group->state() != GroupState::queued) continue;
    if (first == nullptr || rank(*group) < rank(*first)) first = group.get();
  }
  return first;
}

void WaitingOrder::served(const Group& group, int64_t tokens) {
  const auto client = tokens_.find(group.request().asked.client);
  if (client != tokens_.end()) client->second += tokens;
}

}  // namespace lanerope::engine
