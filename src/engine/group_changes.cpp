// SPDX-License-Identifier: Apache-2.0
// What a caller may do to a group while it runs: spawn and fork lanes, push text, retire, cancel.
#include "core/lane_tag.h"
#include "engine/group.h"
#include "lanerope/errors.h"

namespace lanerope::engine {

Lane& Group::running_lane(int32_t index) {
  if (state_ != GroupState::decode)
    throw InvalidRequest("the group is not running, so its lanes cannot be changed");
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
    const int32_t written = static_cast<int32_t>(lane.tokens.size());
    const int32_t end = step < 0 ? written : step - lane.start_step;
    if (end > written) {
      throw InvalidRequest("lane " + std::to_string(parent) + " has written no step " +
                           std::to_string(step - 1) + " yet, so it cannot be forked there");
    }
    const bool own = end > (lane.parent >= 0 ? 1 : 0);  // a fork's first token is its parent's
    if (own) {
      return {.parent = parent,
              .fork_step = lane.start_step + end - 1,
              .silent = 1,
              .forced = {lane.tokens[end - 1]},
              .text = lane.text.substr(0, lane.text_length[end - 1])};
    }
    if (lane.parent < 0) return {};
    step = lane.fork_step + 1;  // before it wrote anything of its own: a fork of what it was forked from
    parent = lane.parent;
  }
}

int32_t Group::spawn(const SpawnOptions& options, PrefixCache& store) {
  if (state_ != GroupState::decode)
    throw InvalidRequest("the group is not running, so it cannot take a new lane");
  if (options.parent >= static_cast<int32_t>(lanes_.size())) {
    throw InvalidRequest("the group has no lane " + std::to_string(options.parent) + " to fork");
  }
  if (n_prompt() + clock_ + 1 >= model_.info().trained_context) {
    throw InvalidRequest("the group's clock has reached the end of the model's context");
  }
  Origin origin = options.parent >= 0 ? fork_of(options.parent, options.fork_step) : Origin{};
  const auto force = [&](std::string_view text) {
    const auto tokens = model_.encode(text, {.add_special = false, .parse_special = true});
    origin.forced.insert(origin.forced.end(), tokens.begin(), tokens.end());
  };
  if (origin.parent < 0) {
    force(core::render_tag(request_.tag, std::ssize(lanes_) + 1));
    origin.silent = static_cast<int32_t>(origin.forced.size());
  }
  force(options.text);
  if (origin.forced.size() >= static_cast<size_t>(request_.budget)) {
    throw InvalidRequest("the text for the new lane is longer than the budget");
  }
  std::shared_ptr<const OwnedCells> cells;
  if (!free_cells_.empty()) {
    cells = free_cells_.front();
    free_cells_.pop_front();
  } else {
    cells = store.allocate(request_.budget);
  }
  if (cells == nullptr) {
    throw DoesNotFit("a new lane needs " + std::to_string(request_.budget) +
                     " KV cells in a row, and there are not that many free; wait for another group to end");
  }
  const int32_t index = add_lane(std::move(cells), std::move(origin));
  Sampler sampler;
  choose(index, prompt_logits_, sampler);
  return index;
}

void Group::push_text(int32_t index, std::string_view text) {
  Lane& lane = running_lane(index);
  const auto tokens = model_.encode(text, {.add_special = false, .parse_special = true});
  const size_t room = static_cast<size_t>(request_.budget) - lane.tokens.size() - lane.forced.size();
  if (tokens.size() >= room) {
    throw InvalidRequest("the text takes " + std::to_string(tokens.size()) + " tokens, and lane " +
                         std::to_string(index) + " has " + std::to_string(room) + " left of its budget");
  }
  lane.forced.insert(lane.forced.end(), tokens.begin(), tokens.end());
}

void Group::retire(int32_t index) {
  running_lane(index);
  end_lane(index, FinishReason::retired);
  finish_if_over();
}

void Group::cancel() {
  if (state_ == GroupState::finished) return;
  held_ = false;
  verifier_stop_.request_stop();
  for (int32_t m = 0; m < static_cast<int32_t>(lanes_.size()); ++m) end_lane(m, FinishReason::cancelled);
  if (result_.lanes.empty()) {
    for (const Lane& lane : lanes_) result_.lanes.push_back(lane_result(lane));
  }
  result_.clock = clock_;
  report(FinishReason::cancelled);
}

}  // namespace lanerope::engine
