// SPDX-License-Identifier: Apache-2.0
#include "engine/group.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "engine/penalty_history.h"
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

int32_t Group::choose_ahead(int32_t rows) {
  // Lanes that sleep, policies and tools go by single steps.
  if (request_.sleep.on() || policies_.any() || request_.tools.on()) return 0;
  int32_t live = 0;
  int32_t steps = model_.info().trained_context - n_prompt() - clock_ - 1;  // no lane comes to its end
  for (int32_t m = 0; m < static_cast<int32_t>(lanes_.size()); ++m) {
    if (!lanes_[m].live()) continue;
    ++live;
    steps = std::min(steps, lanes_[m].n_tokens() + lanes_[m].n_forced() - memory_.n_fed(m));
  }
  if (live > 0) steps = std::min(steps, 1 + rows / live);
  if (live == 0 || steps <= 1) return 0;
  Sampler unused;  // nothing is drawn
  for (int32_t chosen = 1; chosen < steps; ++chosen) {
    for (int32_t m = 0; m < static_cast<int32_t>(lanes_.size()); ++m) {
      if (lanes_[m].live() && lanes_[m].n_tokens() - memory_.n_fed(m) == chosen) choose(m, {}, unused);
    }
  }
  return (steps - 1) * live;
}

bool Group::make_room(PrefixCache& cache) {
  return std::ranges::all_of(decode_rows(), [&](const core::GroupRow& row) {
    return memory_.make_room(row.lane, memory_.token_index(row) + 1, cache);
  });
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
  const auto n_lanes = static_cast<int32_t>(lanes_.size());
  const auto unfed = [this](int32_t m) {
    return sleepers_.asleep(m) ? 0 : lanes_[m].n_tokens() - memory_.n_fed(m);
  };
  // A lane that is to be drawn a token waits for nobody, and nobody runs ahead of it.
  int32_t steps = std::numeric_limits<int32_t>::max();
  for (int32_t m = 0; m < n_lanes; ++m) {
    if (lanes_[m].live() && unfed(m) > 0) steps = std::min(steps, unfed(m));
  }
  std::vector<core::GroupRow> rows;
  for (int32_t m = 0; m < n_lanes; ++m) {
    const int32_t first = memory_.n_fed(m);
    for (int32_t i = first; i < first + std::min(steps, unfed(m)); ++i)
      rows.push_back({.lane = m, .step = memory_.step_of(m, i)});
  }
  return rows;
}

bool Group::wants_logits(const core::GroupRow& row) const {
  const Lane& lane = lanes_[row.lane];
  return lane.live() && !lane.is_forced() && memory_.token_index(row) + 1 == lane.n_tokens();
}

TokenId Group::token_at(const core::GroupRow& row) const {
  return lanes_[row.lane].tokens()[memory_.token_index(row)];
}

void Group::score_prompt(int32_t index, const kernels::LogitRow& logits, Sampler& sampler) {
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

void Group::prefill_is_done(const kernels::LogitRow& logits, Sampler& sampler) {
  assert(state_ == GroupState::prefill);
  if (!lanes_.empty()) {
    state_ = memory_.is_filled() ? GroupState::decode : GroupState::refill;
    return;
  }
  state_ = GroupState::decode;
  read_ = Clock::now();
  const std::span<const float> of_prompt = logits.all();
  prompt_logits_.assign(of_prompt.begin(), of_prompt.end());
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
  emit({.kind = EventKind::lane_started,
        .lane = index,
        .step = clock_,
        .text = origin.text,
        .second_stage = index == result_.then_lane});
  lanes_.emplace_back(rules_, std::move(origin));
  sleepers_.joined(index);
  tools_.joined(lanes_.back().text());
}

void Group::step_is_done(std::span<const core::GroupRow> rows, const LogitsOf& logits_of, Sampler& sampler) {
  for (const core::GroupRow& row : rows) {
    memory_.fed(row.lane);
    clock_ = std::max(clock_, row.step + 1);
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    const int32_t m = rows[r].lane;
    const bool last_of_lane = r + 1 == rows.size() || rows[r + 1].lane != m;
    if (!last_of_lane || !lanes_[m].live() || memory_.n_fed(m) < lanes_[m].n_tokens()) continue;
    choose(m, lanes_[m].is_forced() ? kernels::LogitRow() : logits_of(r), sampler);
  }
  after_step();
}

void Group::choose(int32_t index, const kernels::LogitRow& logits, Sampler& sampler) {
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
    if (has_penalties(sampling))
      history = penalty_history(request_, {.lanes = lanes_, .memory = memory_}, index);
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
  if (core::is_hand_over(event.token, request_.sleep)) memory_.sees_from(index, lane.n_tokens() - 1);
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
  note(policies_.note());
  // Of a group that never came to an end of its own, as far as it came.
  if (started_ == Clock::time_point()) return;
  const Clock::time_point now = Clock::now();
  const bool read = read_ != Clock::time_point();
  result_.prefill_seconds = seconds_between(started_, read ? read_ : now);
  result_.decode_seconds = read ? seconds_between(read_, now) : 0;
}

// It begins behind the longest lane, whose last token is still to be fed, as all tokens that were chosen are.
bool Group::start_second_stage() {
  if (!request_.then || result_.then_lane >= 0) return false;
  policies_.stop();  // they watch the lanes
  settle_sleepers();
  int32_t start = clock_;
  for (const Lane& lane : lanes_) start = std::max(start, lane.next_step());
  const std::vector<TokenId>& forced = request_.then->forced;
  if (n_prompt() + int64_t{start} + std::ssize(forced) >= model_.info().trained_context) {
    note("the lanes left no room for the second stage in the model's context");
    return false;
  }
  result_.then_lane = static_cast<int32_t>(lanes_.size());
  memory_.add_lane({.start_step = start, .second_stage = true});
  add_lane({.start_step = start,
            .forced = forced,
            .silent = static_cast<int32_t>(forced.size()),
            .budget = request_.then->n_cells()});
  Sampler unused;  // its first token is forced
  choose(result_.then_lane, {}, unused);
  return true;
}

void Group::note(const std::string& sentence) {
  if (!sentence.empty()) result_.note += (result_.note.empty() ? "" : "; ") + sentence;
}

void Group::finish_if_over() {
  if (!writes() || live_lanes() > 0 || start_second_stage()) return;
  collect_lanes();
  std::vector<LaneResult> voters = result_.lanes;
  if (result_.then_lane >= 0) voters.pop_back();
  result_.votes = count_votes(voters, request_.selection.weight);
  state_ = GroupState::selecting;
  const bool verifies = request_.selection.kind == SelectionKind::verifier;
  selector_.start({.lanes = result_.lanes,
                   .finish_order = finish_order_,
                   .then_lane = result_.then_lane,
                   .prompt = verifies ? model_.decode(request_.prompt) : ""});
  if (!verifies) poll_selection(std::chrono::milliseconds(0));
}

void Group::poll_selection(std::chrono::milliseconds patience) {
  const std::optional<Selector::Outcome> outcome = selector_.poll(patience);
  if (!outcome) return;
  result_.selected = outcome->selected.lane;
  result_.confidence = outcome->selected.confidence;
  note(outcome->note);
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
