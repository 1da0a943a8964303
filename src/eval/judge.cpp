// SPDX-License-Identifier: Apache-2.0
#include "eval/judge.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "engine/verifier.h"
#include "lanerope/errors.h"

namespace lanerope::eval {

namespace {

std::string input_of(const EvalLane& lane, size_t index, const EvalQuestion& question) {
  const nlohmann::json line = {{"lane", index},
                               {"question", question.text},
                               {"answer", *lane.answer},
                               {"text", lane.text},
                               {"row", question.row}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

bool passed(const engine::CallResult& result) {
  if (result.timed_out) return false;
  const engine::Verdict verdict = engine::read_verdict(result, 1);
  if (verdict.failure.empty()) return verdict.scores[0] > 0;
  throw SystemError(result.failure.empty()
                        ? "the judge must write one number a lane, above 0 where it passes; see --judge"
                        : result.failure + "; try it by hand with a line as --help describes it");
}

}  // namespace

Judgement::Judgement(EvalRecord record, const EvalQuestion& question, const JudgeOptions& options)
    : record_(std::move(record)), calls_(record_.lanes.size()) {
  for (size_t m = 0; m < record_.lanes.size(); ++m) {
    EvalLane& lane = record_.lanes[m];
    lane.passed = false;
    if (!lane.ended || !lane.answer) continue;
    calls_[m] = std::make_unique<engine::ExternalCall>(
        engine::CallOptions{.command = options.command, .what = "the judge", .timeout = options.timeout},
        input_of(lane, m, question));
  }
}

bool Judgement::done(std::chrono::milliseconds patience) {
  for (; next_ < calls_.size(); ++next_) {
    if (calls_[next_] == nullptr) continue;
    const std::optional<engine::CallResult> result = calls_[next_]->poll(patience);
    if (!result) return false;
    record_.lanes[next_].passed = passed(*result);
  }
  return true;
}

}  // namespace lanerope::eval
