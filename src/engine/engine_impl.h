// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "core/cell_allocator.h"
#include "engine/attention_recorder.h"
#include "engine/group.h"
#include "engine/prefix_store.h"
#include "engine/sampler.h"
#include "lanerope/engine.h"
#include "model/forward.h"
#include "model/kv_pool.h"

namespace lanerope {

struct StepBatch;

struct Engine::Impl {
  Impl(std::shared_ptr<const Model> model, const EngineOptions& options);

  Group& group(GroupId id);
  void start_groups();
  bool release_oldest_held();
  Group& readable_group(GroupId id);  // running, or finished and held
  void run(StepBatch& step);
  bool deliver(const EventSink& sink);

  std::shared_ptr<const Model> model;
  EngineOptions options;
  std::unique_ptr<LaneOperations> operations_for_layout;  // until the pool knows its layout
  KvPool pool;
  Forward forward;
  CellAllocator allocator;  // outlives everything that holds cells
  PrefixStore prefixes;
  Sampler sampler;
  std::vector<std::unique_ptr<Group>> groups;  // in the order of their arrival
  std::deque<std::unique_ptr<Group>> held;     // finished, oldest first
  std::map<GroupId, AttentionRecorder> recorders;
  GroupId next_id = 1;
  int64_t steps = 0;
};

}  // namespace lanerope
