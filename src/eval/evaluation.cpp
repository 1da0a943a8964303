// SPDX-License-Identifier: Apache-2.0
#include "eval/evaluation.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <set>
#include <vector>

#include "answers/kinds.h"
#include "engine/beam_search.h"
#include "eval/judge_queue.h"
#include "eval/lane_watch.h"
#include "eval/to_request.h"
#include "lanerope/errors.h"
#include "rollout/many_groups.h"
#include "rollout/rollout.h"

namespace lanerope::eval {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Job {
  int64_t question = 0;
  int32_t group = 0;
  auto operator<=>(const Job&) const = default;
};

// The groups of an arm that are missing, run many at once.
class ArmRun {
 public:
  ArmRun(const std::shared_ptr<const Model>& model, const Arm& arm, std::span<const EvalQuestion> questions,
         const EvalPlan& plan)
      : model_(model), arm_(arm), questions_(questions), plan_(plan) {}

  void find_jobs(std::span<const EvalRecord> done);
  bool has_jobs() const { return !jobs_.empty(); }
  void run(const std::function<void(const EvalRecord&)>& sink);
  void run_beams(const std::function<void(const EvalRecord&)>& sink);
  ArmTiming timing() const {
    return {.arm = arm_.name, .seconds = seconds_, .steps = steps_, .at = times_.medians()};
  }

 private:
  const EvalQuestion& question_of(const Job& job) const {
    return questions_[static_cast<size_t>(job.question)];
  }
  std::shared_ptr<const ResolvedRequest> request_for(const Job& job) const {
    Request request = to_request(arm_, plan_.sampling);
    request.prompt = plan_.prompt(question_of(job));
    request.stop = plan_.stop;
    request.budget = plan_.budget;
    request.certainty_window = plan_.certainty_window;
    if (!plan_.verifier.empty() && !arm_.then)
      request.selection = {.kind = SelectionKind::verifier, .verifier_command = plan_.verifier};
    request.sampling.seed = rollout::group_seed(plan_.seed, question_of(job).text, job.group);
    return resolve(*model_, request, eval_defaults());
  }
  int32_t cells_of_largest() const;
  // `alone`: its lanes see no other.
  EvalRecord record_of(const Job& job, bool alone, const std::vector<LaneWatch>& lanes,
                       const GroupResult& result) const;
  EvalLane answer_of_second_stage(const GroupResult& result) const;
  // With the answers that its texts give to a question of this kind.
  EvalRecord read(EvalRecord record) const;

