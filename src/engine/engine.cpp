// SPDX-License-Identifier: Apache-2.0
#include "lanerope/engine.h"

#include <algorithm>
#include <limits>

#include "engine/engine_impl.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"

namespace lanerope {

namespace {

// How long a step waits for a verifier or a tool when there is nothing else to do.
constexpr std::chrono::milliseconds idle_patience{20};

// A refusal leaves the group as it was; any other error in the midst of a change ends it.
template <typename Change>
void guarded(engine::Group& group, Change change) {
  try {
    change();
  } catch (const InvalidRequest&) {
    throw;
  } catch (const DoesNotFit&) {
    throw;
  } catch (...) {
    group.fail(std::current_exception());
    throw;
  }
}

const EngineOptions& checked(const EngineOptions& options) {
  if (options.kv_cells < 2) throw InvalidRequest("an engine needs at least two KV cells");
  if (options.kv_cells > std::numeric_limits<int32_t>::max() - page_cells)
    throw InvalidRequest("an engine has fewer KV cells than " + std::to_string(options.kv_cells));
  if (options.batch_rows < 1) throw InvalidRequest("a batch needs at least one row");
  if (!(options.longest_step >= 0))
    throw InvalidRequest("the longest step must be 0 (no bound) or more seconds");
  return options;
}

}  // namespace

Engine::Impl::Impl(std::shared_ptr<const Model> loaded, const EngineOptions& wanted)
    : model(std::move(loaded)),
      options(checked(wanted)),
      runner(
          model::loaded(*model),
          {.n_cells = whole_pages(options.kv_cells), .kv_type = options.kv_type, .profile = options.profile}),
      allocator(pages_of(options.kv_cells)),
      prefixes(allocator, {.keep = options.keep_prefixes, .share = options.share_prefixes}),
      pace(options.longest_step, options.batch_rows) {}

engine::Group& Engine::Impl::group(GroupId id) {
  for (const auto& group : groups) {
    if (group->id() == id) return *group;
  }
  throw InvalidRequest("there is no running group " + std::to_string(id));
}

engine::Group& Engine::Impl::readable_group(GroupId id) {
  for (const auto& group : held) {
    if (group->id() == id) return *group;
  }
  return group(id);
}

// What one group makes of the step's output.
void Engine::Impl::take(const engine::StepBatch::Slice& slice, const engine::StepBatch& step,
                        const model::StepOutput& output) {
  engine::Group& group = *slice.group;
  const auto recorder = recorders.find(group.id());
  const auto logits_of = [&](size_t row) { return output.row(slice.at.outputs[row]); };
  if (group.state() == engine::GroupState::refill) return group.refill_is_done(slice.rows);
  if (group.state() == engine::GroupState::prefill) {
    engine::CachedPrompt& prompt = group.memory().prompt();
    if (group.scores_prompt()) {
      for (size_t r = 0; r < slice.rows.size(); ++r)
        group.score_prompt(slice.rows[r].step, logits_of(r), sampler);
    }
    prompt.read += static_cast<int32_t>(slice.rows.size());
    if (prompt.read == group.n_prompt()) group.prefill_is_done(logits_of(slice.rows.size() - 1), sampler);
    return;
  }
  if (recorder != recorders.end()) {
    recorder->second.add(
        {.plan = step.batch.plans.front(), .first_block = slice.at.first_block, .rows = slice.rows},
        output.masses);
  }
  group.step_is_done(slice.rows, logits_of, sampler);
}

// Runs the batch while the masks of its lanes are made; they are, too, when it returns or throws.
const model::StepOutput& Engine::Impl::computed(const engine::StepBatch& step) {
  std::vector<engine::Lane*> to_mask;
  for (const engine::StepBatch::Slice& slice : step.slices) {
    if (slice.group->state() == engine::GroupState::decode) slice.group->append_lanes_to_mask(to_mask);
  }
  masks.start(std::move(to_mask));
  try {
    const model::StepOutput& output = runner.run(step.batch);
    masks.wait();
    return output;
  } catch (...) {
    masks.wait();
    throw;
  }
}

// An error in one group ends that group. Where the batch itself fails, whoever made it fail is found by
// running each group's rows alone, which writes the same keys and values to the same cells.
void Engine::Impl::run(const engine::StepBatch& step) {
  const model::StepOutput* output = nullptr;
  try {
    for (const engine::StepBatch::Slice& slice : step.slices) at(StepPoint::compute, *slice.group);
    output = &computed(step);
  } catch (...) {
    if (step.slices.size() > 1) return run_one_by_one(step);
    step.slices.front().group->fail(std::current_exception());
    return;
  }
  for (const engine::StepBatch::Slice& slice : step.slices) {
    try {
      at(StepPoint::take, *slice.group);
      take(slice, step, *output);
    } catch (...) {
      slice.group->fail(std::current_exception());
    }
  }
}

void Engine::Impl::run_one_by_one(const engine::StepBatch& step) {
  for (const engine::StepBatch::Slice& slice : step.slices) {
    try {
      run(engine::assemble_again(slice, runner.batch()));
    } catch (...) {
      slice.group->fail(std::current_exception());
    }
  }
}

void Engine::Impl::take_tool_results() {
  for (const auto& group : groups) {
    try {
      group->take_tool_results();
    } catch (...) {
      group->fail(std::current_exception());
    }
  }
}

// Where there is nothing to compute until a tool has answered.
bool Engine::Impl::wait_for_tools(std::chrono::milliseconds patience) {
  const bool waits = std::ranges::any_of(groups, [](const auto& group) { return group->waits_for_tools(); });
  if (waits) tool_threads.wait(patience);
  return waits;
}

void Engine::Impl::select(std::chrono::milliseconds patience) {
  for (const auto& group : groups) {
    if (group->state() != engine::GroupState::selecting) continue;
    try {
      at(StepPoint::select, *group);
      group->poll_selection(patience);
    } catch (...) {
      group->fail(std::current_exception());
    }
  }
}

// Hands out the events in order and buries the groups that have finished. Whether any group is left.
bool Engine::Impl::deliver(const EventSink& sink) {
  for (const auto& group : groups) {
    for (const Event& event : group->take_events()) {
      if (sink) sink(event);
    }
  }
  for (std::unique_ptr<engine::Group>& group : groups) {
    if (group->state() == engine::GroupState::finished && group->held()) held.push_back(std::move(group));
  }
  std::erase_if(groups, [&](const std::unique_ptr<engine::Group>& group) {
    if (group == nullptr) return true;
    if (group->state() != engine::GroupState::finished) return false;
    group->memory().let_go(prefixes);
    return true;
  });
  return !groups.empty();
}

Engine::Engine(std::shared_ptr<const Model> model, const EngineOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), options)) {}
Engine::~Engine() = default;

