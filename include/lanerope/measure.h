// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lanerope/token.h"

namespace lanerope {

// One token of a given lane, scored with all others at once (teacher forcing).
struct ScoredToken {
  TokenId token = 0;
  float logprob = 0;                                       // natural logarithm
  std::vector<std::pair<TokenId, float>> top_logits = {};  // largest first, ScoreRequest::top_logits of them
};

// What Engine::score computes.
struct ScoreResult {
  std::vector<std::vector<ScoredToken>> lanes = {};  // [lane][token]
};

// Where the time of steps went: all operations of one name together.
struct OperationTime {
  std::string operation = {};
  int64_t calls = 0;
  double seconds = 0;
};

// Attention shares of one group: for each row and head, how much goes to the prompt and to each lane (its
// own index is the lane itself, its own past included). They sum to 1.
struct AttentionRecord {
  struct Row {
    int32_t lane = 0;
    int32_t step = 0;
  };
  int32_t n_layer = 0;
  int32_t n_head = 0;
  int32_t n_lanes = 0;
  std::vector<Row> rows = {};      // [n_rows] step by step
  std::vector<float> shares = {};  // [1 + n_lanes, n_head, n_layer, n_rows]: the prompt first
};

// The attention weight that one token of one lane put on every token it saw. In a layer whose window hides
// some of them those have 0.
struct AttentionProbe {
  // A run of `n` tokens of a lane from a step on, or of the prompt from an index on.
  struct Part {
    int32_t lane = -1;  // -1: the prompt. A fork's past is a part of the lane that wrote it.
    int32_t first_step = 0;
    int32_t n = 0;
  };
  int32_t n_layer = 0;
  int32_t n_head = 0;
  std::vector<Part> parts = {};     // in the order of the weights
  std::vector<float> weights = {};  // [tokens of all parts, n_head, n_layer]
};

}  // namespace lanerope