  std::shared_ptr<const Model> model_;
  const Arm& arm_;
  std::span<const EvalQuestion> questions_;
  const EvalPlan& plan_;
  std::vector<Job> jobs_;
  StepTimes times_;
  double seconds_ = 0;
  int64_t steps_ = 0;
};

void ArmRun::find_jobs(std::span<const EvalRecord> done) {
  std::set<Job> known;
  for (const EvalRecord& record : done) {
    if (record.arm == arm_.name) known.insert({.question = record.question, .group = record.group});
  }
  const int32_t groups = total_lanes(arm_, plan_) / arm_.lanes;
  for (int64_t question = 0; question < std::ssize(questions_); ++question) {
    for (int32_t group = 0; group < groups; ++group) {
      const Job job{.question = question, .group = group};
      if (!known.contains(job)) jobs_.push_back(job);
    }
  }
}

int32_t ArmRun::cells_of_largest() const {
  int32_t cells = 1;
  int64_t last = -1;
  for (const Job& job : jobs_) {
    if (job.question == last) continue;
    last = job.question;
    cells = std::max(cells, request_for(job)->cells());
  }
  return cells;
}

// The answer that the lanes came to together.
EvalLane ArmRun::answer_of_second_stage(const GroupResult& result) const {
  const LaneResult& lane = result.lanes[static_cast<size_t>(result.then_lane)];
  const bool ended = ended_by_itself(lane.finish);
  const bool end_counted = !lane.tokens.empty() && model_->is_end(lane.tokens.back());
  EvalLane answer{.text = lane.text,
                  .answer = lane.answer,
                  .answer_from = lane.answer_from,
                  .ended = ended,
                  .length = lane.generated + (ended && !end_counted ? 1 : 0),
                  .mean_logprob = lane.mean_logprob,
                  .certainty = lane.certainty};
  for (const LaneResult& read : result.lanes)
    answer.read_tokens += &read == &lane ? 0 : static_cast<int32_t>(read.tokens.size());
  return answer;
}

EvalRecord ArmRun::record_of(const Job& job, bool alone, const std::vector<LaneWatch>& lanes,
                             const GroupResult& result) const {
  EvalRecord record{.arm = arm_.name,
                    .question = job.question,
                    .group = job.group,
                    .seconds = result.decode_seconds,
                    .steps = result.clock};
  if (result.then_lane >= 0) {
    record.lanes.push_back(answer_of_second_stage(result));
    return record;
  }
  for (size_t m = 0; m < result.lanes.size(); ++m) {
    const LaneResult& lane = result.lanes[m];
    const bool ended = ended_by_itself(lane.finish);
    const std::vector<int32_t> steps = steps_of(lane);
    const bool end_counted = !lane.tokens.empty() && model_->is_end(lane.tokens.back());
    record.lanes.push_back(
        {.text = lane.text,
         .answer = lane.answer,
         .answer_from = lane.answer_from,
         .ended = ended,
         .length = (steps.empty() ? 0 : steps.back() + 1) + (ended && !end_counted ? 1 : 0),
         .start_step = lane.start_step,
         .counted_from = alone ? lane.start_step : 0,
         .sleeps = lane.sleeps,
         .mean_logprob = lane.mean_logprob,
         .certainty = lane.certainty,
         .verifier_score = lane.verifier_score,
         .settled = lanes[m].settled()});
  }
  return record;
}

EvalRecord ArmRun::read(EvalRecord record) const {
  const EvalQuestion& question = questions_[static_cast<size_t>(record.question)];
  if (question.kind != answers::AnswerKind::any) {
    for (EvalLane& lane : record.lanes) {
      const auto answer = answers::lane_answer_of(lane.text, lane.ended, question.kind);
      lane.answer = answer ? std::optional(answer->text) : std::nullopt;
      lane.answer_from = answer ? std::optional(answer->from) : std::nullopt;
    }
  }
  return record;
}

void ArmRun::run(const std::function<void(const EvalRecord&)>& sink) {
  // Groups of N lanes for every group of one: the same number of rows a step in every arm.
  const int32_t parallel = std::max(1, plan_.parallel / arm_.lanes);
  JudgeQueue judged(plan_.judge, sink);
  Engine engine(model_, {.kv_cells = cells_of_largest() * parallel});
  rollout::ManyGroups groups(engine, {.stopped = plan_.stopped,
                                      .step_done = [this](int32_t lanes, bool reads_prompts, double seconds) {
                                        if (!reads_prompts) times_.add(lanes, seconds);
                                        ++steps_;
                                      }});
  // Where the command that judges is slower than the lanes, no more of these than that wait for it.
  constexpr size_t most_waiting = 64;
  size_t submitted = 0;
  const auto refill = [&] {
    judged.poll();
    while (submitted < jobs_.size() && groups.running() < parallel && judged.size() < most_waiting) {
      const Job job = jobs_[submitted++];
      const std::shared_ptr<const ResolvedRequest> request = request_for(job);
      if (plan_.resolved) plan_.resolved(*request);
      groups.submit(request, [&judged, this, job, alone = !sees_other_lanes(request->coupling.kind),
                              lanes = std::vector<LaneWatch>(static_cast<size_t>(arm_.lanes))](
                                 const Event& event) mutable {
        const bool starts = event.kind == EventKind::lane_started;
        // A policy may add lanes, and a fork begins with its parent's text.
        if (starts && static_cast<size_t>(event.lane) >= lanes.size())
          lanes.resize(static_cast<size_t>(event.lane) + 1);
        if (starts || event.kind == EventKind::token) lanes[event.lane].add(event);
        if (event.kind == EventKind::group_finished)
          judged.add(read(record_of(job, alone, lanes, *event.result)), question_of(job));
      });
    }
  };
  while (true) {
    const auto start = Clock::now();
    const bool all_ended = groups.run(refill);
    seconds_ += seconds_since(start);
    const bool more = submitted < jobs_.size();
    if (!all_ended || !judged.wait(more ? most_waiting - 1 : 0, plan_.stopped) || !more) return;
  }
}

void ArmRun::run_beams(const std::function<void(const EvalRecord&)>& sink) {
  const auto request_for = [&](const Job& job) {
    return engine::BeamRequest{.prompt = plan_.prompt(question_of(job)),
                               .no_template = eval_defaults().no_template,
                               .width = arm_.beam_width,
                               .budget = plan_.budget};
  };
  int32_t cells = 1;
  for (const Job& job : jobs_)
    cells = std::max(cells, engine::BeamSearch::cells_of(*model_, request_for(job)));
  engine::BeamSearch search(model_, cells);
  JudgeQueue judged(plan_.judge, sink);
  for (const Job& job : jobs_) {
    if (plan_.stopped && plan_.stopped()) break;
    const auto start = Clock::now();
    const engine::BeamResult found =
        search.run(request_for(job), [&](int32_t live, double seconds) { times_.add(live, seconds); });
    const double seconds = seconds_since(start);
    seconds_ += seconds;
    steps_ += found.steps;
    const double tokens = std::max<double>(1, static_cast<double>(found.tokens.size()));
    EvalLane lane{.text = found.text,
                  .ended = found.ended,
                  .length = found.steps,
                  .mean_logprob = found.sum_logprob / tokens};
    if (const auto answer = answers::lane_answer(found.text, found.ended)) {
      lane.answer = answer->text;
      lane.answer_from = answer->from;
    }
    judged.add(read({.arm = arm_.name,
                     .question = job.question,
                     .group = job.group,
                     .lanes = {std::move(lane)},
                     .seconds = seconds,
                     .steps = found.steps}),
               question_of(job));
    judged.wait(0, plan_.stopped);
  }
}

}  // namespace

