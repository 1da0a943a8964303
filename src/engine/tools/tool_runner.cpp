// SPDX-License-Identifier: Apache-2.0
#include "engine/tools/tool_runner.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/tools/tool_forms.h"
#include "lanerope/model.h"
#include "text/bounded_json.h"

namespace lanerope::engine {

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::string note_arguments(const std::string& expression) {
  return nlohmann::json{{"expression", expression}}.dump();
}

}  // namespace

ToolRunner::ToolRunner(const ResolvedRequest& request, CalledFrom& group, ToolThreads& threads)
    : request_(request), group_(group), threads_(threads) {
  if (request.tools.notes) calculator_ = builtin_tool("calculator");
}

void ToolRunner::joined(const std::string& inherited) {
  if (on()) lanes_.push_back({.watch = std::make_unique<ToolWatch>(request_, inherited)});
}

void ToolRunner::left() {
  if (on()) lanes_.pop_back();
}

bool ToolRunner::chose(const Chosen& chosen) {
  if (!on()) return false;
  OfLane& of = lanes_[chosen.lane];
  if (!chosen.text) return false;
  const ToolWatch::Found found = of.watch->push(chosen.token);
  if (chosen.forced) return false;
  called(chosen.lane, found);
  if (!chosen.ends) return false;
  called(chosen.lane, of.watch->finish());
  if (of.pending.empty()) return false;
  of.end = chosen.token;
  return true;
}

void ToolRunner::called(int32_t lane, const ToolWatch::Found& found) {
  for (const ToolCall& call : found.calls) add(lane, {.tool = call.name, .arguments = call.arguments});
  if (found.note)
    add(lane, {.tool = calculator_.name, .arguments = note_arguments(*found.note), .note = true});
}

void ToolRunner::add(int32_t lane, ToolRun run) {
  run.number = static_cast<int32_t>(runs_.size());
  run.lane = lane;
  run.step = group_.clock();
  lanes_[lane].pending.push_back({.run = runs_.size()});
  runs_.push_back(std::move(run));
}

void ToolRunner::tell(const ToolRun& run) {
  group_.emit({.kind = run.returned ? EventKind::tool_returned : EventKind::tool_called,
               .lane = run.lane,
               .step = run.returned ? run.returned_step : run.step,
               .tool = std::make_shared<const ToolRun>(run)});
}

const Tool* ToolRunner::tool_of(const ToolRun& run) const {
  if (run.note) return &calculator_;
  const auto tool = std::ranges::find(request_.tools.tools, run.tool, &Tool::name);
  return tool == request_.tools.tools.end() ? nullptr : &*tool;
}

void ToolRunner::returned(Pending& pending, ToolAnswer answer) {
  ToolRun& run = runs_[pending.run];
  run.returned = true;
  run.returned_step = group_.clock();
  run.result = tidied(std::move(answer.text), request_.tools.most_bytes);
  run.failed = answer.failed;
  run.milliseconds = milliseconds_since(pending.begin);
  tell(run);
}

void ToolRunner::start(Pending& pending) {
  const ToolRun& run = runs_[pending.run];
  pending.started = true;
  pending.begin = Clock::now();
  tell(run);
  const auto refuse = [&](std::string why) { returned(pending, {.text = std::move(why), .failed = true}); };
  const Tool* tool = tool_of(run);
  if (++lanes_[run.lane].n_calls > request_.tools.most_calls)
    return refuse("this was one call more than the " + std::to_string(request_.tools.most_calls) +
                  " that there may be; go on without tools");
  if (tool == nullptr) {
    std::string names;
    for (const Tool& other : request_.tools.tools) names += (names.empty() ? "" : ", ") + other.name;
    return refuse("there is no tool of that name; there is " + names);
  }
  if (!text::parse_bounded<nlohmann::json>(run.arguments).is_object())
    return refuse("the arguments are no JSON object, or a very deep one");
  if (tool->instant) return returned(pending, run_tool(*tool, run.arguments));
  pending.call = threads_.start(*tool, run.arguments, request_.tools.timeout);
}

