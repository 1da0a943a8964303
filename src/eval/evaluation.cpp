// SPDX-License-Identifier: Apache-2.0
#include "eval/evaluation.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "engine/answer.h"
#include "lanerope/errors.h"
#include "rollout/rollout.h"

namespace lanerope {

namespace {

struct Job {
  int64_t question = 0;
  int32_t group = 0;
  auto operator<=>(const Job&) const = default;
};

Request request_of(const Model& model, const Arm& arm, const EvalQuestion& question, const EvalPlan& plan) {
  Request request{.prompt = plan.prompt(model, question.text),
                  .lanes = arm.lanes,
                  .budget = plan.budget,
                  .coupling = coupling_of(arm, model),
                  .force_coupling = true,
                  .tag = tag_of(arm, model),
                  .sampling = plan.sampling,
                  .selection = {.kind = SelectionKind::none}};
  if (arm.temperature) request.sampling.temperature = *arm.temperature;
  return request;
}

EvalRecord record_of(const Model& model, const Arm& arm, const Job& job, const GroupResult& result) {
  EvalRecord record{.arm = arm.name,
                    .question = job.question,
                    .group = job.group,
                    .seconds = result.decode_seconds,
                    .steps = result.clock};
  for (const LaneResult& lane : result.lanes) {
    const bool ended = lane.finish == FinishReason::end || lane.finish == FinishReason::stop;
    const bool end_counted = !lane.tokens.empty() && model.is_end(lane.tokens.back());
    record.lanes.push_back(
        {.text = lane.text,
         .answer = ended ? extract_answer(lane.text) : extract_settled_answer(lane.text),
         .ended = ended,
         .length = static_cast<int32_t>(lane.tokens.size()) + (ended && !end_counted ? 1 : 0),
         .mean_logprob = lane.mean_logprob});
  }
  return record;
}

}  // namespace

int32_t total_lanes(const Arm& arm, const EvalPlan& plan) {
  if (arm.lanes_total > 0) return arm.lanes_total;
  const int32_t total = std::max(plan.lanes_total, arm.lanes);
  if (total % arm.lanes != 0) {
    throw InvalidRequest("the arm " + arm.name + " has " + std::to_string(arm.lanes) +
                         " lanes, which do not divide the " + std::to_string(total) + " lanes of a question");
  }
  return total;
}

void evaluate_arm(std::shared_ptr<const Model> model, const Arm& arm, std::span<const EvalQuestion> questions,
                  const EvalPlan& plan, std::span<const EvalRecord> done,
                  const std::function<void(const EvalRecord&)>& sink) {
  const int32_t groups = total_lanes(arm, plan) / arm.lanes;
  std::set<Job> known;
  for (const EvalRecord& record : done) {
    if (record.arm == arm.name) known.insert({.question = record.question, .group = record.group});
  }
  std::vector<Job> jobs;
  int32_t cells = 0;
  for (int64_t question = 0; question < std::ssize(questions); ++question) {
    for (int32_t group = 0; group < groups; ++group) {
      const Job job{.question = question, .group = group};
      if (known.contains(job)) continue;
      jobs.push_back(job);
      if (group != 0) continue;
      const MemoryNeed need =
          memory_need(*model, request_of(*model, arm, questions[question], plan), KvType::f16);
      cells = std::max(cells, need.prompt_cells + need.lane_cells);
    }
  }
  if (jobs.empty()) return;

  // Groups of N lanes for every group of one: the same number of rows a step in every arm.
  const int32_t parallel = std::max(1, plan.parallel / arm.lanes);
  Engine engine(model, {.kv_cells = std::max(cells, 1) * parallel, .share_prefixes = false});
  std::map<GroupId, Job> running;
  size_t submitted = 0;
  size_t finished = 0;
  while (finished < jobs.size()) {
    if (plan.stopped && plan.stopped()) return;
    while (submitted < jobs.size() && std::ssize(running) < parallel) {
      const Job& job = jobs[submitted++];
      const EvalQuestion& question = questions[static_cast<size_t>(job.question)];
      Request request = request_of(*model, arm, question, plan);
      request.sampling.seed = group_seed(plan.seed, question.text, job.group);
      running.emplace(engine.submit(request), job);
    }
    engine.step([&](const Event& event) {
      if (event.kind != EventKind::group_finished) return;
      sink(record_of(*model, arm, running.at(event.group), *event.result));
      running.erase(event.group);
      ++finished;
    });
  }
}

}  // namespace lanerope
