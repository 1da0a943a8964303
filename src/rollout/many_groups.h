// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "lanerope/engine.h"

namespace lanerope::rollout {

// Many groups on one engine, until none is left.
class ManyGroups {
 public:
  struct Options {
    std::function<bool()> stopped = {};  // asked before each step; may be empty
    // Told of each step: the live lanes it began with, whether a prompt was still to be read, its seconds.
    // May be empty.
    std::function<void(int32_t lanes, bool reads_prompts, double seconds)> step_done = {};
  };
  ManyGroups(Engine& engine, Options options) : engine_(engine), options_(std::move(options)) {}

  // Queues a group whose events go to `take`, which must not submit. Throws as Engine::submit.
  using Take = std::function<void(const Event&)>;
  void submit(std::shared_ptr<const ResolvedRequest> request, Take take);
  int32_t running() const { return static_cast<int32_t>(takers_.size()); }

  // Steps the engine until no group is left that `refill`, called before each step, did not submit anew.
  // False where it was stopped: whatever ran is cancelled then, and nobody hears of it. Throws what ended a
  // group that failed.
  bool run(const std::function<void()>& refill);

 private:
  void step();
  void cancel_all();

  Engine& engine_;
  Options options_;
  std::map<GroupId, Take> takers_;
  int32_t reading_ = 0;  // groups whose prompt is not read yet
};

}  // namespace lanerope::rollout
