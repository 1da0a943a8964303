// SPDX-License-Identifier: Apache-2.0
#include "rollout/rollout.h"

#include <algorithm>

#include "rollout/lane_score.h"
#include "rollout/many_groups.h"
#include "rollout/ordered_traces.h"

namespace lanerope::rollout {

namespace {

data::Trace labelled_trace(const Model& model, const data::Trace& problem, const Request& request,
                           const GroupResult& result) {
  data::Trace trace = {.question = problem.question, .answer = problem.answer, .other = problem.other};
  const std::string truth = true_answer(problem.answer);
  for (const LaneResult& lane : result.lanes) {
    const bool ended = ended_by_itself(lane.finish);
    trace.lanes.push_back(written_text(model, lane, request.stop));
    trace.labels.push_back(is_right(trace.lanes.back(), !ended, truth));
    trace.ended.push_back(ended);
  }
  return trace;
}

Request request_of(const RolloutQuestion& question, const RolloutOptions& options, int32_t group) {
  Request request = options.request;
  request.prompt = question.prompt;
  request.selection = {.kind = SelectionKind::none};
  request.sampling.seed = group_seed(options.seed, question.problem.question, group);
  return request;
}

}  // namespace

std::vector<RolloutJob> missing_jobs(std::span<const RolloutQuestion> questions, int32_t groups) {
  std::vector<RolloutJob> jobs;
  for (size_t i = 0; i < questions.size(); ++i) {
    for (int32_t group = questions[i].done; group < groups; ++group) {
      jobs.push_back({.question = i, .group = group});
    }
  }
  return jobs;
}

uint64_t group_seed(uint64_t seed, const std::string& question, int32_t group) {
  uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3U; };
  for (const char c : question) add(static_cast<unsigned char>(c));
  for (int i = 0; i < 64; i += 8) add(static_cast<unsigned char>(seed >> i));
  for (int i = 0; i < 32; i += 8) add(static_cast<unsigned char>(static_cast<uint32_t>(group) >> i));
  return hash;
}

int32_t rollout_cells(const Model& model, std::span<const RolloutQuestion> questions,
                      const RolloutOptions& options) {
  int32_t largest = 0;
  for (const RolloutQuestion& question : questions) {
    largest = std::max(largest, resolve(model, request_of(question, options, 0), options.defaults)->cells());
  }
  return largest * options.parallel;
}

void roll_out(Engine& engine, std::span<const RolloutQuestion> questions, const RolloutOptions& options,
              const TraceSink& sink) {
  const std::vector<RolloutJob> jobs = missing_jobs(questions, options.groups);
  OrderedTraces traces(sink);
  ManyGroups groups(engine, {.stopped = options.stopped});
  size_t submitted = 0;
  groups.run([&] {
    while (submitted < jobs.size() && groups.running() < options.parallel) {
      const size_t place = submitted++;
      const RolloutQuestion& question = questions[jobs[place].question];
      const Request request = request_of(question, options, jobs[place].group);
      groups.submit(resolve(engine.model(), request, options.defaults), [&, place](const Event& event) {
        if (event.kind != EventKind::group_finished) return;
        traces.put(place, labelled_trace(engine.model(), question.problem, options.request, *event.result));
      });
    }
  });
}

}  // namespace lanerope::rollout