int32_t total_lanes(const Arm& arm, const EvalPlan& plan) {
  if (arm.beam_width > 0) return 1;
  if (arm.lanes_total > 0) return arm.lanes_total;
  const int32_t total = std::max(plan.lanes_total, arm.lanes);
  if (total % arm.lanes != 0) {
    throw InvalidRequest("the arm " + arm.name + " has " + std::to_string(arm.lanes) +
                         " lanes, which do not divide the " + std::to_string(total) + " lanes of a question");
  }
  return total;
}

void check_arm(const Arm& arm, const EvalPlan& plan) {
  total_lanes(arm, plan);
  if (arm.beam_width > 0 && !plan.stop.empty()) {
    throw InvalidRequest("the arm " + arm.name +
                         " is a beam search, which would not end where examples with --raw end the lanes of "
                         "other arms; leave the arm out, or one of --raw and --shots");
  }
}

// Each name stands once, since a record's line holds one of a name.
RunSettings settings_of(const Arm& arm, const EvalPlan& plan) {
  const auto number = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return std::string(text);
  };
  RunSettings settings = {{"budget", std::to_string(plan.budget)}};
  if (arm.beam_width > 0) {
    settings.emplace_back("width", std::to_string(arm.beam_width));
    return settings;
  }
  settings.emplace_back("n", std::to_string(arm.lanes));
  const CouplingChoice& coupling = arm.coupling;
  settings.emplace_back("coupling", coupling.kind ? std::string(name(*coupling.kind)) : "");
  settings.emplace_back("init", coupling.init ? std::string(name(*coupling.init)) : "");
  settings.emplace_back("stride", coupling.stride ? std::to_string(*coupling.stride) : "");
  // Only where they are given, so that a folder of records from before an arm had them goes on.
  if (coupling.visibility) settings.emplace_back("visibility", name(*coupling.visibility));
  if (coupling.topology) settings.emplace_back("topology", name(*coupling.topology));
  if (coupling.block) settings.emplace_back("block", std::to_string(*coupling.block));
  if (coupling.prompt_lane) settings.emplace_back("prompt-lane", name(*coupling.prompt_lane));
  if (coupling.far_lanes) settings.emplace_back("far-lanes", name(*coupling.far_lanes));
  if (coupling.trained_lanes) settings.emplace_back("trained-lanes", std::to_string(*coupling.trained_lanes));
  if (coupling.window) settings.emplace_back("window", std::to_string(*coupling.window));
  if (coupling.sees_from) settings.emplace_back("sees-from", name(*coupling.sees_from));
  settings.emplace_back("tag", arm.tag.value_or("as trained"));
  if (arm.then) {
    settings.emplace_back("then", arm.then->text);
    if (arm.then->budget) settings.emplace_back("then-budget", std::to_string(*arm.then->budget));
  }
  if (arm.wait) settings.emplace_back("wait", *arm.wait);
  if (arm.ready) settings.emplace_back("ready", *arm.ready);
  std::string policies;
  std::string tools;
  for (const PolicyChoice& policy : arm.policies)
    policies += (policies.empty() ? "" : ", ") + to_text(policy);
  for (const std::string& tool : arm.tools) tools += (tools.empty() ? "" : ", ") + tool;
  if (!policies.empty()) settings.emplace_back("policy", policies);
  if (!tools.empty()) settings.emplace_back("tool", tools);
  settings.emplace_back("temperature", number(arm.temperature.value_or(plan.sampling.temperature)));
  settings.emplace_back("top-p", number(plan.sampling.top_p));
  settings.emplace_back("seed", std::to_string(plan.seed));
  // What lanes are weighed by. A second stage's answer is the group's whatever a verifier says.
  if (plan.certainty_window != EvalPlan().certainty_window)
    settings.emplace_back("certainty-window", std::to_string(plan.certainty_window));
  if (!plan.verifier.empty() && !arm.then) settings.emplace_back("verifier", plan.verifier);
  return settings;
}

ArmTiming evaluate_arm(const std::shared_ptr<const Model>& model, const ArmTask& task, const EvalPlan& plan,
                       const std::function<void(const EvalRecord&)>& sink) {
  const Arm& arm = task.arm;
  check_arm(arm, plan);
  ArmRun run(model, arm, task.questions, plan);
  run.find_jobs(task.done);
  if (!run.has_jobs()) return {.arm = arm.name};
  if (arm.beam_width > 0) {
    run.run_beams(sink);
  } else {
    run.run(sink);
  }
  return run.timing();
}

}  // namespace lanerope::eval
