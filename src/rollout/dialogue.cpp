// SPDX-License-Identifier: Apache-2.0
#include "rollout/dialogue.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "answers/extract.h"
#include "core/lane_tag.h"
#include "lanerope/errors.h"
#include "rollout/lane_score.h"
#include "rollout/many_groups.h"
#include "rollout/ordered_traces.h"

namespace lanerope::rollout {

namespace {

constexpr auto speaker = "Assistant ";

std::string turn_heading(size_t assistant) {
  return speaker + std::to_string(assistant + 1) + ":";
}

// Where the model itself opens the next turn, this one is over.
const std::vector<std::string>& turn_stops() {
  static const std::vector<std::string> stops = {std::string("\n") + speaker};
  return stops;
}

std::string prompt_text(const Model& model, const RolloutQuestion& question, const DialogueOptions& options) {
  return model.prompt_text(question.prompt, options.rollout.defaults.no_template).text;
}

// Tokens that an assistant may write in all.
int32_t written_budget(const DialogueOptions& options) {
  return options.rollout.request.budget.value_or(options.rollout.defaults.budget);
}

struct Assistant {
  std::string text = {};
  std::string turn = {};  // of the round that runs
  bool done = false;
};

// One dialogue on its way.
class Dialogue {
 public:
  Dialogue(const Model& model, const RolloutQuestion& question, const DialogueOptions& options, int32_t group)
      : question_(question),
        options_(options),
        prompt_(prompt_text(model, question, options)),
        seed_(group_seed(options.rollout.seed, question.problem.question, group)),
        assistants_(static_cast<size_t>(options.rollout.request.lanes)) {}

  // Submits a turn of each assistant who is not done; how many.
  int32_t start_round(const Model& model, ManyGroups& groups) {
    for (size_t k = 0; k < assistants_.size() && turn_length() > 0; ++k) {
      if (assistants_[k].done) continue;
      const Request request = turn_request(k);
      if (!fits(model, request)) break;
      groups.submit(resolve(model, request, options_.rollout.defaults),
                    [this, &model, k](const Event& event) {
                      if (event.kind != EventKind::group_finished) return;
                      take_turn(model, k, event.result->lanes.front());
                      --writing_;
                    });
      ++writing_;
    }
    return writing_;
  }
  bool in_round() const { return writing_ > 0; }

  void end_round() {
    for (size_t k = 0; k < assistants_.size(); ++k) {
      std::string& turn = assistants_[k].turn;
      if (turn.empty()) continue;
      transcript_ += turn_heading(k) + turn + "\n";
      // What follows a colon starts with a space that the lane's text does not need.
      if (assistants_[k].text.empty() && turn.starts_with(' ')) turn.erase(0, 1);
      assistants_[k].text += std::exchange(turn, {});
    }
    ++round_;
  }

  data::Trace trace() const {
    const data::Trace& problem = question_.problem;
    data::Trace trace = {.question = problem.question, .answer = problem.answer, .other = problem.other};
    const std::string truth = true_answer(problem.answer);
    for (const Assistant& assistant : assistants_) {
      trace.lanes.push_back(assistant.text);
      trace.labels.push_back(assistant.done && is_right(assistant.text, /*cut_off=*/false, truth));
      trace.ended.push_back(assistant.done);
    }
    return trace;
  }

 private:
  // Tokens of a turn of this round; the last may have fewer than the others, and then there are none left.
  int32_t turn_length() const {
    return std::min(options_.turn, written_budget(options_) - round_ * options_.turn);
  }

  void take_turn(const Model& model, size_t k, const LaneResult& lane) {
    Assistant& assistant = assistants_[k];
    assistant.turn = written_text(model, lane, turn_stops());
    const bool cut = lane.finish == FinishReason::length;
    // A number that the turn's end cuts off may go on in the next.
    const std::string text = assistant.text + assistant.turn;
    assistant.done = answers::extract_settled_answer(cut ? text : text + "\n").has_value();
    if (assistant.done || cut) return;
    const auto fill = static_cast<int32_t>(n_tokens(model, options_.fill));
    auto length = static_cast<int32_t>(n_tokens(model, assistant.turn));
    for (; fill > 0 && length + fill <= turn_length(); length += fill) assistant.turn += options_.fill;
  }

  static size_t n_tokens(const Model& model, const std::string& text) {
    return model.encode(text, {.add_special = false, .parse_special = true}).size();
  }

  static bool fits(const Model& model, const Request& request) {
    const size_t prompt = model.encode(request.prompt.text, {}).size();
    return prompt + static_cast<size_t>(*request.budget) <= static_cast<size_t>(model.info().trained_context);
  }

