// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "core/page_allocator.h"
#include "engine/attention_recorder.h"
#include "engine/group.h"
#include "engine/mask_worker.h"
#include "engine/prefill_pace.h"
#include "engine/prefix_cache.h"
#include "engine/sampler.h"
#include "engine/step_batch.h"
#include "engine/waiting_order.h"
#include "lanerope/engine.h"
#include "model/model_runner.h"

namespace lanerope {

struct Engine::Impl {
  Impl(std::shared_ptr<const Model> model, const EngineOptions& options);

  engine::Group& group(GroupId id);
  int32_t n_cells() const { return allocator.n_pages() * page_cells; }
  void start_groups();
  bool start(engine::Group& group);
  engine::Group* to_put_back() const;
  // Sees that every lane's next cell has a page, putting back the youngest groups where pages run out.
  void make_room();
  bool release_oldest_held();
  engine::Group& readable_group(GroupId id);  // running, or finished and held
  void take(const engine::StepBatch::Slice& slice, const engine::StepBatch& step,
            const model::StepOutput& output);
  void at(StepPoint point, const engine::Group& group) const {
    if (options.watch != nullptr) options.watch->at(point, group.id());
  }
  engine::StepBatch assemble_rows();
  void account(const engine::StepBatch& step, std::chrono::duration<double> took);
  const model::StepOutput& computed(const engine::StepBatch& step);
  void run(const engine::StepBatch& step);
  void run_one_by_one(const engine::StepBatch& step);
  void take_tool_results();
  bool wait_for_tools(std::chrono::milliseconds patience);
  void select(std::chrono::milliseconds patience);
  bool deliver(const EventSink& sink);

  std::shared_ptr<const Model> model;
  EngineOptions options;
  model::ModelRunner runner;
  engine::ToolThreads tool_threads;  // outlive the groups
  core::PageAllocator allocator;     // outlives everything that holds pages
  engine::PrefixCache prefixes;
  engine::PrefillPace pace;
  engine::WaitingOrder waiting;
  engine::Sampler sampler;
  std::vector<std::unique_ptr<engine::Group>> groups;  // in the order of their arrival
  std::deque<std::unique_ptr<engine::Group>> held;     // finished, oldest first
  std::map<GroupId, engine::AttentionRecorder> recorders;
  engine::MaskWorker masks;  // ends before the lanes do
  GroupId next_id = 1;
  int64_t steps = 0;
  int64_t put_back = 0;  // groups
};

}  // namespace lanerope
