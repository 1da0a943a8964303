// SPDX-License-Identifier: Apache-2.0
#include "engine/lane.h"

#include <algorithm>
#include <ranges>

#include "answers/format_answer.h"
#include "core/lane_view.h"
#include "engine/called_answer.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"
#include "text/bounded_json.h"

namespace lanerope::engine {

Lane::Lane(const LaneRules& rules, LaneOrigin origin)
    : rules_(rules),
      start_step_(origin.start_step),
      budget_(origin.budget > 0 ? origin.budget : rules.request.budget),
      max_tokens_(origin.budget > 0 ? 0 : rules.request.max_tokens),
      silent_(origin.silent),
      detokenizer_(model::loaded(rules.model).vocabulary, {.special = rules.request.control_text}),
      stops_(rules.request.asked.stop),
      text_(std::move(origin.text)),
      matcher_(std::move(origin.matcher)) {
  if (origin.unshown) {
    detokenizer_ = std::move(origin.unshown->detokenizer);
    stops_ = std::move(origin.unshown->stops);
  }
  force(origin.forced);
  if (!matcher_ && rules.request.format) matcher_.emplace(rules.request.format);
  if (rules.request.certainty_window > 0) meter_.emplace(rules.request.certainty_window);
}

std::optional<TokenId> Lane::next_forced() {
  last_ = {};
  if (forced_.empty()) return std::nullopt;
  last_ = std::move(forced_.front());
  forced_.pop_front();
  return last_.token;
}

void Lane::force(std::span<const TokenId> tokens) {
  for (const TokenId token : tokens) forced_.push_back({.token = token});
}

void Lane::force_as(std::span<const TokenId> tokens, const std::string& shown) {
  for (size_t i = 0; i < tokens.size(); ++i)
    forced_.push_back({.token = tokens[i], .is_text = false, .shown = i == 0 ? shown : ""});
}

int32_t Lane::room() const {
  return budget_ - n_tokens() - static_cast<int32_t>(forced_.size());
}

std::span<const int32_t> Lane::allowed() {
  if (!matcher_) return {};
  if (!mask_) mask_ = matcher_->allowed();
  return *mask_;
}

bool Lane::fits_format(std::span<const TokenId> tokens) const {
  if (!matcher_) return true;
  grammar::Matcher ahead = matcher_->fork();
  const auto accept = [&ahead](TokenId token) { return ahead.accept(token); };
  // Tokens of a tag that still wait lie outside of the format.
  const auto outside = static_cast<size_t>(std::max(silent_ - n_tokens(), 0));
  return std::ranges::all_of(forced_ | std::views::drop(outside) | std::views::transform(&Forced::token),
                             accept) &&
         std::ranges::all_of(tokens, accept);
}

std::optional<grammar::Matcher> Lane::matcher_after(int32_t index) const {
  if (!matcher_) return std::nullopt;
  grammar::Matcher then = matcher_->fork();
  then.take_back(then.n_accepted() - matched_[static_cast<size_t>(index)]);
  return then;
}

std::optional<Unshown> Lane::unshown_after(int32_t index) const {
  const auto found = unshown_.find(index);
  return found == unshown_.end() ? std::nullopt : std::optional(found->second);
}

Taken Lane::append(TokenId token, std::optional<float> logprob) {
  tokens_.push_back(token);
  const bool forced = !logprob;
  const bool silent = n_tokens() <= silent_;
  if (matcher_) {
    if (!silent && !matcher_->accept(token))
      throw InvalidRequest("the text of a lane left the answer's format");
    matched_.push_back(matcher_->n_accepted());
    mask_.reset();
  }
  Taken taken;
  if (!forced) {
    ++generated_;
    sum_logprob_ += *logprob;
    if (rules_.model.is_end(token) && !rules_.request.asked.ignore_end) taken.finish = FinishReason::end;
  }
  if (!silent && taken.finish == FinishReason::none) {
    const std::string whole = last_.is_text ? detokenizer_.push(token) : last_.shown;
    if (forced) {
      // Text that the caller put in is not searched for stop strings.
      taken.text = stops_.flush() + whole;
    } else {
      const text::StopStrings::Result shown = stops_.push(whole);
      taken.text = shown.text;
      if (shown.stopped) taken.finish = FinishReason::stop;
    }
    text_ += taken.text;
  }
  text_length_.push_back(text_.size());
  if (detokenizer_.holds() || stops_.holds())
    unshown_.insert({n_tokens() - 1, {.detokenizer = detokenizer_, .stops = stops_}});
  const int64_t position = std::ssize(rules_.request.prompt) + next_step();
  const bool spent = n_tokens() >= budget_ || (max_tokens_ > 0 && generated_ >= max_tokens_) ||
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

std::string_view Lane::behind_thinking() const {
  const ThinkingMarks& marks = rules_.request.style.thinking;
  const std::string_view text = text_;
  const auto behind = [text](const std::string& mark) {
    const size_t at = mark.empty() ? std::string::npos : text.rfind(mark);
    return at == std::string::npos ? std::nullopt : std::optional(text.substr(at + mark.size()));
  };
  // Where an answer has a mark of its own, an end stands behind that too.
  if (const auto answer = behind(marks.answer)) return answer->substr(0, answer->find(marks.end));
  return behind(marks.end).value_or(text);
}

std::optional<answers::Answer> Lane::answer() const {
  const FormatKind kind = rules_.request.asked.format.kind;
  const bool ended = ended_by_itself(finish_);
  if (ended) {
    const ResolvedRequest& request = rules_.request;
    if (auto called = called_answer(request.asked.prompt, request.style.tools, behind_thinking()))
      return called;
  }
  // What may be written instead of the format, a call of a tool, is read as any text is.
  const bool only_format = rules_.request.asked.format.otherwise.empty();
  if (kind == FormatKind::json || kind == FormatKind::json_schema) {
    const std::string_view written = behind_thinking();
    // To print what is nested without end takes a stack as deep.
    if (text::is_bounded_json(written)) {
      if (auto found = answers::json_answer(written)) return found;
    }
    if (only_format) return std::nullopt;
  }
  if ((kind == FormatKind::choice || kind == FormatKind::regex) && only_format)
    return ended ? answers::whole_answer(behind_thinking()) : std::nullopt;
  return answers::lane_answer(text_, ended);
}

LaneResult Lane::result() const {
  LaneResult result{.text = text_,
                    .tokens = tokens_,
                    .finish = finish_,
                    .generated = generated_,
                    .mean_logprob = mean_logprob(),
                    .start_step = start_step_};
  if (meter_ && generated_ > 0) result.certainty = meter_->result();
  if (std::optional<answers::Answer> found = answer()) {
    result.answer = std::move(found->text);
    result.answer_from = found->from;
  }
  return result;
}

}  // namespace lanerope::engine

std::vector<int32_t> lanerope::steps_of(const LaneResult& lane) {
  const core::LaneView view{.start_step = lane.start_step, .sleeps = lane.sleeps};
  std::vector<int32_t> steps;
  steps.reserve(lane.tokens.size());
  for (int32_t i = 0; i < std::ssize(lane.tokens); ++i) steps.push_back(core::step_of(view, i));
  return steps;
}
