// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lanerope/engine.h"
#include "rollout/rollout.h"

namespace lanerope::rollout {

struct DialogueOptions {
  // `request.lanes` is the number of assistants, `request.budget` the tokens that each may write in all.
  RolloutOptions rollout = {};
  int32_t turn = 16;      // tokens of a turn
  std::string fill = {};  // fills up a turn that ends early; empty: nothing does
};

// Throws InvalidRequest where there are no assistants or too many, or where a turn is longer than what an
// assistant may write in all.
void check_dialogue(const DialogueOptions& options);

// What stands above a question, with every "{n}" replaced by the number of assistants.
std::string dialogue_instruction(std::string_view text, int32_t assistants);

// One model plays N assistants, as one lane each, in a dialogue in plain text. In every round each assistant
// who is not done writes a turn of at most `turn` tokens, the last one what is left of the budget, and reads,
// below the prompt, the turns of all rounds before:
//
//   Assistant 1: ...
//   Assistant 2: ...
//
// So a token of lane m at step s rests on steps below s - s % turn of the others, and the turns of each
// assistant, one after the other, are a lane of a trace. A turn that ends early is filled up with that
// text, as far as it fits whole, so that the lanes stay in step. An assistant is done once it has given a
// marked answer. Traces, order, seeds and errors are as roll_out()'s and check_dialogue()'s.
void collaborate(Engine& engine, std::span<const RolloutQuestion> questions, const DialogueOptions& options,
                 const TraceSink& sink);

// Cells for `parallel` dialogues at once. Throws as memory_need does.
int32_t dialogue_cells(const Model& model, std::span<const RolloutQuestion> questions,
                       const DialogueOptions& options);

}  // namespace lanerope::rollout
