// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/attention_plan.h"
#include "engine/prefix_cache.h"
#include "lanerope/result.h"
#include "text/detokenizer.h"
#include "text/stop_strings.h"

namespace lanerope::engine {

// One lane of a running group. A token is first chosen (drawn from logits, or forced), then fed in the next
// step, which writes its cell; so `tokens` is one longer than the cells that are filled, until the lane has
// ended and its last token was fed as well, for the other lanes to see.
struct Lane {
  std::shared_ptr<const OwnedCells> cells = {};  // capacity: the budget
  int32_t fed = 0;                               // cells filled
  std::vector<TokenId> tokens = {};
  std::deque<TokenId> forced = {};  // to be chosen before anything is drawn
  int32_t start_step = 0;
  int32_t parent = -1;
  int32_t fork_step = 0;
  int32_t silent =
      0;  // of its first tokens, which are no text of its own: its tag, or the parent's last token
  FinishReason finish = FinishReason::none;

  text::Detokenizer detokenizer;
  text::StopStrings stops;
  std::string text = {};                 // a fork's begins with its parent's
  std::vector<size_t> text_length = {};  // [tokens] of `text` after each token
  double sum_logprob = 0;
  int32_t generated = 0;

  bool live() const { return finish == FinishReason::none; }
  bool waiting() const { return fed < static_cast<int32_t>(tokens.size()); }  // has a token to feed
  int32_t next_step() const { return start_step + fed; }
  core::LaneView view() const {
    return {.segment = {.cell = cells->first, .length = fed},
            .start_step = start_step,
            .parent = parent,
            .fork_step = fork_step};
  }
};

}  // namespace lanerope::engine
