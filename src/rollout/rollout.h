// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/trace.h"
#include "lanerope/engine.h"

namespace lanerope::rollout {

// A question to sample from.
struct RolloutQuestion {
  data::Trace problem = {};  // its question, answer and other keys go into the traces
  Prompt prompt = {};        // what the model is given
  int32_t done = 0;          // groups of it that exist already
};

struct RolloutOptions {
  Request request = {};  // of every group, apart from its prompt and seed
  RequestDefaults defaults = {};
  int32_t groups = 1;     // of each question
  int32_t parallel = 16;  // groups that run at once, as far as the engine has cells
  uint64_t seed = 0;
  std::function<bool()> stopped = {};  // asked before each step; may be empty
};

// Gets every group's trace with its labels.
using TraceSink = std::function<void(const data::Trace&)>;

// Samples the missing groups of each question and hands their traces over in order, each as soon as it and
// all before it are done. A group's random numbers follow from the seed, its question and its number alone,
// so a run that was cut off and goes on writes what it would have written. Once options.stopped says so,
// whatever runs is cancelled. Throws what Engine::submit throws.
void roll_out(Engine& engine, std::span<const RolloutQuestion> questions, const RolloutOptions& options,
              const TraceSink& sink);

// One group of a question that is still to be sampled.
struct RolloutJob {
  size_t question = 0;
  int32_t group = 0;
};
std::vector<RolloutJob> missing_jobs(std::span<const RolloutQuestion> questions, int32_t groups);

// The seed of one group's lanes.
uint64_t group_seed(uint64_t seed, const std::string& question, int32_t group);

// Cells for `parallel` groups at once, each as large as the largest. Throws as memory_need does.
int32_t rollout_cells(const Model& model, std::span<const RolloutQuestion> questions,
                      const RolloutOptions& options);

}  // namespace lanerope::rollout
