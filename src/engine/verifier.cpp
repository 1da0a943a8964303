// SPDX-License-Identifier: Apache-2.0
#include "engine/verifier.h"

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace lanerope::engine {

std::string verifier_input(const std::string& prompt, const std::vector<LaneResult>& lanes) {
  std::string lines;
  for (size_t m = 0; m < lanes.size(); ++m) {
    const nlohmann::json line = {
        {"lane", m},
        {"prompt", prompt},
        {"text", lanes[m].text},
        {"answer", lanes[m].answer ? nlohmann::json(*lanes[m].answer) : nlohmann::json()}};
    lines += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  return lines;
}

Verdict read_verdict(const CallResult& result, size_t n_lanes) {
  if (!result.failure.empty()) return {.failure = result.failure};
  const std::string& output = result.output;
  Verdict verdict;
  size_t at = 0;
  while (at < output.size()) {
    const size_t end = std::min(output.find('\n', at), output.size());
    const std::string line = output.substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    char* rest = nullptr;
    const double score = std::strtod(line.c_str(), &rest);
    if (rest == line.c_str() || !std::isfinite(score)) {
      return {.scores = {}, .failure = "the verifier wrote a line that is not a number"};
    }
    verdict.scores.push_back(score);
  }
  if (verdict.scores.size() != n_lanes) {
    return {.scores = {},
            .failure = "the verifier wrote " + std::to_string(verdict.scores.size()) + " scores for " +
                       std::to_string(n_lanes) + " lanes"};
  }
  return verdict;
}

}  // namespace lanerope::engine
