// SPDX-License-Identifier: Apache-2.0
#include "engine/group.h"

#include <algorithm>
#include <cassert>

#include "engine/selection.h"

namespace lanerope::engine {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Group::Group(GroupId id, const Model& model, std::shared_ptr<const ResolvedRequest> request,
             ToolThreads& threads)
    : id_(id),
      model_(model),
      resolved_(std::move(request)),
      request_(*resolved_),
      held_(request_.asked.hold),
      rules_{.model = model, .request = request_},
      memory_(request_),
      policies_(request_, *this),
      tools_(request_, *this, threads),
      selector_(request_),
      sleepers_(request_.sleep, request_.coupling) {}

bool Group::start(PrefixCache& cache, const GroupMemory::Start& how) {
  assert(state_ == GroupState::queued);
  if (!memory_.start(cache, how)) return false;
  state_ = GroupState::prefill;
  if (lanes_.empty()) {
    result_.prompt_tokens = n_prompt();
    result_.cached_prompt_tokens = memory_.prompt().shared;
    started_ = Clock::now();
  }
  return true;
}

bool Group::make_room(PrefixCache& cache) {
  return std::ranges::all_of(decode_rows(),
                             [&](const core::GroupRow& row) { return memory_.make_room(row.lane, cache); });
}

void Group::put_back(PrefixCache& cache) {
  assert(memory_.started() && state_ < GroupState::selecting);
  memory_.put_back(cache);
  state_ = GroupState::queued;
  put_back_ = true;
}

void Group::refill_is_done(std::span<const core::GroupRow> rows) {
  assert(state_ == GroupState::refill);
  for (const core::GroupRow& row : rows) memory_.filled(row.lane);
  if (memory_.is_filled()) state_ = GroupState::decode;
}

std::vector<core::GroupRow> Group::decode_rows() const {
  std::vector<core::GroupRow> rows;
  for (int32_t m = 0; m < static_cast<int32_t>(lanes_.size()); ++m) {
    const bool waiting = memory_.n_fed(m) < lanes_[m].n_tokens() && !sleepers_.asleep(m);
    if (waiting) rows.push_back({.lane = m, .step = memory_.next_step(m)});
  }
  return rows;
}

bool Group::wants_logits(const core::GroupRow& row) const {
  return lanes_[row.lane].live() && !lanes_[row.lane].is_forced();
}

TokenId Group::token_at(const core::GroupRow& row) const {
  return lanes_[row.lane].tokens()[memory_.token_index(row)];
}

void Group::score_prompt(int32_t index, std::span<const float> logits, Sampler& sampler) {
  if (index == 0) prompt_scores_ = {{.token = request_.prompt.front()}};
  if (index + 1 == n_prompt()) return;
  prompt_scores_.push_back(
      sampler.score(logits, request_.prompt[index + 1], *request_.asked.prompt_logprobs));
}

void Group::append_lanes_to_mask(std::vector<Lane*>& lanes) {
  for (Lane& lane : lanes_) {
    if (lane.has_format() && lane.live() && !lane.is_forced()) lanes.push_back(&lane);
  }
}

void Group::prefill_is_done(std::span<const float> logits, Sampler& sampler) {
  assert(state_ == GroupState::prefill);
  if (!lanes_.empty()) {
    state_ = memory_.is_filled() ? GroupState::decode : GroupState::refill;
    return;
  }
  state_ = GroupState::decode;
  read_ = Clock::now();
  prompt_logits_.assign(logits.begin(), logits.end());
  Event read{.kind = EventKind::prefill};
  if (scores_prompt())
    read.prompt = std::make_shared<const std::vector<PromptToken>>(std::move(prompt_scores_));
  emit(std::move(read));
  for (int32_t m = 0; m < request_.n_lanes(); ++m) {
    memory_.add_lane({.start_step = clock_});
    add_lane(
        {.start_step = clock_, .forced = request_.lanes[m].forced, .silent = request_.lanes[m].tag_tokens});
  }
  for (int32_t m = 0; m < request_.n_lanes(); ++m) choose(m, prompt_logits_, sampler);
  after_step();
}

void Group::add_lane(LaneOrigin origin) {
  const auto index = static_cast<int32_t>(lanes_.size());
  emit({.kind = EventKind::lane_started, .lane = index, .step = clock_, .text = origin.text});
  lanes_.emplace_back(rules_, std::move(origin));
  sleepers_.joined(index);
  tools_.joined();
}

void Group::step_is_done(std::span<const core::GroupRow> rows, const LogitsOf& logits_of, Sampler& sampler) {
  for (const core::GroupRow& row : rows) memory_.fed(row.lane);
  ++clock_;
  for (size_t r = 0; r < rows.size(); ++r) {
    const int32_t m = rows[r].lane;
    if (lanes_[m].live()) choose(m, lanes_[m].is_forced() ? std::span<const float>() : logits_of(r), sampler);
  }
  after_step();
}

void Group::choose(int32_t index, std::span<const float> logits, Sampler& sampler) {
  Lane& lane = lanes_[index];
  Event event{.kind = EventKind::token, .lane = index, .step = lane.next_step()};
  Taken taken;
  if (const std::optional<TokenId> forced = lane.next_forced()) {
    event.token = *forced;
    event.forced = true;
    taken = lane.append(*forced, std::nullopt);
  } else {
    const Sampling& sampling = request_.sampling;
    std::vector<TokenId> history;
    const auto window = static_cast<size_t>(sampling.penalty_window);
    if (has_penalties(sampling) && lane.tokens().size() < window) {
      const size_t of_prompt = std::min(window - lane.tokens().size(), request_.prompt.size());
      history.assign(request_.prompt.end() - static_cast<std::ptrdiff_t>(of_prompt), request_.prompt.end());
    }
    if (has_penalties(sampling)) history.insert(history.end(), lane.tokens().begin(), lane.tokens().end());
    const Draw draw = sampler.draw(logits, {.sampling = sampling,
                                            .history = history,
                                            .key = {.seed = request_.seed,
                                                    .lane = static_cast<uint32_t>(index),
                                                    .step = static_cast<uint32_t>(lane.tokens().size())},
                                            .allowed = lane.allowed(),
                                            .top_logprobs = request_.asked.top_logprobs,
                                            .certainty = request_.certainty_window > 0,
                                            .drawn = policies_.reads_tokens()});
    lane.drew(draw.drawn);
    if (draw.certainty) lane.measure(*draw.certainty);
    event.token = draw.token;
    if (request_.asked.logprobs || request_.asked.top_logprobs > 0) {
      event.logprob = draw.logprob;
      event.top = draw.top;
    }
    taken = lane.append(draw.token, draw.logprob);
  }
  sleepers_.chose(index, event.token);
  event.text = std::move(taken.text);
  const TokenId token = event.token;
  const bool forced = event.forced;
  emit(std::move(event));
  const bool goes_on = tools_.chose({.lane = index,
                                     .token = token,
                                     .text = lane.last_is_text(),
                                     .forced = forced,
                                     .ends = taken.finish == FinishReason::end});
  if (taken.finish != FinishReason::none && !goes_on) end_lane(index, taken.finish);
}

void Group::end_lane(int32_t index, FinishReason reason) {
  Lane& lane = lanes_[index];
  if (!lane.live()) return;
  const std::string rest = lane.end(reason);
  finish_order_.push_back(index);
  sleepers_.ended(index);
  tools_.ended(index);
  emit({.kind = EventKind::lane_finished,
        .lane = index,
        .step = lane.next_step(),
        .text = rest,
        .finish = reason});
}

void Group::after_step() {
  tools_.after_step();
  policies_.after_step();
  for (Lane& lane : lanes_) lane.drew(std::nullopt);
  settle_sleepers();
  finish_if_over();
}

void Group::take_tool_results() {
  if (!writes() || !tools_.take_results()) return;
  settle_sleepers();
  finish_if_over();
}

void Group::settle_sleepers() {
  if (!writes()) return;
  for (const core::Sleepers::Change& change : sleepers_.settle()) {
    Event event{.kind = change.asleep ? EventKind::lane_slept : EventKind::lane_woke,
                .lane = change.lane,
                .step = clock_};
    if (!change.asleep) lanes_[change.lane].slept(memory_.woke(change.lane, clock_));
    emit(std::move(event));
    // The clock went on while it slept, maybe to the end of the model's context.
    const bool spent = n_prompt() + lanes_[change.lane].next_step() >= model_.info().trained_context;
    if (!change.asleep && spent) end_lane(change.lane, FinishReason::length);
  }
}

void Group::collect_lanes() {
  for (size_t m = 0; m < lanes_.size(); ++m) {
    result_.lanes.push_back(lanes_[m].result());
    const std::span<const Sleep> sleeps = memory_.lane(static_cast<int32_t>(m)).sleeps;
    result_.lanes.back().sleeps.assign(sleeps.begin(), sleeps.end());
  }
  result_.clock = clock_;
  result_.acts = policies_.acts();
  result_.tool_runs = tools_.runs();
  result_.note = policies_.note();
}

void Group::finish_if_over() {
  if (!writes() || live_lanes() > 0) return;
  collect_lanes();
  result_.prefill_seconds = seconds_between(started_, read_);
  result_.decode_seconds = seconds_between(read_, Clock::now());
  result_.votes = count_votes(result_.lanes, request_.selection.weight);
  state_ = GroupState::selecting;
  const bool verifies = request_.selection.kind == SelectionKind::verifier;
  selector_.start(result_.lanes, finish_order_, verifies ? model_.decode(request_.prompt) : "");
  if (!verifies) poll_selection(std::chrono::milliseconds(0));
}

void Group::poll_selection(std::chrono::milliseconds patience) {
  const std::optional<Selector::Outcome> outcome = selector_.poll(patience);
  if (!outcome) return;
  result_.selected = outcome->selected.lane;
  result_.confidence = outcome->selected.confidence;
  if (!outcome->note.empty()) result_.note += (result_.note.empty() ? "" : "; ") + outcome->note;
  for (size_t m = 0; m < outcome->scores.size(); ++m) result_.lanes[m].verifier_score = outcome->scores[m];
  report(FinishReason::none);
}

void Group::cut_off(FinishReason reason) {
  held_ = false;
  selector_.stop();
  for (int32_t m = 0; m < static_cast<int32_t>(lanes_.size()); ++m) end_lane(m, reason);
  if (result_.lanes.empty()) collect_lanes();
  report(reason);
}

void Group::fail(std::exception_ptr error) {
  if (state_ == GroupState::finished) return;
  result_.error = std::move(error);
  try {
    cut_off(FinishReason::failed);
  } catch (...) {  // what its lanes wrote is what cannot be read
    result_.lanes.clear();
    report(FinishReason::failed);
  }
}

void Group::report(FinishReason reason_for_all) {
  state_ = GroupState::finished;
  policies_.stop();
  emit({.kind = EventKind::group_finished,
        .step = clock_,
        .finish = reason_for_all,
        .result = std::make_shared<const GroupResult>(result_)});
}

int32_t Group::live_lanes() const {
  return static_cast<int32_t>(std::ranges::count_if(lanes_, [](const Lane& lane) { return lane.live(); }));
}

int32_t Group::lanes_to_grow() const {
  int32_t growing = 0;
  for (int32_t m = 0; m < static_cast<int32_t>(lanes_.size()); ++m)
    growing += lanes_[m].live() && !memory_.has_whole_budget(m) ? 1 : 0;
  return growing;
}

void Group::emit(Event event) {
  event.group = id_;
  if (!announced_) event.resolved = resolved_;
  announced_ = true;
  events_.push_back(std::move(event));
}

}  // namespace lanerope::engine
