// SPDX-License-Identifier: Apache-2.0
// What a caller or a policy may do to a group while it runs: spawn and fork lanes, push text, retire, cancel.
#include <algorithm>

#include "core/lane_tag.h"
#include "engine/group.h"
#include "lanerope/errors.h"

namespace lanerope::engine {

Lane& Group::running_lane(int32_t index) {
  if (!writes()) throw InvalidRequest("the group is not running, so its lanes cannot be changed");
  if (index < 0 || index >= static_cast<int32_t>(lanes_.size())) {
    throw InvalidRequest("the group has no lane " + std::to_string(index));
  }
  if (!lanes_[index].live()) throw InvalidRequest("lane " + std::to_string(index) + " has already ended");
  return lanes_[index];
}

// The past of a fork at `step` is what its parent wrote before. The last token of it is fed again, into the
// fork's own first cell, since the logits behind it are what the fork goes on from.
Group::Origin Group::fork_of(int32_t parent, int32_t step) const {
  while (true) {
    const Lane& lane = lanes_[parent];
    const core::LaneView cells = memory_.lane(parent);
    // A token that was chosen and not yet fed counts as written at the step that comes next.
    // Of those that were chosen ahead, where many lanes' are known, only the first does.
    const int32_t next = memory_.next_step(parent);
    const int32_t written = std::min(lane.n_tokens(), memory_.n_fed(parent) + 1);
    const int32_t end = step < 0       ? written
                        : step <= next ? core::cells_before(cells, step)
                                       : memory_.n_fed(parent) + step - next;
    if (end > written) {
      throw InvalidRequest("lane " + std::to_string(parent) + " has written no step " +
                           std::to_string(step - 1) + " yet, so it cannot be forked there");
    }
    const bool own = end > (cells.parent >= 0 ? 1 : 0);  // a fork's first token is its parent's
    if (own) {
      std::optional<grammar::Matcher> matcher = lane.matcher_after(end - 1);
      if (matcher && matcher->ended()) {
        throw InvalidRequest("lane " + std::to_string(parent) +
                             " has written all that its format allows; fork it at a step before its end");
      }
      return {.cells = {.start_step = clock_, .parent = parent, .fork_step = core::step_of(cells, end - 1)},
              .lane = {.start_step = clock_,
                       .forced = {lane.tokens()[end - 1]},
                       .silent = 1,
                       .text = lane.text_after(end - 1),
                       .unshown = lane.unshown_after(end - 1),
                       .matcher = std::move(matcher)}};
    }
    if (cells.parent < 0) return {.cells = {.start_step = clock_}, .lane = {.start_step = clock_}};
    step = cells.fork_step + 1;  // before it wrote anything of its own: a fork of what it was forked from
    parent = cells.parent;
  }
}

int32_t Group::spawn(const SpawnOptions& options, int32_t pool_cells) {
  if (!writes()) throw InvalidRequest("the group is not running, so it cannot take a new lane");
  if (result_.then_lane >= 0)
    throw InvalidRequest("the group's lanes have ended and its second stage writes, so it takes no new lane");
  if (options.parent >= static_cast<int32_t>(lanes_.size())) {
    throw InvalidRequest("the group has no lane " + std::to_string(options.parent) + " to fork");
  }
  if (n_prompt() + clock_ + 1 >= model_.info().trained_context) {
    throw InvalidRequest("the group's clock has reached the end of the model's context");
  }
  Origin origin = options.parent >= 0
                      ? fork_of(options.parent, options.fork_step)
                      : Origin{.cells = {.start_step = clock_}, .lane = {.start_step = clock_}};
  std::vector<TokenId>& forced = origin.lane.forced;
  const auto force = [&](std::string_view text) {
    const auto tokens = model_.encode(text, {.add_special = false, .parse_special = true});
    forced.insert(forced.end(), tokens.begin(), tokens.end());
  };
  if (origin.cells.parent < 0) {
    force(core::render_tag(request_.tag, std::ssize(lanes_) + 1));
    origin.lane.silent = static_cast<int32_t>(forced.size());
  }
  force(options.text);
  forced.insert(forced.end(), options.tokens.begin(), options.tokens.end());
  if (forced.size() >= static_cast<size_t>(request_.budget)) {
    throw InvalidRequest("the text for the new lane is longer than the budget");
  }
  const int64_t cells_then = request_.prompt_cells() +
                             (std::ssize(lanes_) + 1) * int64_t{request_.cells_of_lane()} +
                             request_.then_cells();
  if (cells_then > pool_cells) {
    throw DoesNotFit("with a new lane the group may come to need " + std::to_string(cells_then) +
                     " KV cells, and there are " + std::to_string(pool_cells) +
                     "; use a smaller budget, or more cells");
  }
  memory_.add_lane(origin.cells);
  add_lane(std::move(origin.lane));
  const auto index = static_cast<int32_t>(lanes_.size()) - 1;
  Sampler sampler;
  try {
    if (!lanes_.back().fits_format({}))
      throw InvalidRequest("the text for the new lane does not keep to the answer's format");
    choose(index, prompt_logits_, sampler);
  } catch (...) {  // the group goes on without it
    events_.pop_back();
    lanes_.pop_back();
    memory_.drop_last_lane();
    sleepers_.left();
    tools_.left();
    throw;
  }
  settle_sleepers();
  return index;
}

void Group::push(int32_t index, std::string_view text) {
  Lane& lane = running_lane(index);
  const auto tokens = model_.encode(text, {.add_special = false, .parse_special = true});
  if (static_cast<int32_t>(tokens.size()) >= lane.room()) {
    throw InvalidRequest("the text takes " + std::to_string(tokens.size()) + " tokens, and lane " +
                         std::to_string(index) + " has " + std::to_string(lane.room()) +
                         " left of its budget");
  }
  if (!lane.fits_format(tokens))
    throw InvalidRequest("the text does not keep to the answer's format, so it cannot be put into lane " +
                         std::to_string(index));
  lane.force(tokens);
  sleepers_.given_text(index);
  settle_sleepers();
}

void Group::retire(int32_t index) {
  running_lane(index);
  end_lane(index, FinishReason::retired);
  settle_sleepers();
  finish_if_over();
}

void Group::end_all(FinishReason reason) {
  if (reason == FinishReason::consensus) result_.consensus = true;
  for (int32_t m = 0; m < static_cast<int32_t>(lanes_.size()); ++m) end_lane(m, reason);
  finish_if_over();
}

void Group::cancel() {
  if (state_ == GroupState::finished) return;
  cut_off(FinishReason::cancelled);
}

}  // namespace lanerope::engine
