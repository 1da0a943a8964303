// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lanerope/model.h"
#include "lanerope/token.h"

namespace lanerope::engine {

struct BeamRequest {
  Prompt prompt = {};
  NoTemplate no_template = NoTemplate::refuse;
  int32_t width = 4;
  int32_t budget = 256;      // tokens of the longest text that is looked for, its end token included
  AnswerFormat format = {};  // that every text keeps to; the sums stay those of the model without it
};

struct BeamResult {
  std::string text = {};             // without the end token
  std::vector<TokenId> tokens = {};  // with it
  bool ended = false;
  double sum_logprob = 0;
  int32_t steps = 0;  // until it was found: more than its tokens where a longer one was still ahead
};

// Beam search for the likeliest text, the old way of spending several lanes on one answer. Each step keeps
// the `width` continuations of highest summed log-probability, texts that have ended among them; it is over
// once the first of them has ended, since sums only fall. A stand-alone loop over the model: beams see the
// prompt and their own past, which they share as far as they go back to the same beam.
class BeamSearch {
 public:
  // `cells`: at least the prompt's tokens + width * budget of every request.
  BeamSearch(std::shared_ptr<const Model> model, int32_t cells);
  ~BeamSearch();
  BeamSearch(const BeamSearch&) = delete;
  BeamSearch& operator=(const BeamSearch&) = delete;

  // `on_step` gets the live beams of each decoding step and its seconds; may be empty. Throws InvalidRequest.
  BeamResult run(const BeamRequest& request, const std::function<void(int32_t, double)>& on_step = {});

  static int32_t cells_of(const Model& model, const BeamRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lanerope::engine
