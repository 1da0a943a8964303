// SPDX-License-Identifier: Apache-2.0
#include "engine/selector.h"

#include <algorithm>

#include "engine/verifier.h"
#include "lanerope/calibration.h"

namespace lanerope::engine {

void Selector::start(Ended group) {
  lanes_ = std::move(group.lanes);
  finish_order_ = std::move(group.finish_order);
  then_lane_ = group.then_lane;
  const Selection& selection = request_.selection;
  if (selection.kind != SelectionKind::verifier) return;
  verifier_ = std::make_unique<ExternalCall>(CallOptions{.command = selection.verifier_command,
                                                         .what = "the verifier",
                                                         .timeout = selection.verifier_timeout},
                                             verifier_input(group.prompt, lanes_));
}

std::optional<Selector::Outcome> Selector::poll(std::chrono::milliseconds patience) {
  std::optional<Outcome> outcome;
  if (verifier_ == nullptr) {
    outcome = choose();
  } else if (const std::optional<CallResult> result = verifier_->poll(patience)) {
    outcome = by_verdict(read_verdict(*result, lanes_.size()));
  }
  if (outcome) calibrate(*outcome);
  return outcome;
}

void Selector::calibrate(Outcome& outcome) const {
  const Selection& selection = request_.selection;
  if (selection.calibration == nullptr) return;
  Confidence& confidence = outcome.selected.confidence;
  // Where another way was taken, its confidence is another claim.
  if (confidence.kind != confidence_kind(selection)) return;
  confidence = {.value = calibrated(*selection.calibration, confidence.value),
                .kind = ConfidenceKind::calibrated};
}

Selector::Outcome Selector::choose() const {
  const SelectionKind kind = request_.selection.kind;
  if (then_lane_ >= 0) {
    const LaneResult& lane = lanes_[static_cast<size_t>(then_lane_)];
    return {.selected = {.lane = then_lane_, .confidence = mean_probability(lane)}};
  }
  Outcome outcome{.selected = select(kind == SelectionKind::then ? Selection{} : request_.selection, lanes_,
                                     finish_order_)};
  if (outcome.selected.lane >= 0 || kind == SelectionKind::none) return outcome;
  // Free text has no answer to vote on, and lanes may all run into their budget.
  outcome.selected = select({.kind = SelectionKind::logprob}, lanes_, finish_order_);
  if (lanes_.size() == 1) return outcome;
  const bool cut_off =
      std::ranges::all_of(lanes_, [](const LaneResult& lane) { return lane.finish == FinishReason::length; });
  if (cut_off) {
    outcome.note = "no lane came to its end within " + std::to_string(request_.budget) + " tokens";
  } else if (kind == SelectionKind::vote || kind == SelectionKind::then) {
    outcome.note = "no lane gave an answer that could be voted on";
  } else {
    outcome.note = "no lane ended by itself";
  }
  outcome.note += "; the one with the highest mean log-probability was chosen";
  return outcome;
}

Selector::Outcome Selector::by_verdict(const Verdict& verdict) const {
  if (verdict.failure.empty())
    return {.selected = select_by_scores(verdict.scores), .scores = verdict.scores};
  Outcome outcome{.selected = select({.kind = SelectionKind::vote}, lanes_, finish_order_),
                  .note = verdict.failure + "; the answer was chosen without it"};
  if (outcome.selected.lane < 0)
    outcome.selected = select({.kind = SelectionKind::logprob}, lanes_, finish_order_);
  return outcome;
}

}  // namespace lanerope::engine
