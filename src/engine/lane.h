// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "answers/extract.h"
#include "engine/certainty_meter.h"
#include "grammar/matcher.h"
#include "lanerope/model.h"
#include "lanerope/policy.h"
#include "lanerope/resolve.h"
#include "lanerope/result.h"
#include "text/detokenizer.h"
#include "text/stop_strings.h"

namespace lanerope::engine {

// What ends a lane by itself, and how its tokens become text: the same for all lanes of a group.
struct LaneRules {
  const Model& model;
  const ResolvedRequest& request;  // its prompt's length, budget, max_tokens, ignore_end, stop
};

// What a lane has written and not shown yet: half a character, or what may become a stop string.
struct Unshown {
  text::Detokenizer detokenizer;
  text::StopStrings stops;
};

// Where a lane comes from.
struct LaneOrigin {
  int32_t start_step = 0;
  std::vector<TokenId> forced = {};
  int32_t silent =
      0;  // of its first tokens, which are no text of its own: its tag, or the parent's last token
  std::string text = {};                         // inherited from the lane it was forked from
  std::optional<Unshown> unshown = {};           // the same; none: all that was written is in `text`
  std::optional<grammar::Matcher> matcher = {};  // the same; none: at the beginning of the request's format
  int32_t budget = 0;  // tokens that it may hold, of which it may sample all; 0: as the request says
};

// Text that became complete, and why the lane ended with it, if it did.
struct Taken {
  std::string text = {};
  FinishReason finish = FinishReason::none;
};

// One lane of a running group: its tokens and its text. It knows no other lane and no cells. A token is first
// chosen (drawn from logits, or forced), then fed in the next step.
class Lane {
 public:
  Lane(const LaneRules& rules, LaneOrigin origin);

  // The token that must be chosen next, taken off the queue; nothing where one may be drawn.
  std::optional<TokenId> next_forced();
  bool is_forced() const { return !forced_.empty(); }
  int32_t n_forced() const { return static_cast<int32_t>(forced_.size()); }
  // Puts tokens at the end of the queue. The caller sees that they fit, into the budget and into the format.
  void force(std::span<const TokenId> tokens);
  // The same, with `shown` as the text that they stand for instead of their own.
  void force_as(std::span<const TokenId> tokens, const std::string& shown);
  // Whether the last token that was appended is text of its own: no tag, and nothing that is shown otherwise.
  bool last_is_text() const { return n_tokens() > silent_ && last_.is_text; }
  int32_t room() const;  // tokens of the budget that are neither chosen nor forced

  // The tokens that the format allows next, as grammar::Matcher::allowed(); empty: all. make_mask() does the
  // work ahead, maybe on another thread while nothing else touches the lane.
  std::span<const int32_t> allowed();
  void make_mask() { allowed(); }
  bool has_format() const { return matcher_.has_value(); }
  // Whether the text that is forced already, and these tokens behind it, keep to the format.
  bool fits_format(std::span<const TokenId> tokens) const;
  // Where the text stood in the format behind token number `index`.
  std::optional<grammar::Matcher> matcher_after(int32_t index) const;

  // A chosen token. `logprob` counts for drawn ones only. The lane does not end by it: end() does that.
  Taken append(TokenId token, std::optional<float> logprob);
  // What a sampled token says of the lane's certainty.
  void measure(const TokenCertainty& token) {
    if (meter_) meter_->add(token);
  }
  // What policies are shown of the token that was drawn in this step; nothing once the step is over.
  void drew(std::optional<DrawnToken> token) { drawn_ = token; }
  const std::optional<DrawnToken>& drawn() const { return drawn_; }
  // Ends the lane and gives what text was held back; nothing happens to one that has ended.
  std::string end(FinishReason reason);

  bool live() const { return finish_ == FinishReason::none; }
  FinishReason finish() const { return finish_; }
  const std::vector<TokenId>& tokens() const { return tokens_; }
  int32_t n_tokens() const { return static_cast<int32_t>(tokens_.size()); }
  int32_t start_step() const { return start_step_; }
  int32_t generated() const { return generated_; }
  double mean_logprob() const { return generated_ > 0 ? sum_logprob_ / generated_ : 0; }
  // The step in which its next token is fed, if it does not sleep.
  int32_t next_step() const { return start_step_ + slept_ + n_tokens(); }
  void slept(int32_t steps) { slept_ += steps; }
  const std::string& text() const { return text_; }
  // What was written up to and with token number `index`.
  std::string text_after(int32_t index) const { return text_.substr(0, text_length_[index]); }
  // What it had written by then and not shown.
  std::optional<Unshown> unshown_after(int32_t index) const;
  // From the text, as answers::lane_answer reads it, or as the request's format says.
  std::optional<answers::Answer> answer() const;
  LaneResult result() const;

 private:
  std::string_view behind_thinking() const;

  const LaneRules& rules_;
  int32_t start_step_;
  int32_t budget_;      // tokens
  int32_t max_tokens_;  // of these it may sample; 0: all
  int32_t slept_ = 0;   // steps in all
  int32_t silent_;
  std::vector<TokenId> tokens_ = {};
  struct Forced {
    TokenId token = 0;
    bool is_text = true;  // else it stands for `shown`
    std::string shown = {};
  };
  std::deque<Forced> forced_;
  Forced last_ = {};  // that was taken off it, or what is like any token that is drawn
  FinishReason finish_ = FinishReason::none;
  text::Detokenizer detokenizer_;
  text::StopStrings stops_;
  std::string text_;                         // a fork's begins with its parent's
  std::vector<size_t> text_length_ = {};     // [tokens] of `text_` after each token
  std::map<int32_t, Unshown> unshown_ = {};  // behind those tokens, by number, that left something unshown
  std::optional<grammar::Matcher> matcher_;
  std::vector<int32_t> matched_ = {};  // [tokens], if there is a matcher: what it had accepted behind each
  std::optional<std::span<const int32_t>> mask_ = {};  // of the next token, once it is made
  double sum_logprob_ = 0;
  int32_t generated_ = 0;
  std::optional<CertaintyMeter> meter_ = {};
  std::optional<DrawnToken> drawn_ = {};
};

}  // namespace lanerope::engine
