// SPDX-License-Identifier: Apache-2.0
#include "engine/policy_runner.h"

#include <algorithm>

#include "engine/policies/command.h"
#include "engine/policy_table.h"
#include "engine/selection.h"
#include "lanerope/errors.h"
#include "lanerope/model.h"

namespace lanerope::engine {

PolicyRunner::PolicyRunner(const ResolvedRequest& request, ActedOn& group)
    : request_(request), group_(group) {
  for (const PolicyChoice& choice : request.policies)
    policies_.push_back({.name = choice.name, .policy = make_policy(choice, request)});
  if (!request.policy_command.command.empty())
    policies_.push_back(
        {.name = "command", .policy = std::make_unique<CommandPolicy>(request.policy_command)});
  reads_tokens_ = std::ranges::any_of(policies_, [](const Named& of) { return of.policy->reads_tokens(); });
}

bool PolicyRunner::may_act(const Named& of) const {
  if (stopped_) return false;
  return of.policy->outlives_lanes() ||
         std::ranges::any_of(group_.lanes(), [](const Lane& lane) { return lane.live(); });
}

void PolicyRunner::after_step() {
  for (const Named& of : policies_) {
    if (!may_act(of)) continue;
    acting_ = &of;
    of.policy->after_step(*this, *this);
  }
  acting_ = nullptr;
  if (stopped_) policies_.clear();
}

// An act of a policy may be what ends the group.
void PolicyRunner::stop() {
  stopped_ = true;
  if (acting_ == nullptr) policies_.clear();
}

LaneStatus PolicyRunner::lane(int32_t index) const {
  const Lane& lane = group_.lanes().at(static_cast<size_t>(index));
  const auto n_prompt = static_cast<int32_t>(request_.prompt.size());
  int32_t left = std::min(lane.room(), request_.model->info().trained_context - n_prompt - lane.next_step());
  if (request_.max_tokens > 0) left = std::min(left, request_.max_tokens - lane.generated());
  return {.finish = lane.finish(),
          .text = lane.text(),
          .start_step = lane.start_step(),
          .tokens = lane.n_tokens(),
          .generated = lane.generated(),
          .left = lane.live() ? std::max(left, 0) : 0,
          .forced = lane.is_forced(),
          .mean_logprob = lane.mean_logprob(),
          .drawn = lane.drawn()};
}

std::optional<std::string> PolicyRunner::answer(int32_t lane) const {
  const auto found = group_.lanes().at(static_cast<size_t>(lane)).answer();
  return found ? std::optional(found->text) : std::nullopt;
}

std::vector<Vote> PolicyRunner::votes() const {
  std::vector<LaneResult> lanes(group_.lanes().size());
  for (size_t m = 0; m < lanes.size(); ++m) {
    if (const auto answer = group_.lanes()[m].answer()) {
      lanes[m].answer = answer->text;
      lanes[m].answer_from = answer->from;
    }
  }
  return count_votes(lanes);
}

bool PolicyRunner::takes_lane() const {
  const auto n_prompt = static_cast<int32_t>(request_.prompt.size());
  return n_lanes() < request_.n_lanes() + request_.reserved_lanes &&
         n_prompt + clock() + 1 < request_.model->info().trained_context;
}

// The act's event stands before what comes of it; of one that is refused it says why.
template <typename Do>
void PolicyRunner::act(PolicyAct act, Do perform) {
  if (!may_act(*acting_)) throw InvalidRequest("the group has ended, so its lanes cannot be changed");
  act.policy = acting_->name;
  act.step = clock();
  const size_t at = group_.events().size();
  const auto told = [&act] {
    return Event{.kind = EventKind::policy,
                 .lane = act.lane,
                 .step = act.step,
                 .act = std::make_shared<const PolicyAct>(act)};
  };
  group_.emit(told());
  acts_.push_back(act);
  try {
    perform();
  } catch (const Error& refusal) {
    group_.events().resize(at);
    act.refused = refusal.what();
    acts_.back() = act;
    group_.emit(told());
    throw;
  }
}

void PolicyRunner::retire(int32_t lane, const std::string& reason) {
  act({.kind = ActKind::retire, .lane = lane, .reason = reason}, [&] { group_.retire(lane); });
}

void PolicyRunner::push(int32_t lane, const std::string& text, const std::string& reason) {
  act({.kind = ActKind::push, .lane = lane, .text = text, .reason = reason},
      [&] { group_.push(lane, text); });
}

int32_t PolicyRunner::add(const SpawnOptions& options, const std::string& reason) {
  const bool forks = options.parent >= 0;
  std::string text = options.text;
  for (const TokenId token : options.tokens) text += request_.model->piece(token);
  int32_t index = n_lanes();
  act({.kind = forks ? ActKind::fork : ActKind::spawn,
       .lane = index,
       .parent = options.parent,
       .text = text,
       .reason = reason},
      [&] {
        if (n_lanes() >= request_.n_lanes() + request_.reserved_lanes)
          throw InvalidRequest("the group has no lane reserved for it");
        index = group_.spawn(options, request_.cells());
      });
  return index;
}

void PolicyRunner::end(FinishReason how, const std::string& reason) {
  act({.kind = ActKind::end, .reason = reason}, [&] {
    group_.end_all(how);
    stop();
  });
}

void PolicyRunner::note(const std::string& sentence) {
  note_ += (note_.empty() ? "" : "; ") + sentence;
}

}  // namespace lanerope::engine
