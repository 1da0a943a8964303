// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/engine_options.h"
#include "lanerope/measure.h"
#include "lanerope/model.h"
#include "lanerope/request.h"
#include "lanerope/resolve.h"
#include "lanerope/result.h"

namespace lanerope {

// What a request takes, computed before it runs.
struct MemoryNeed {
  int32_t prompt_cells = 0;  // one a token, those included that another prompt may share; whole pages
  int32_t lane_cells = 0;  // (lanes + reserved lanes) x whole pages for a budget, and those of a second stage
  size_t kv_bytes = 0;     // of both
};

// Given lanes whose log-probabilities are wanted. Tags are part of the lanes' tokens here.
struct ScoreRequest {
  std::vector<TokenId> prompt_tokens = {};       // [P], at least one
  std::vector<std::vector<TokenId>> lanes = {};  // [lanes][tokens], at least one of each
  std::vector<int32_t> start_steps = {};         // [lanes] step of each one's first token; empty: all 0
  Coupling coupling = {};
  SleepTokens sleep = {};
  int32_t stride = 0;                      // K where the coupling's is 0, in tokens; 0: the longest lane
  int32_t top_logits = 0;                  // the so many largest logits are reported with each token
  std::vector<float> adapter_scales = {};  // [adapters]; empty: as loaded
};

// What runs right now.
struct EngineState {
  int32_t groups = 0;         // started and not finished
  int32_t held_groups = 0;    // finished, kept for probes
  int32_t queued_groups = 0;  // waiting for cells, those included that were put back
  int32_t lanes = 0;          // live, of all groups
  int32_t cells_used = 0;     // held by groups
  int32_t cells_kept = 0;     // held by kept prefixes only, free for the taking
  int32_t cells = 0;          // in all
  int64_t steps = 0;          // since the engine was made
  int64_t put_back = 0;       // how often a group gave its cells away, likewise
  int64_t graph_builds = 0;   // graphs of operations that were built, likewise; a shape of steps needs one
  int32_t graph_nodes = 0;    // operations of the last step's graph
  int64_t device_bytes = 0;   // of logits that were brought from a device, since the engine was made
};

// Takes the events of a step, on the thread that calls Engine::step. Of the engine's members it may call
// take_attention and the const ones.
using EventSink = std::function<void(const Event&)>;

// Runs groups of lanes on one model. Not thread-safe: one thread owns an engine and calls all of its members.
//
//   Engine engine(model, {.kv_cells = 2048});
//   engine.submit({.prompt = {.text = "..."}, .lanes = 4});
//   while (engine.step([](const Event& event) { ... })) {}
class Engine {
 public:
  // Throws DoesNotFit if the KV cells cannot be allocated, InvalidRequest for options that make no sense.
  Engine(std::shared_ptr<const Model> model, const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // What the request would take. Throws as resolve().
  MemoryNeed need(const Request& request, const RequestDefaults& defaults = {}) const;

  // Queues a group; it starts in the first step in which there are cells for its prompt and for what its
  // lanes write first. Throws as resolve(), or DoesNotFit if the engine has too few cells for all that it may
  // come to write.
  GroupId submit(const Request& request, const RequestDefaults& defaults = {});
  // The same for a request that was resolved with this engine's model.
  GroupId submit(std::shared_ptr<const ResolvedRequest> request);

  // One batched step of every running group: one token for each live lane, and a chunk of the prompts that
  // are still to be read. Events go to `sink` in order. Returns whether any group is left. An error in one
  // group ends that group, with FinishReason::failed, and is not thrown.
  bool step(const EventSink& sink);

  // The following throw InvalidRequest if the group or the lane is not running, or a text is longer than what
  // is left of the budget. spawn returns the new lane's index, and throws DoesNotFit where the engine has too
  // few cells for one lane more.
  int32_t spawn(GroupId group, const SpawnOptions& options);
  void push_text(GroupId group, int32_t lane, std::string_view text);  // forced next, one token a step
  void retire(GroupId group, int32_t lane);                            // its segment stays readable
  void cancel(GroupId group);                                          // waiting for cells or running

  // Lets go of a group that finished with Request::hold. Nothing happens if it is not held (any more).
  void release(GroupId group);
  bool holds(GroupId group) const;  // whether it is held

  // Log-probabilities of given lanes, computed at once, between steps; nothing stays in the cells but the
  // prompt. Throws InvalidRequest, or DoesNotFit where too few cells are free.
  ScoreResult score(const ScoreRequest& request);

  // The operations that ran since it was last asked, those that took longest first. Empty without
  // EngineOptions::profile.
  std::vector<OperationTime> take_profile();

  // What was recorded of a group with AttentionRecording::mass, until it is taken; empty otherwise.
  AttentionRecord take_attention(GroupId group);

  // Where the attention of one token of a running or held group went: the row of `lane` at `step` is computed
  // once more over the cells that it saw. Throws InvalidRequest if the token has not been fed.
  AttentionProbe probe(GroupId group, int32_t lane, int32_t step);

  EngineState state() const;  // as the last call left it
  const Model& model() const;

  struct Impl;  // src/engine/engine_impl.h

 private:
  std::unique_ptr<Impl> impl_;
};

// KV cells, in whole pages, that such a score takes.
int64_t cells_of(const ScoreRequest& request);

// What a resolved request takes, without an engine.
MemoryNeed memory_need(const Model& model, const ResolvedRequest& request, KvType kv_type);

}  // namespace lanerope
