// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lanerope/engine.h"

namespace lanerope::support {

// All that a group said while it ran.
struct GroupRun {
  GroupResult result;
  std::vector<Event> events;

  std::vector<Event> of(EventKind kind, int32_t lane = -1) const;  // lane -1: of all lanes
  std::vector<TokenId> tokens(int32_t lane) const;                 // of the token events
  std::vector<float> logprobs(int32_t lane) const;                 // of the sampled tokens
};

// Steps an engine until nothing is left, or `stop` says so after a step.
class Runner {
 public:
  explicit Runner(Engine& engine) : engine_(engine) {}

  bool step();  // one step; whether any group is left
  void finish();
  const GroupRun& run(GroupId id) { return runs_[id]; }
  bool finished(GroupId id);

 private:
  Engine& engine_;
  std::map<GroupId, GroupRun> runs_;
};

GroupRun run_group(Engine& engine, const Request& request);

// Numbers that tokens are not: a prompt of `length` tokens that depends on `seed`.
std::vector<TokenId> some_tokens(int32_t length, uint32_t seed);

// Every logit of every token, [lane][token][n_vocab].
using AllLogits = std::vector<std::vector<std::vector<double>>>;
AllLogits all_logits(Engine& engine, ScoreRequest request);

// The largest difference of two vectors of logits over the largest logit, the largest of all tokens.
double relative_difference(const AllLogits& a, const AllLogits& b);

}  // namespace lanerope::support
