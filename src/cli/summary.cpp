// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.h"

#include <algorithm>
#include <cstdio>

namespace lanerope::cli {

namespace {

std::string rounded(double value, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}

std::string count(int64_t number, const char* what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::string rate(int64_t tokens, double seconds) {
  const std::string text = count(tokens, "token");
  if (seconds <= 0) return text;
  return text + " in " + rounded(seconds, 2) + " s (" + rounded(static_cast<double>(tokens) / seconds, 1) +
         " tokens/s)";
}

// "confidence 0.75, share of votes".
std::string confidence_text(const Confidence& confidence) {
  std::string text = "confidence " + rounded(confidence.value, 2);
  switch (confidence.kind) {
    case ConfidenceKind::none:
      return text;
    case ConfidenceKind::vote_share:
      return text + ", share of votes";
    case ConfidenceKind::weight_share:
      return text + ", share of the votes' weight";
    case ConfidenceKind::calibrated:
      return text + ", calibrated";
    case ConfidenceKind::mean_probability:
      return text + ", mean probability";
    case ConfidenceKind::verifier_score:
      return text + ", the verifier's score";
  }
  return text;
}

}  // namespace

std::string act_text(const PolicyAct& act) {
  const std::string lane = "lane " + std::to_string(act.lane + 1);
  std::string text = act.policy + " ";
  switch (act.kind) {
    case ActKind::retire:
      text += "retires " + lane;
      break;
    case ActKind::fork:
      text += "forks lane " + std::to_string(act.parent + 1) + " as " + lane;
      break;
    case ActKind::spawn:
      text += "adds " + lane;
      break;
    case ActKind::push:
      text += "gives " + lane + " a text";
      break;
    case ActKind::end:
      text += "ends the group";
      break;
  }
  if (!act.reason.empty()) text += ": " + act.reason;
  return act.refused.empty() ? text : text + " (refused: " + act.refused + ")";
}

std::string answer_text(const GroupResult& result) {
  if (result.selected >= 0) return result.lanes[result.selected].text;
  std::string all;
  for (const LaneResult& lane : result.lanes) all += (all.empty() ? "" : "\n\n") + lane.text;
  return all;
}

std::string selection_text(const GroupResult& result, const ViewContext& context) {
  const auto n = static_cast<int64_t>(result.lanes.size());
  if (result.selected < 0) {
    const auto cancelled = [](const LaneResult& lane) { return lane.finish == FinishReason::cancelled; };
    if (std::ranges::any_of(result.lanes, cancelled)) return "interrupted, no lane was selected";
    return context.selection == SelectionKind::none ? count(n, "lane") + ", none selected"
                                                    : "no lane could be selected";
  }
  if (result.selected == result.then_lane) {
    return "the second stage over " + count(n - 1, "lane") +
           (result.consensus ? ", stopped by consensus" : "") + " (" + confidence_text(result.confidence) +
           ")";
  }
  std::string text = "lane " + std::to_string(result.selected + 1) + " of " + std::to_string(n);
  if (n == 1) return text;
  // Where a second stage had no room, its lanes vote.
  const SelectionKind selection =
      context.selection == SelectionKind::then ? SelectionKind::vote : context.selection;
  const bool votes_missing = selection == SelectionKind::vote && result.votes.empty();
  const bool verifier_failed = selection == SelectionKind::verifier && !result.note.empty();
  text += ", selected";
  if (!verifier_failed)
    text += " by " + std::string(name(votes_missing ? SelectionKind::logprob : selection));
  if (selection == SelectionKind::vote && !result.votes.empty()) {
    const Vote& best = result.votes.front();
    text +=
        ": " + count(best.count, "lane") + (best.count == 1 ? " says " : " say ") + "'" + best.answer + "'";
  }
  if (result.consensus) text += ", stopped by consensus";
  return text + " (" + confidence_text(result.confidence) + ")";
}

std::string timing_text(const GroupResult& result, const ViewContext& context) {
  int64_t generated = 0;
  for (const LaneResult& lane : result.lanes) generated += lane.generated;
  std::string text =
      "prompt " + rate(result.prompt_tokens - result.cached_prompt_tokens, result.prefill_seconds);
  if (result.cached_prompt_tokens > 0)
    text += " and " + std::to_string(result.cached_prompt_tokens) + " kept";
  text += ", " + count(static_cast<int64_t>(result.lanes.size()), "lane") + " " +
          rate(generated, result.decode_seconds);
  if (result.clock > 0) text += ", " + rounded(result.decode_seconds * 1000 / result.clock, 1) + " ms a step";
  return text + ", seed " + std::to_string(context.seed);
}

std::string finish_text(FinishReason reason) {
  switch (reason) {
    case FinishReason::none:
      return "running";
    case FinishReason::end:
      return "done";
    case FinishReason::stop:
      return "stop string";
    case FinishReason::length:
      return "budget spent";
    case FinishReason::retired:
      return "retired";
    case FinishReason::consensus:
      return "consensus";
    case FinishReason::cancelled:
      return "cancelled";
    case FinishReason::failed:
      return "failed";
  }
  return {};
}

}  // namespace lanerope::cli
