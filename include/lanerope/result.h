// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/names.h"
#include "lanerope/token.h"

namespace lanerope {

struct ResolvedRequest;  // lanerope/resolve.h

using GroupId = int64_t;

enum class FinishReason {
  none,       // still running
  end,        // the model wrote an end token
  stop,       // a stop string
  length,     // the budget is spent
  retired,    // the caller ended the lane
  consensus,  // enough lanes agreed
  cancelled,  // the caller cancelled the group
  failed,     // an error ended the group; GroupResult::error has it
};
template <>
std::span<const Named<FinishReason>> names();

struct Alternative {
  TokenId token = 0;
  float logprob = 0;
};

struct LaneResult {
  std::string text = {};             // what the lane wrote; without its tag and without end tokens
  std::vector<TokenId> tokens = {};  // every token of the lane, forced ones included
  FinishReason finish = FinishReason::none;
  // From the text; of a lane that did not end by itself only what is marked as one (\boxed{}, a "####" line).
  std::optional<std::string> answer = {};
  int32_t generated = 0;    // tokens that were sampled
  double mean_logprob = 0;  // over the sampled tokens
  int32_t start_step = 0;
};

struct Vote {
  std::string answer = {};
  int32_t count = 0;
};

// What a confidence is a share or a probability of.
enum class ConfidenceKind {
  none,              // nothing was selected
  vote_share,        // of the lanes, those that gave the answer
  mean_probability,  // of the selected lane's tokens: exp of their mean log-probability
  verifier_score,    // as the verifier gave it, or its share of a soft-max where scores are not in [0, 1]
};
template <>
std::span<const Named<ConfidenceKind>> names();

struct Confidence {
  double value = 0;  // 0 to 1
  ConfidenceKind kind = ConfidenceKind::none;
};

struct GroupResult {
  std::vector<LaneResult> lanes = {};
  int32_t selected = -1;         // index of the lane; -1 if none was selected
  Confidence confidence = {};    // what the selection claims
  std::vector<Vote> votes = {};  // most first
  std::string note = {};         // anything that went wrong on the way, such as a verifier that was cut off
  int32_t prompt_tokens = 0;
  int32_t cached_prompt_tokens = 0;  // of these, read from a prefix that was already stored
  int32_t clock = 0;                 // steps
  double prefill_seconds = 0;
  double decode_seconds = 0;
  bool consensus = false;
  // Why the group failed, with FinishReason::failed; what() is a sentence for a person. Null otherwise.
  std::exception_ptr error = {};
};

// Throws what ended the group, if it failed.
inline void rethrow_failure(const GroupResult& result) {
  if (result.error) std::rethrow_exception(result.error);
}

enum class EventKind {
  prefill,  // the prompt is in the KV cells; the lanes start
  lane_started,
  token,  // one token of one lane
  lane_finished,
  group_finished,  // the last event of a group; `result` is set
};
template <>
std::span<const Named<EventKind>> names();

struct Event {
  EventKind kind = EventKind::token;
  GroupId group = 0;
  int32_t lane = -1;
  int32_t step = 0;
  TokenId token = 0;
  std::string text = {};  // text that became complete with this token: whole UTF-8 characters, maybe none
  bool forced = false;    // tag, lane text or pushed text
  std::optional<float> logprob = {};
  std::vector<Alternative> top = {};
  FinishReason finish = FinishReason::none;
  std::shared_ptr<const ResolvedRequest> resolved = {};  // in the first event of a group: what it runs
  std::shared_ptr<const GroupResult> result = {};
};

// log-probabilities of given lanes, all fed at once (teacher forcing).
struct ScoredToken {
  TokenId token = 0;
  float logprob = 0;
  std::vector<std::pair<TokenId, float>> top_logits = {};
};

struct ScoreResult {
  std::vector<std::vector<ScoredToken>> lanes = {};  // [lane][token]
};

// Shares of attention of one group: for each row and head, how much goes to the prompt and to each lane (its
// own index is the lane itself, its own past included). They sum to 1.
struct AttentionRecord {
  struct Row {
    int32_t lane = 0;
    int32_t step = 0;
  };
  int32_t n_layer = 0;
  int32_t n_head = 0;
  int32_t n_lanes = 0;
  std::vector<Row> rows = {};
  std::vector<float> shares = {};  // [1 + n_lanes, n_head, n_layer, n_rows]: the prompt first
};

// The weight that one token of one lane put on every cell it saw.
struct AttentionProbe {
  // A run of `n` tokens of a lane from a step on, or of the prompt from an index on.
  struct Part {
    int32_t lane = -1;  // -1: the prompt. A fork's past is a part of the lane that wrote it.
    int32_t first_step = 0;
    int32_t n = 0;
  };
  int32_t n_layer = 0;
  int32_t n_head = 0;
  std::vector<Part> parts = {};
  std::vector<float> weights = {};  // [tokens of all parts, n_head, n_layer]
};

}  // namespace lanerope
