// SPDX-License-Identifier: Apache-2.0
#include "cli/eval_progress.h"

#include <algorithm>
#include <cmath>

#include "cli/format.h"
#include "cli/output.h"

namespace lanerope::cli {

namespace {

// The end of a text on one line, for a person to see why it has no answer.
std::string last_words(const std::string& text) {
  constexpr size_t most = 160;
  size_t from = text.size() > most ? text.size() - most : 0;
  while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0U) == 0x80U) ++from;
  std::string end = text.substr(from);
  std::ranges::replace(end, '\n', ' ');
  return (from > 0 ? "..." : "") + without_controls(end);
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::lround(std::max(seconds, 0.0)));
  if (whole < 100) return std::to_string(whole) + " s";
  const int64_t minutes = (whole + 30) / 60;
  if (minutes < 60) return std::to_string(minutes) + " min";
  return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

void EvalProgress::count(const eval::EvalRecord& record) {
  ++done_;
  const eval::Truth& truth = options_.truths[static_cast<size_t>(record.question)];
  for (const eval::EvalLane& lane : record.lanes) {
    ++lanes_;
    right_ += eval::rightness(lane, truth);
    if (lane.answer) answered_ = true;
  }
  if (!answered_) unanswered_.insert(record.question);
}

void EvalProgress::add_earlier(const eval::EvalRecord& record) {
  count(record);
}

void EvalProgress::add(const eval::EvalRecord& record) {
  count(record);
  ++done_now_;
  warn(record);
  const double since = std::chrono::duration<double>(Clock::now() - shown_).count();
  const double every = notes_are_terminal() ? 2 : 60;
  const bool last = done_ == options_.groups && notes_are_terminal();
  if (since < every && !last) return;
  shown_ = Clock::now();
  print_note(text());
}

void EvalProgress::warn(const eval::EvalRecord& record) {
  constexpr size_t enough = 20;
  if (answered_ || warned_ || (unanswered_.size() < enough && done_ < options_.groups)) return;
  warned_ = true;
  const bool cut_off = std::ranges::none_of(record.lanes, &eval::EvalLane::ended);
  const std::string what =
      cut_off ? "raise --budgets, for its lanes did not end"
              : "say in --system or --prompt how answers are to be marked, such as within \\boxed{}";
  print_note("lanerope: warning: not one answer could be read in the first " +
             std::to_string(unanswered_.size()) + " questions under the arm " + options_.arm + "; " + what +
             ". The last lane wrote: " + last_words(record.lanes.back().text));
}

std::string EvalProgress::text() const {
  std::string text =
      options_.arm + ": " + std::to_string(done_) + " of " + std::to_string(options_.groups) + " groups";
  if (lanes_ > 0) text += ", pass@1 " + with_digits(100 * right_ / static_cast<double>(lanes_), 1) + " %";
  if (done_now_ == 0 || done_ >= options_.groups) return text;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const auto left = static_cast<double>(options_.groups - done_);
  return text + ", " + duration_text(seconds / static_cast<double>(done_now_) * left) + " left";
}

}  // namespace lanerope::cli
