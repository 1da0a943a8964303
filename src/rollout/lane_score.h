// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "lanerope/model.h"
#include "lanerope/result.h"

namespace lanerope::rollout {

// The answer that a question's line gives: what stands in \boxed{} or behind "####" where the line holds a
// whole solution, as GSM8K's do, else the line as it is.
std::string true_answer(const std::string& answer);

// Whether a text's answer is the true one. A text that was `cut_off` by its budget must have marked its
// answer and ended its line; its last number may be one on the way.
bool is_right(const std::string& text, bool cut_off, const std::string& truth);

// What a lane wrote by itself, special tokens written out: without its tag, other forced tokens, its end
// token, and the string of its request's `stop` that ended it.
std::string written_text(const Model& model, const LaneResult& lane, std::span<const std::string> stop);

}  // namespace lanerope::rollout
