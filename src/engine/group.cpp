// SPDX-License-Identifier: Apache-2.0
#include "engine/group.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "answers/extract.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"

namespace lanerope::engine {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Group::Group(GroupId id, const Model& model, std::shared_ptr<const ResolvedRequest> request)
    : id_(id),
      model_(model),
      resolved_(std::move(request)),
      request_(*resolved_),
      held_(request_.asked.hold) {}

bool Group::start(PrefixCache& store) {
  assert(state_ == GroupState::queued);
  std::deque<std::shared_ptr<const OwnedCells>> cells;
  for (int32_t m = 0; m < request_.n_lanes() + request_.reserved_lanes; ++m) {
    cells.push_back(store.allocate(request_.budget));
    if (cells.back() == nullptr) return false;
  }
  prompt_ = store.place(request_.prompt, request_.prompt_scales);
  if (prompt_ == nullptr) return false;
  free_cells_ = std::move(cells);
  result_.prompt_tokens = n_prompt();
  result_.cached_prompt_tokens = prompt_->shared;
  started_ = Clock::now();
  state_ = GroupState::prefill;
  return true;
}

bool Group::waits_for_prefix() {
  const auto& source = prompt_->source;
  if (source == nullptr) return false;
  if (source->ready() >= prompt_->shared) {
    prompt_->source = nullptr;
    return false;
  }
  // Nobody else will read what is missing: this group reads it itself, into the cells that they share.
  if (source->abandoned) {
    prompt_->read = source->ready();
    prompt_->source = nullptr;
    return false;
  }
  return true;
}

std::vector<core::GroupRow> Group::decode_rows() const {
  std::vector<core::GroupRow> rows;
  for (size_t m = 0; m < lanes_.size(); ++m) {
    if (lanes_[m].waiting()) rows.push_back({.lane = static_cast<int32_t>(m), .step = lanes_[m].next_step()});
  }
  return rows;
}

bool Group::wants_logits(const core::GroupRow& row) const {
  return lanes_[row.lane].live() && lanes_[row.lane].forced.empty();
}

TokenId Group::token_at(const core::GroupRow& row) const {
  const Lane& lane = lanes_[row.lane];
  return lane.tokens[row.step - lane.start_step];
}

int32_t Group::cell_at(const core::GroupRow& row) const {
  const Lane& lane = lanes_[row.lane];
  return lane.cells->first + row.step - lane.start_step;
}

bool Group::was_fed(const core::GroupRow& row) const {
  if (row.lane < 0 || row.lane >= static_cast<int32_t>(lanes_.size())) return false;
  const Lane& lane = lanes_[row.lane];
  return row.step >= lane.start_step && row.step < lane.next_step();
}

core::GroupView Group::view(std::span<const core::GroupRow> rows) {
  view_prompt_ = prompt_->segments();
  view_lanes_.clear();
  for (const Lane& lane : lanes_) view_lanes_.push_back(lane.view());
  for (const core::GroupRow& row : rows) {
    if (row.lane != core::prompt_row) ++view_lanes_[row.lane].segment.length;
  }
  return {.coupling = &request_.coupling,
          .frequencies = request_.frequencies,
          .prompt = view_prompt_,
          .lanes = view_lanes_,
          .stride = request_.stride};
}

void Group::prefill_is_done(std::span<const float> logits, Sampler& sampler) {
  assert(state_ == GroupState::prefill);
  state_ = GroupState::decode;
  read_ = Clock::now();
  prompt_logits_.assign(logits.begin(), logits.end());
  emit({.kind = EventKind::prefill});
  for (int32_t m = 0; m < request_.n_lanes(); ++m) {
    auto cells = free_cells_.front();
    free_cells_.pop_front();
    add_lane(std::move(cells), {.silent = request_.lanes[m].tag_tokens, .forced = request_.lanes[m].forced});
  }
  for (int32_t m = 0; m < request_.n_lanes(); ++m) choose(m, prompt_logits_, sampler);
  check_consensus();
  finish_if_over();
}

int32_t Group::add_lane(std::shared_ptr<const OwnedCells> cells, Origin origin) {
  const auto index = static_cast<int32_t>(lanes_.size());
  lanes_.push_back({.cells = std::move(cells),
                    .tokens = {},
                    .forced = {origin.forced.begin(), origin.forced.end()},
                    .start_step = clock_,
                    .parent = origin.parent,
                    .fork_step = origin.fork_step,
                    .silent = origin.silent,
                    .detokenizer = text::Detokenizer(model::loaded(model_).vocabulary, {}),
                    .stops = text::StopStrings(request_.asked.stop),
                    .text = origin.text,
                    .text_length = {}});
  emit({.kind = EventKind::lane_started, .lane = index, .step = clock_, .text = origin.text});
  return index;
}

void Group::step_is_done(std::span<const core::GroupRow> rows, const LogitsOf& logits_of, Sampler& sampler) {
  for (const core::GroupRow& row : rows) ++lanes_[row.lane].fed;
  ++clock_;
  for (size_t r = 0; r < rows.size(); ++r) {
    const int32_t m = rows[r].lane;
    if (lanes_[m].live())
      choose(m, lanes_[m].forced.empty() ? logits_of(r) : std::span<const float>(), sampler);
  }
  check_consensus();
  finish_if_over();
}

void Group::choose(int32_t index, std::span<const float> logits, Sampler& sampler) {
  Lane& lane = lanes_[index];
  if (!lane.forced.empty()) {
    const TokenId token = lane.forced.front();
    lane.forced.pop_front();
    append_token(index, {.token = token}, /*forced=*/true);
    return;
  }
  const Sampling& sampling = request_.sampling;
  std::vector<TokenId> history;
  const auto window = static_cast<size_t>(sampling.penalty_window);
  if (has_penalties(sampling) && lane.tokens.size() < window) {
    const size_t of_prompt = std::min(window - lane.tokens.size(), request_.prompt.size());
    history.assign(request_.prompt.end() - static_cast<std::ptrdiff_t>(of_prompt), request_.prompt.end());
  }
  if (has_penalties(sampling)) history.insert(history.end(), lane.tokens.begin(), lane.tokens.end());
  const Draw draw = sampler.draw(logits, {.sampling = sampling,
                                          .history = history,
                                          .key = {.seed = request_.seed,
                                                  .lane = static_cast<uint32_t>(index),
                                                  .step = static_cast<uint32_t>(lane.tokens.size())},
                                          .top_logprobs = request_.asked.top_logprobs});
  append_token(index, draw, /*forced=*/false);
}

void Group::append_token(int32_t index, const Draw& draw, bool forced) {
  Lane& lane = lanes_[index];
  lane.tokens.push_back(draw.token);
  const bool silent = static_cast<int32_t>(lane.tokens.size()) <= lane.silent;
  Event event{.kind = EventKind::token,
              .lane = index,
              .step = lane.start_step + static_cast<int32_t>(lane.tokens.size()) - 1,
              .token = draw.token,
              .forced = forced};
  FinishReason reason = FinishReason::none;
  if (!forced) {
    ++lane.generated;
    lane.sum_logprob += draw.logprob;
    if (request_.asked.logprobs || request_.asked.top_logprobs > 0) {
      event.logprob = draw.logprob;
      event.top = draw.top;
    }
    if (model_.is_end(draw.token) && !request_.asked.ignore_end) reason = FinishReason::end;
  }
  if (!silent && reason == FinishReason::none) {
    const std::string whole = lane.detokenizer.push(draw.token);
    if (forced) {
      // Text that the caller put in is not searched for stop strings.
      event.text = lane.stops.flush() + whole;
      lane.text += whole;
    } else {
      const text::StopStrings::Result shown = lane.stops.push(whole);
      event.text = shown.text;
      if (shown.stopped) reason = FinishReason::stop;
      lane.text += shown.text;
    }
  }
  lane.text_length.push_back(lane.text.size());
  const int64_t position =
      static_cast<int64_t>(n_prompt()) + lane.start_step + static_cast<int64_t>(lane.tokens.size());
  const int32_t most = request_.max_tokens;
  const bool spent = static_cast<int32_t>(lane.tokens.size()) >= request_.budget ||
                     (most > 0 && lane.generated >= most) || position >= model_.info().trained_context;
  if (reason == FinishReason::none && spent) reason = FinishReason::length;
  emit(std::move(event));
  if (reason != FinishReason::none) end_lane(index, reason);
}

void Group::end_lane(int32_t index, FinishReason reason) {
  Lane& lane = lanes_[index];
  if (!lane.live()) return;
  lane.finish = reason;
  std::string rest;
  if (reason != FinishReason::stop) {
    // What could have become a stop string did not.
    const text::StopStrings::Result shown = lane.stops.push(lane.detokenizer.flush());
    rest = shown.text + (shown.stopped ? "" : lane.stops.flush());
  }
  lane.text += rest;
  finish_order_.push_back(index);
  emit({.kind = EventKind::lane_finished,
        .lane = index,
        .step = lane.start_step + static_cast<int32_t>(lane.tokens.size()),
        .text = rest,
        .finish = reason});
}

// A lane that ended by itself speaks with any answer; one that still writes, or was cut off, with an answer
// that is marked and complete: the last number of half a thought is none.
std::optional<std::string> Group::answer_of(const Lane& lane) const {
  const bool own_end =
      !lane.live() && (lane.finish == FinishReason::end || lane.finish == FinishReason::stop);
  return own_end ? answers::extract_answer(lane.text) : answers::extract_settled_answer(lane.text);
}

void Group::check_consensus() {
  const int32_t wanted = request_.selection.consensus;
  if (wanted <= 0 || live_lanes() == 0) return;
  std::vector<LaneResult> lanes(lanes_.size());
  for (size_t m = 0; m < lanes_.size(); ++m) lanes[m].answer = answer_of(lanes_[m]);
  const std::vector<Vote> votes = count_votes(lanes);
  if (votes.empty() || votes.front().count < wanted) return;
  result_.consensus = true;
  for (int32_t m = 0; m < static_cast<int32_t>(lanes_.size()); ++m) end_lane(m, FinishReason::consensus);
}

LaneResult Group::lane_result(const Lane& lane) const {
  return {.text = lane.text,
          .tokens = lane.tokens,
          .finish = lane.finish,
          .answer = answer_of(lane),
          .generated = lane.generated,
          .mean_logprob = lane.generated > 0 ? lane.sum_logprob / lane.generated : 0,
          .start_step = lane.start_step};
}

void Group::finish_if_over() {
  if (state_ != GroupState::decode || live_lanes() > 0) return;
  for (const Lane& lane : lanes_) result_.lanes.push_back(lane_result(lane));
  result_.clock = clock_;
  result_.prefill_seconds = seconds_between(started_, read_);
  result_.decode_seconds = seconds_between(read_, Clock::now());
  result_.votes = count_votes(result_.lanes);
  const Selection& selection = request_.selection;
  if (selection.kind == SelectionKind::verifier) {
    state_ = GroupState::verifying;
    VerifierOptions options{.command = selection.verifier_command,
                            .timeout = selection.verifier_timeout,
                            .prompt = model_.decode(request_.prompt),
                            .stop = verifier_stop_.get_token()};
    verdict_ = std::async(std::launch::async, [options = std::move(options), lanes = result_.lanes] {
      return run_verifier(options, lanes);
    });
    return;
  }
  Selected selected = select(selection.kind, result_.lanes, finish_order_);
  if (selected.lane < 0 && selection.kind != SelectionKind::none) {
    // Free text has no answer to vote on, and lanes may all run into their budget.
    selected = select(SelectionKind::logprob, result_.lanes, finish_order_);
    if (result_.lanes.size() > 1) {
      const bool cut_off = std::ranges::all_of(
          result_.lanes, [](const LaneResult& lane) { return lane.finish == FinishReason::length; });
      if (cut_off) {
        result_.note = "no lane came to its end within " + std::to_string(request_.budget) + " tokens";
      } else if (selection.kind == SelectionKind::vote) {
        result_.note = "no lane gave an answer that could be voted on";
      } else {
        result_.note = "no lane ended by itself";
      }
      result_.note += "; the one with the highest mean log-probability was chosen";
    }
  }
  conclude(selected);
}

void Group::poll_verifier(std::chrono::milliseconds patience) {
  if (verdict_.wait_for(patience) != std::future_status::ready) return;
  const Verdict verdict = verdict_.get();
  Selected selected;
  if (verdict.failure.empty()) {
    selected = select_by_scores(verdict.scores);
  } else {
    result_.note = verdict.failure + "; the answer was chosen without it";
    selected = select(SelectionKind::vote, result_.lanes, finish_order_);
    if (selected.lane < 0) selected = select(SelectionKind::logprob, result_.lanes, finish_order_);
  }
  conclude(selected);
}

void Group::conclude(const Selected& selected) {
  result_.selected = selected.lane;
  result_.confidence = selected.confidence;
  report(FinishReason::none);
}

void Group::report(FinishReason reason_for_all) {
  state_ = GroupState::finished;
  emit({.kind = EventKind::group_finished,
        .step = clock_,
        .finish = reason_for_all,
        .result = std::make_shared<const GroupResult>(result_)});
}

void Group::let_go(PrefixCache& store) {
  lanes_.clear();
  free_cells_.clear();
  if (prompt_ != nullptr) store.let_go(std::move(prompt_));
}

int32_t Group::live_lanes() const {
  return static_cast<int32_t>(std::ranges::count_if(lanes_, [](const Lane& lane) { return lane.live(); }));
}

void Group::emit(Event event) {
  event.group = id_;
  if (!announced_) event.resolved = resolved_;
  announced_ = true;
  events_.push_back(std::move(event));
}

}  // namespace lanerope::engine