MemoryNeed Engine::need(const Request& request, const RequestDefaults& defaults) const {
  return memory_need(*impl_->model, *resolve(*impl_->model, request, defaults), impl_->options.kv_type);
}

MemoryNeed memory_need(const Model& model, const ResolvedRequest& request, KvType kv_type) {
  const size_t cell_bytes = model::kv_bytes_per_cell(model::loaded(model).config, kv_type);
  return {.prompt_cells = request.prompt_cells(),
          .lane_cells = request.lane_cells(),
          .kv_bytes = cell_bytes * static_cast<size_t>(request.cells())};
}

GroupId Engine::submit(const Request& request, const RequestDefaults& defaults) {
  return submit(resolve(*impl_->model, request, defaults));
}

GroupId Engine::submit(std::shared_ptr<const ResolvedRequest> request) {
  if (request->model != impl_->model.get())
    throw InvalidRequest("the request was resolved for another model than the engine's");
  if (request->cells() > impl_->n_cells()) {
    throw DoesNotFit("the request may come to need " + std::to_string(request->cells()) + " KV cells (" +
                     std::to_string(request->prompt_cells()) + " of prompt, " +
                     std::to_string(request->n_lanes() + request->reserved_lanes) + " lanes x " +
                     std::to_string(request->cells_of_lane()) + "), and the engine has " +
                     std::to_string(impl_->n_cells()) +
                     "; use fewer lanes, a smaller budget, or an engine with more cells");
  }
  const GroupId id = impl_->next_id++;
  impl_->groups.push_back(
      std::make_unique<engine::Group>(id, *impl_->model, std::move(request), impl_->tool_threads));
  return id;
}

bool Engine::step(const EventSink& sink) {
  impl_->take_tool_results();
  impl_->start_groups();
  impl_->make_room();
  const engine::StepBatch step = impl_->assemble_rows();
  if (!step.empty()) {
    ++impl_->steps;
    const auto begin = std::chrono::steady_clock::now();
    impl_->run(step);
    impl_->account(step, std::chrono::steady_clock::now() - begin);
  }
  const bool waited = step.empty() && impl_->wait_for_tools(idle_patience);
  impl_->select(step.empty() && !waited ? idle_patience : std::chrono::milliseconds(0));
  return impl_->deliver(sink);
}

int32_t Engine::spawn(GroupId group, const SpawnOptions& options) {
  engine::Group& of = impl_->group(group);
  int32_t lane = -1;
  guarded(of, [&] { lane = of.spawn(options, impl_->n_cells()); });
  return lane;
}

void Engine::push_text(GroupId group, int32_t lane, std::string_view text) {
  engine::Group& of = impl_->group(group);
  guarded(of, [&] { of.push(lane, text); });
}

void Engine::retire(GroupId group, int32_t lane) {
  engine::Group& of = impl_->group(group);
  guarded(of, [&] { of.retire(lane); });
}

void Engine::cancel(GroupId group) {
  engine::Group& of = impl_->group(group);
  try {
    of.cancel();
  } catch (...) {
    of.fail(std::current_exception());
  }
}

void Engine::release(GroupId id) {
  std::erase_if(impl_->held, [&](const std::unique_ptr<engine::Group>& group) {
    if (group->id() != id) return false;
    group->memory().let_go(impl_->prefixes);
    return true;
  });
}

bool Engine::holds(GroupId id) const {
  return std::ranges::any_of(impl_->held, [&](const auto& group) { return group->id() == id; });
}

std::vector<OperationTime> Engine::take_profile() {
  return impl_->runner.take_profile();
}

AttentionRecord Engine::take_attention(GroupId group) {
  const auto found = impl_->recorders.find(group);
  if (found == impl_->recorders.end()) return {};
  AttentionRecord record = found->second.record();
  impl_->recorders.erase(found);
  return record;
}

EngineState Engine::state() const {
  EngineState state{.held_groups = static_cast<int32_t>(impl_->held.size()),
                    .cells_kept = impl_->prefixes.cells_kept(),
                    .cells = impl_->n_cells(),
                    .steps = impl_->steps,
                    .put_back = impl_->put_back,
                    .graph_builds = impl_->runner.n_graph_builds(),
                    .graph_nodes = impl_->runner.n_graph_nodes(),
                    .device_bytes = impl_->runner.n_device_bytes()};
  state.cells_used = state.cells - impl_->allocator.n_free() * page_cells - state.cells_kept;
  for (const auto& group : impl_->groups) {
    ++(group->state() == engine::GroupState::queued ? state.queued_groups : state.groups);
    state.lanes += group->live_lanes();
  }
  return state;
}

const Model& Engine::model() const {
  return *impl_->model;
}

}  // namespace lanerope
