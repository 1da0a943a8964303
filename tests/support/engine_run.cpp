// SPDX-License-Identifier: Apache-2.0
#include "tests/support/engine_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace lanerope::support {

std::vector<Event> GroupRun::of(EventKind kind, int32_t lane) const {
  std::vector<Event> found;
  for (const Event& event : events) {
    if (event.kind == kind && (lane < 0 || event.lane == lane)) found.push_back(event);
  }
  return found;
}

std::vector<TokenId> GroupRun::tokens(int32_t lane) const {
  std::vector<TokenId> tokens;
  for (const Event& event : of(EventKind::token, lane)) tokens.push_back(event.token);
  return tokens;
}

std::vector<float> GroupRun::logprobs(int32_t lane) const {
  std::vector<float> values;
  for (const Event& event : of(EventKind::token, lane)) {
    if (event.logprob) values.push_back(*event.logprob);
  }
  return values;
}

bool Runner::step() {
  return engine_.step([&](const Event& event) {
    GroupRun& run = runs_[event.group];
    EXPECT_EQ(run.of(EventKind::group_finished).size(), 0U) << "nothing comes after the end of a group";
    run.events.push_back(event);
    if (event.kind == EventKind::group_finished) run.result = *event.result;
  });
}

void Runner::finish() {
  for (int steps = 0; step(); ++steps) {
    if (steps > 20000) {
      ADD_FAILURE() << "the engine does not come to an end";
      return;
    }
  }
}

bool Runner::finished(GroupId id) {
  return !runs_[id].of(EventKind::group_finished).empty();
}

GroupRun run_group(Engine& engine, const Request& request) {
  Runner runner(engine);
  const GroupId id = engine.submit(request);
  runner.finish();
  return runner.run(id);
}

std::vector<TokenId> some_tokens(int32_t length, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<TokenId> tokens(length);
  for (TokenId& token : tokens) token = static_cast<TokenId>(random() % 250);
  return tokens;
}

AllLogits all_logits(Engine& engine, ScoreRequest request) {
  const int32_t n_vocab = engine.model().info().n_vocab;
  request.top_logits = n_vocab;
  const ScoreResult result = engine.score(request);
  AllLogits logits;
  for (const auto& lane : result.lanes) {
    logits.emplace_back();
    for (const ScoredToken& token : lane) {
      logits.back().emplace_back(n_vocab);
      EXPECT_EQ(token.top_logits.size(), static_cast<size_t>(n_vocab));
      for (const auto& [id, logit] : token.top_logits) logits.back().back()[id] = logit;
    }
  }
  return logits;
}

double relative_difference(const AllLogits& a, const AllLogits& b) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t m = 0; m < a.size(); ++m) {
    EXPECT_EQ(a[m].size(), b[m].size());
    for (size_t i = 0; i < a[m].size(); ++i) {
      double difference = 0;
      double largest = 0;
      for (size_t v = 0; v < a[m][i].size(); ++v) {
        difference = std::max(difference, std::abs(a[m][i][v] - b[m][i][v]));
        largest = std::max(largest, std::abs(b[m][i][v]));
        if (std::isnan(a[m][i][v]) || std::isnan(b[m][i][v])) return INFINITY;
      }
      worst = std::max(worst, difference / largest);
    }
  }
  return worst;
}

}  // namespace lanerope::support
