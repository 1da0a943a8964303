// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/group.h"

namespace lanerope::engine {

// Which of the waiting groups starts next: that of the most urgent priority; of these one that was put back;
// of these one of the client that was served least; of these the oldest. A client is served a token for each
// that is read or written for it. One that comes, or comes back, begins with as much as the least of those
// who are there, so that nobody saves up turns (fair queueing by virtual time; for language models: Sheng et
// al., arXiv 2401.00588).
class WaitingOrder {
 public:
  // nullptr where none waits. Of groups that finished nothing is kept but what their clients were served, as
  // long as these have others.
  Group* next(const std::vector<std::unique_ptr<Group>>& groups);
  // So many tokens of the group were read or written.
  void served(const Group& group, int64_t tokens);

 private:
  std::map<std::string, int64_t> tokens_;  // of clients that have groups
};

}  // namespace lanerope::engine
