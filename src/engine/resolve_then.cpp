// SPDX-License-Identifier: Apache-2.0
#include "engine/resolve_then.h"

#include <algorithm>
#include <string>

#include "core/lane_tag.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"
#include "text/encode_prompt.h"

namespace lanerope::engine {

namespace {

constexpr int32_t most_budget = 1 << 24;

void require(bool good, const std::string& what) {
  if (!good) throw InvalidRequest(what);
}

void check(const Request& request) {
  const SecondStage& then = *request.then;
  require(!then.text.empty(), "a second stage needs a text that says what to do with what the lanes wrote");
  const int32_t budget = then.budget.value_or(1);
  require(budget >= 1, "the budget of the second stage must be at least one token");
  require(budget <= most_budget, "a budget of " + std::to_string(budget) + " tokens is too large");
  const SelectionKind kind = request.selection.kind;
  require(kind == SelectionKind::vote || kind == SelectionKind::then,
          "the answer of a group with a second stage is what that stage writes, so nothing is selected by " +
              std::string(name(kind)) + "; leave one of them out");
  require(request.selection.weight == VoteWeight::equal,
          "votes are not what chooses the answer of a second stage, so they have no weight; leave it out");
  require(request.format.kind == FormatKind::any,
          "a second stage does not go with an answer's format or with tools yet; leave one of them out");
}

}  // namespace

void resolve_then(ResolvedRequest& resolved, const Prompt& told, const Model& model,
                  const RequestDefaults& defaults) {
  const Request& request = resolved.asked;
  if (!request.then) {
    require(request.selection.kind != SelectionKind::then,
            "selection by then needs a second stage; give its text");
    return;
  }
  check(request);
  require(resolved.coupling.kind != CouplingKind::bridge,
          "lanes of the coupling bridge have no second stage yet: the one that reads all would hear nobody; "
          "leave it out or couple lanes otherwise");
  resolved.selection.kind = SelectionKind::then;
  const std::string text = core::render_number(request.then->text, "{n}", request.lanes);
  resolved.then = ResolvedThen{
      .forced = text::encode_next_turn(model::loaded(model).prompt_format(defaults.no_template), told, text)};
  require(!resolved.then->forced.empty(), "the text of the second stage has no tokens");
}

int32_t least_then_cells(const ResolvedRequest& resolved) {
  if (!resolved.then) return 0;
  const int32_t written = resolved.asked.then->budget.value_or(1);
  return static_cast<int32_t>(resolved.then->forced.size()) + written;
}

void resolve_then_budget(ResolvedRequest& resolved, const RequestDefaults& defaults, int32_t context) {
  if (!resolved.then) return;
  ResolvedThen& then = *resolved.then;
  then.budget = resolved.asked.then->budget.value_or(resolved.budget);
  const int64_t before = std::ssize(resolved.prompt) + resolved.budget + std::ssize(then.forced);
  const int64_t left = context - before;
  if (defaults.over_context == OverContext::cut && left >= 1)
    then.budget = static_cast<int32_t>(std::min<int64_t>(then.budget, left));
  require(then.budget <= left,
          "the prompt, the lanes and the text of the second stage take up to " + std::to_string(before) +
              " tokens, which leaves " + std::to_string(std::max<int64_t>(left, 0)) +
              " of the model's context of " + std::to_string(context) +
              " to the second stage, and its budget is " + std::to_string(then.budget) + "; lower a budget");
}

}  // namespace lanerope::engine
