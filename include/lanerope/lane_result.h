// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/names.h"
#include "lanerope/sleep.h"
#include "lanerope/token.h"

namespace lanerope {

// Why a lane ended, and why a group did that did not end by its lanes.
enum class FinishReason {
  none,       // still running
  end,        // the model wrote an end token
  stop,       // a stop string
  length,     // the budget, max_tokens or the model's context is spent
  retired,    // the caller ended the lane
  consensus,  // enough lanes agreed
  cancelled,  // the caller cancelled the group
  failed,     // an error ended the group; GroupResult::error has it
};
template <>
std::span<const Named<FinishReason>> names();

// The lane came to its end: nothing cut it off.
constexpr bool ended_by_itself(FinishReason finish) {
  return finish == FinishReason::end || finish == FinishReason::stop;
}

// Why a lane's answer was taken to be its answer (docs/answers.md).
enum class AnswerFrom {
  box,              // the last \boxed{}
  mark,             // what follows the last "####"
  frame,            // what follows "the answer is" or its like
  last_expression,  // nothing said which it is: the last formula or number of the text
  format,           // the request's format left nothing else to write: all of the text
  call,             // the calls of tools that the text ends with
};
template <>
std::span<const Named<AnswerFrom>> names();

// A token that could have been drawn, with its log-probability as in LaneResult::mean_logprob.
struct Alternative {
  TokenId token = 0;
  float logprob = 0;
};

// How sure of itself the model was while it wrote a lane: from its own distribution at each sampled token,
// before bias, penalties and temperature, in nats.
struct Certainty {
  // Mean of the Kullback-Leibler divergence of that distribution from the uniform one (Kang et al. 2025).
  double self_certainty = 0;
  // The least certain stretch: of all runs of so many tokens as the window has, the lowest mean of what a
  // token has as the negative mean log-probability of the 20 likeliest ones (DeepConf's lowest group
  // confidence, Fu et al. 2025). Of a lane that is shorter than the window, the mean over all of it.
  double lowest_window = 0;
  bool operator==(const Certainty&) const = default;
};

// What became of one lane.
struct LaneResult {
  std::string text = {};             // what the lane wrote; without its tag and without end tokens
  std::vector<TokenId> tokens = {};  // every token of the lane, forced ones included
  FinishReason finish = FinishReason::none;
  // From the text; of a lane that did not end by itself only what is marked as one (\boxed{}, a "####" line).
  std::optional<std::string> answer = {};
  std::optional<AnswerFrom> answer_from = {};  // where there is an answer
  int32_t generated = 0;                       // tokens that were sampled, an end token included
  // Over the sampled tokens, natural logarithm, of the model's own distribution: before bias, penalties and
  // temperature. 0 without any.
  double mean_logprob = 0;
  int32_t start_step = 0;                     // the clock when it joined
  std::vector<Sleep> sleeps = {};             // in order; steps of which the lane has no token
  std::optional<Certainty> certainty = {};    // where the request has it measured
  std::optional<double> verifier_score = {};  // where a verifier gave one
};

// The step of the clock in which each of the lane's tokens was fed, those of an ended lane's last one and of
// a held back one as if it was.
std::vector<int32_t> steps_of(const LaneResult& lane);

// An answer and how many lanes gave it. Equal answers are one, under the spelling that was seen first.
struct Vote {
  std::string answer = {};
  int32_t count = 0;
  double weight = 0;  // of their votes together; the count where each weighs 1
};

}  // namespace lanerope
