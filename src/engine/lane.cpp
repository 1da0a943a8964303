// SPDX-License-Identifier: Apache-2.0
#include "engine/lane.h"

#include "model/loaded_model.h"

namespace lanerope::engine {

Lane::Lane(const LaneRules& rules, LaneOrigin origin)
    : rules_(rules),
      start_step_(origin.start_step),
      silent_(origin.silent),
      forced_(origin.forced.begin(), origin.forced.end()),
      detokenizer_(model::loaded(rules.model).vocabulary, {}),
      stops_(rules.request.asked.stop),
      text_(std::move(origin.text)) {
  if (rules.request.certainty_window > 0) meter_.emplace(rules.request.certainty_window);
}

std::optional<TokenId> Lane::next_forced() {
  if (forced_.empty()) return std::nullopt;
  const TokenId token = forced_.front();
  forced_.pop_front();
  return token;
}

int32_t Lane::room() const {
  return rules_.request.budget - n_tokens() - static_cast<int32_t>(forced_.size());
}

Taken Lane::append(TokenId token, std::optional<float> logprob) {
  tokens_.push_back(token);
  const bool forced = !logprob;
  const bool silent = n_tokens() <= silent_;
  Taken taken;
  if (!forced) {
    ++generated_;
    sum_logprob_ += *logprob;
    if (rules_.model.is_end(token) && !rules_.request.asked.ignore_end) taken.finish = FinishReason::end;
  }
  if (!silent && taken.finish == FinishReason::none) {
    const std::string whole = detokenizer_.push(token);
    if (forced) {
      // Text that the caller put in is not searched for stop strings.
      taken.text = stops_.flush() + whole;
      text_ += whole;
    } else {
      const text::StopStrings::Result shown = stops_.push(whole);
      taken.text = shown.text;
      if (shown.stopped) taken.finish = FinishReason::stop;
      text_ += shown.text;
    }
  }
  text_length_.push_back(text_.size());
  const int64_t position = std::ssize(rules_.request.prompt) + start_step_ + n_tokens();
  const int32_t most = rules_.request.max_tokens;
  const bool spent = n_tokens() >= rules_.request.budget || (most > 0 && generated_ >= most) ||
                     position >= rules_.model.info().trained_context;
  if (taken.finish == FinishReason::none && spent) taken.finish = FinishReason::length;
  return taken;
}

std::string Lane::end(FinishReason reason) {
  if (!live()) return {};
  finish_ = reason;
  std::string rest;
  if (reason != FinishReason::stop) {
    // What could have become a stop string did not.
    const text::StopStrings::Result shown = stops_.push(detokenizer_.flush());
    rest = shown.text + (shown.stopped ? "" : stops_.flush());
  }
  text_ += rest;
  return rest;
}

std::optional<answers::Answer> Lane::answer() const {
  return answers::lane_answer(text_, ended_by_itself(finish_));
}

LaneResult Lane::result() const {
  LaneResult result{.text = text_,
                    .tokens = tokens_,
                    .finish = finish_,
                    .generated = generated_,
                    .mean_logprob = generated_ > 0 ? sum_logprob_ / generated_ : 0,
                    .start_step = start_step_};
  if (meter_ && generated_ > 0) result.certainty = meter_->result();
  if (std::optional<answers::Answer> found = answer()) {
    result.answer = std::move(found->text);
    result.answer_from = found->from;
  }
  return result;
}

}  // namespace lanerope::engine
