// SPDX-License-Identifier: Apache-2.0
// Who starts, who is put back, and what the next step holds.
#include <algorithm>

#include "engine/engine_impl.h"

namespace lanerope {

bool Engine::Impl::release_oldest_held() {
  if (held.empty()) return false;
  held.front()->memory().let_go(prefixes);
  held.pop_front();
  return true;
}

// A group that starts leaves a page for each lane that may come to need one, so that it is not put back at
// once; one that was put back leaves two, since it has to read again what its lanes had written.
bool Engine::Impl::start(engine::Group& group) {
  int32_t spare = 0;
  for (const auto& other : groups) {
    if (!other->has_pages()) continue;
    spare += other->lanes_to_grow() * (group.was_put_back() ? 2 : 1);
  }
  const auto tried = [&] {
    return group.start(prefixes, {.whole_budgets = options.reserve_budgets, .spare = spare});
  };
  bool started = tried();
  while (!started && release_oldest_held()) started = tried();
  return started;
}

void Engine::Impl::start_groups() {
  while (engine::Group* group = waiting.next(groups)) {
    try {
      at(StepPoint::start, *group);
      if (!start(*group)) break;  // nobody overtakes who waits for pages
      if (group->request().asked.attention != AttentionRecording::none) {
        recorders.try_emplace(group->id(), model->info().n_layer, model->info().n_head);
      }
    } catch (...) {
      group->fail(std::current_exception());
    }
  }
}

// Whose pages are taken where there are none: of the least urgent groups the youngest, which has written
// least.
engine::Group* Engine::Impl::to_put_back() const {
  engine::Group* last = nullptr;
  for (const auto& group : groups) {
    if (!group->has_pages() || group->state() >= engine::GroupState::selecting) continue;
    if (last == nullptr || group->request().asked.priority >= last->request().asked.priority)
      last = group.get();
  }
  return last;
}

void Engine::Impl::make_room() {
  // What lanes are forced is read as a prompt is, many tokens in a step.
  int32_t live = 0;
  for (const auto& group : groups) live += group->live_lanes();
  int32_t ahead = pace.prompt_rows(live);
  for (const auto& group : groups) {
    if (group->state() != engine::GroupState::decode) continue;
    try {
      ahead -= group->choose_ahead(ahead);
    } catch (...) {
      group->fail(std::current_exception());
    }
  }
  for (const auto& group : groups) {
    while (group->state() == engine::GroupState::decode && !group->make_room(prefixes)) {
      if (release_oldest_held()) continue;
      to_put_back()->put_back(prefixes);  // maybe the group itself
      ++put_back;
    }
  }
}

// Where a group cannot say what it wants fed, the batch is made again without it.
engine::StepBatch Engine::Impl::assemble_rows() {
  const auto row_of = [&](const engine::Group& group) { at(StepPoint::rows, group); };
  while (true) {
    try {
      return engine::assemble(groups, pace, {.batch = runner.batch(), .before = row_of});
    } catch (const engine::GroupError& error) {
      error.group->fail(error.cause);
    }
  }
}

void Engine::Impl::account(const engine::StepBatch& step, std::chrono::duration<double> took) {
  pace.took({.lane_rows = step.lane_rows,
             .prompt_rows = step.batch.n_rows() - step.lane_rows,
             .seconds = took.count()});
  for (const engine::StepBatch::Slice& slice : step.slices)
    waiting.served(*slice.group, std::ssize(slice.rows));
}

}  // namespace lanerope
