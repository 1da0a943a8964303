// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lanerope/measure.h"
#include "lanerope/resolve.h"
#include "lanerope/result.h"
#include "server/api_error.h"

namespace lanerope::server {

// Where the lanes of a group looked, averaged over layers and heads.
struct AttentionSummary {
  int32_t n_lanes = 0;
  std::vector<AttentionRecord::Row> rows = {};
  std::vector<float> shares = {};  // [1 + n_lanes, n_rows]: the prompt first
};
AttentionSummary summarise(const AttentionRecord& record);

// The `lanes` object of a response: which lane was selected and why, and what each lane spent.
Json lanes_reply(const GroupResult& result, const ResolvedRequest& request);

// One event of a group, as POST /v1/groups streams it.
Json event_json(const Event& event, const ResolvedRequest& request);

// The last event of a group that was asked for its attention: rows of [lane, step, prompt, lane 0, lane 1,
// ...].
Json attention_json(const AttentionSummary& summary);

// What a group's coupling is, as an object: {"kind", "init", "stride", ...}.
Json coupling_json(const Coupling& coupling);

// JSON has no infinities; shares need no more than four digits.
Json finite(double value);
Json rounded(float value);

// "stop" or "length", as OpenAI has them.
const char* openai_finish(FinishReason reason);

}  // namespace lanerope::server