void ToolRunner::after_step() {
  for (size_t m = 0; m < lanes_.size(); ++m) {
    bool called = false;
    for (Pending& pending : lanes_[m].pending) {
      if (pending.started) continue;
      start(pending);
      called = true;
    }
    if (!called) continue;
    give_results(static_cast<int32_t>(m));
    settle(static_cast<int32_t>(m));
  }
}

bool ToolRunner::take_results() {
  bool any = false;
  for (size_t m = 0; m < lanes_.size(); ++m) {
    bool came = false;
    for (Pending& pending : lanes_[m].pending) {
      if (pending.call == nullptr || runs_[pending.run].returned) continue;
      if (std::optional<ToolAnswer> answer = pending.call->answer()) {
        returned(pending, std::move(*answer));
        came = true;
      }
    }
    if (!came) continue;
    any = true;
    give_results(static_cast<int32_t>(m));
    settle(static_cast<int32_t>(m));
  }
  return any;
}

std::vector<TokenId> ToolRunner::form_of(const OfLane& of, std::span<const size_t> runs) const {
  const ToolForm& form = request_.tool_forms->form(runs_[runs.front()].tool);
  std::vector<TokenId> tokens = form.before;
  if (of.end && !tokens.empty() && tokens.front() == *of.end) tokens.erase(tokens.begin());
  for (size_t i = 0; i < runs.size(); ++i) {
    if (i > 0) tokens.insert(tokens.end(), form.between.begin(), form.between.end());
    // Names of control tokens in a result are text.
    const auto result =
        request_.model->encode(runs_[runs[i]].result, {.add_special = false, .parse_special = false});
    tokens.insert(tokens.end(), result.begin(), result.end());
  }
  tokens.insert(tokens.end(), form.after.begin(), form.after.end());
  return tokens;
}

// Results of one lane that are there together go into one turn; a lane that waits gets all at once. A note
// whose expression cannot be computed is the lane's own to finish.
bool ToolRunner::give_results(int32_t lane) {
  OfLane& of = lanes_[lane];
  const auto is_there = [this](const Pending& pending) { return runs_[pending.run].returned; };
  const bool waits = request_.tools.wait == ToolWait::call || of.end;
  const bool all = std::ranges::all_of(of.pending, is_there);
  std::vector<size_t> calls;
  std::vector<size_t> notes;
  for (const Pending& pending : of.pending) {
    if (!is_there(pending)) continue;
    (runs_[pending.run].note ? notes : calls).push_back(pending.run);
  }
  if (!calls.empty() && waits && !all) return false;
  std::erase_if(of.pending, is_there);
  Lane& writes = group_.lanes_with_tools()[lane];
  for (const size_t run : notes) {
    if (runs_[run].failed) continue;
    const auto tokens =
        request_.model->encode(runs_[run].result + ">>", {.add_special = false, .parse_special = false});
    if (std::ssize(tokens) < writes.room()) writes.force(tokens);
  }
  if (calls.empty()) return !notes.empty();
  const std::vector<TokenId> tokens = form_of(of, calls);
  of.end.reset();
  if (std::ssize(tokens) < writes.room()) {
    writes.force_as(tokens, "\n");
    of.watch->restart();
  } else {
    group_.end_lane(lane, FinishReason::length);
  }
  return true;
}

void ToolRunner::settle(int32_t lane) {
  OfLane& of = lanes_[lane];
  const bool hold = !of.pending.empty() && (request_.tools.wait == ToolWait::call || of.end);
  if (hold == of.held) return;
  of.held = hold;
  hold ? group_.hold(lane) : group_.release(lane);
}

bool ToolRunner::waiting() const {
  return std::ranges::any_of(lanes_, [](const OfLane& of) { return !of.pending.empty(); });
}

void ToolRunner::ended(int32_t lane) {
  if (!on()) return;
  OfLane& of = lanes_[lane];
  std::vector<Pending> pending = std::move(of.pending);
  of.pending.clear();
  of.held = false;
  of.end.reset();
  for (Pending& left : pending) {
    if (!left.started || runs_[left.run].returned) continue;
    if (left.call != nullptr) left.call->stop();
    returned(left, {.text = "the lane ended before the result was there", .failed = true});
  }
}

}  // namespace lanerope::engine
