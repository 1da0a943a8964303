// SPDX-License-Identifier: Apache-2.0
#include "eval/judge.h"

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/external_call.h"
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

void judge(EvalRecord& record, const EvalQuestion& question, const JudgeOptions& options) {
  std::vector<std::unique_ptr<engine::ExternalCall>> calls(record.lanes.size());
  for (size_t m = 0; m < record.lanes.size(); ++m) {
    const EvalLane& lane = record.lanes[m];
    if (!lane.ended || !lane.answer) continue;
    calls[m] = std::make_unique<engine::ExternalCall>(
        engine::CallOptions{.command = options.command, .what = "the judge", .timeout = options.timeout},
        input_of(lane, m, question));
  }
  for (size_t m = 0; m < record.lanes.size(); ++m) {
    record.lanes[m].passed = false;
    if (calls[m] == nullptr) continue;
    std::optional<engine::CallResult> result;
    while (!result) result = calls[m]->poll(std::chrono::seconds(1));
    record.lanes[m].passed = passed(*result);
  }
}

}  // namespace lanerope::eval