  Request turn_request(size_t k) const {
    Request request = options_.rollout.request;
    request.prompt.text = prompt_ + "\n\n" + transcript_ + turn_heading(k);
    request.lanes = 1;
    request.budget = turn_length();
    request.tag = "";
    request.stop = turn_stops();
    request.selection = {.kind = SelectionKind::none};
    request.sampling.seed = group_seed(seed_, turn_heading(k), round_);
    return request;
  }

  const RolloutQuestion& question_;
  const DialogueOptions& options_;
  std::string prompt_;  // the question's, in the model's template
  uint64_t seed_ = 0;
  std::vector<Assistant> assistants_;
  std::string transcript_;
  int32_t round_ = 0;
  int32_t writing_ = 0;  // assistants whose turn is under way
};

// The dialogues that run, each in its place among the jobs.
class Collaboration {
 public:
  Collaboration(Engine& engine, std::span<const RolloutQuestion> questions, const DialogueOptions& options)
      : model_(engine.model()),
        questions_(questions),
        options_(options),
        jobs_(missing_jobs(questions, options.rollout.groups)),
        groups_(engine, {.stopped = options.rollout.stopped}) {}

  void run(const TraceSink& sink) {
    OrderedTraces traces(sink);
    groups_.run([&] {
      end_rounds(traces);
      while (started_ < jobs_.size() && std::ssize(running_) < options_.rollout.parallel) start(traces);
    });
  }

 private:
  void start(OrderedTraces& traces) {
    const RolloutJob& job = jobs_[started_];
    auto dialogue = std::make_unique<Dialogue>(model_, questions_[job.question], options_, job.group);
    if (dialogue->start_round(model_, groups_) > 0) {
      running_.emplace(started_, std::move(dialogue));
    } else {
      traces.put(started_, dialogue->trace());
    }
    ++started_;
  }

  void end_rounds(OrderedTraces& traces) {
    for (auto at = running_.begin(); at != running_.end();) {
      Dialogue& dialogue = *at->second;
      bool over = false;
      if (!dialogue.in_round()) {
        dialogue.end_round();
        over = dialogue.start_round(model_, groups_) == 0;
      }
      if (over) traces.put(at->first, dialogue.trace());
      at = over ? running_.erase(at) : std::next(at);
    }
  }

  const Model& model_;
  std::span<const RolloutQuestion> questions_;
  const DialogueOptions& options_;
  std::vector<RolloutJob> jobs_;
  std::map<size_t, std::unique_ptr<Dialogue>> running_;  // by index into jobs_; their turns point at them
  ManyGroups groups_;
  size_t started_ = 0;
};

}  // namespace

void check_dialogue(const DialogueOptions& options) {
  constexpr int32_t most_lanes = 1024;
  const int32_t lanes = options.rollout.request.lanes;
  const int32_t budget = written_budget(options);
  if (lanes < 1 || lanes > most_lanes) {
    throw InvalidRequest("a dialogue has 1 to " + std::to_string(most_lanes) + " lanes, and " +
                         std::to_string(lanes) + " are asked for");
  }
  if (options.turn < 1 || options.turn > budget) {
    throw InvalidRequest("a turn of " + std::to_string(options.turn) +
                         " tokens does not go into a budget of " + std::to_string(budget) +
                         "; give shorter turns, or a larger budget");
  }
}

std::string dialogue_instruction(std::string_view text, int32_t assistants) {
  return core::render_number(text, "{n}", assistants);
}

int32_t dialogue_cells(const Model& model, std::span<const RolloutQuestion> questions,
                       const DialogueOptions& options) {
  const Request& request = options.rollout.request;
  const int64_t rounds = (int64_t{written_budget(options)} + options.turn - 1) / options.turn;
  const auto heading = static_cast<int32_t>(
      model.encode("\n" + turn_heading(0), {.add_special = false, .parse_special = true}).size());
  size_t prompt = 0;
  for (const RolloutQuestion& question : questions) {
    prompt = std::max(prompt, model.encode(prompt_text(model, question, options), {}).size());
  }
  const int64_t longest =
      static_cast<int64_t>(prompt) + heading + 2 + rounds * request.lanes * (options.turn + heading + 2);
  const int64_t of_turn = std::min<int64_t>(longest, model.info().trained_context) + options.turn;
  return static_cast<int32_t>(
      std::min<int64_t>(of_turn * request.lanes * options.rollout.parallel, INT32_MAX));
}

void collaborate(Engine& engine, std::span<const RolloutQuestion> questions, const DialogueOptions& options,
                 const TraceSink& sink) {
  check_dialogue(options);
  Collaboration(engine, questions, options).run(sink);
}

}  // namespace lanerope::rollout
