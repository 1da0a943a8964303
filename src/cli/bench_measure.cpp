// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_measure.h"

#include <algorithm>
#include <random>
#include <ranges>
#include <span>

#include "cli/weight_load.h"
#include "lanerope/page.h"

namespace lanerope::cli {

namespace {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

class Bench {
 public:
  Bench(std::shared_ptr<const Model> model, const BenchPlan& plan,
        const std::function<void(const std::string&)>& progress)
      : model_(std::move(model)),
        plan_(plan),
        progress_(progress),
        load_(weight_load(describe_file(model_->info().file),
                          {.n_experts = model_->info().n_expert, .n_used = model_->info().n_expert_used})),
        random_(plan.seed),
        n_adapters_(static_cast<int32_t>(model_->info().adapters.size())) {
    const int32_t most_lanes = std::ranges::max(plan_.lanes);
    // A prompt that is read with adapters is another one, and both are kept while they take turns.
    const int32_t kept_prompts = n_adapters_ > 0 ? 2 : 1;
    // Who asks the prompt again has a page of its own for its last token.
    cells_ = kept_prompts * (whole_pages(std::ranges::max(plan_.prompts)) + page_cells) +
             most_lanes * whole_pages(plan_.generate);
    engine_ = make_engine(false);
    const Arm touching_all_weights{.adapters = n_adapters_};
    run(request_of(touching_all_weights, random_prompt(std::min(16, cells_ - 4)), {.lanes = 1, .budget = 4}));
  }

  void measure(BenchRows& rows) {
    for (const int32_t prompt : plan_.prompts) {
      const std::vector<TokenId> tokens = measure_prefill(prompt, rows);
      for (const int32_t lanes : plan_.lanes) measure_decode(tokens, lanes, rows);
    }
  }

 private:
  struct Size {
    int32_t lanes = 1;
    int32_t budget = 1;
  };
  // What takes turns with others, so that a machine whose speed drifts does not favour one of them.
  struct Arm {
    Coupling coupling = {};
    int32_t adapters = 0;  // that are on: none, or all as they were loaded
    std::vector<double> seconds = {};
    int32_t nodes = 0;
    int64_t builds = 0;
    double device_bytes = 0;
  };

  std::vector<TokenId> random_prompt(int32_t size) {
    std::uniform_int_distribution<TokenId> any(0, model_->info().n_tokens - 1);
    std::vector<TokenId> tokens(static_cast<size_t>(std::max(size, 1)));
    std::ranges::generate(tokens, [&] { return any(random_); });
    return tokens;
  }

  std::unique_ptr<Engine> make_engine(bool profile) const {
    return std::make_unique<Engine>(
        model_, EngineOptions{.kv_cells = cells_, .kv_type = plan_.kv_type, .profile = profile});
  }

  std::shared_ptr<const GroupResult> run(const Request& request) {
    std::shared_ptr<const GroupResult> result;
    engine_->submit(request);
    while (engine_->step([&](const Event& event) {
      if (event.kind == EventKind::group_finished) result = event.result;
    })) {
    }
    rethrow_failure(*result);
    return result;
  }

  // Every coupling without adapters and, if there are any, with them.
  std::vector<Arm> arms(std::span<const Coupling> couplings) const {
    std::vector<Arm> made;
    for (const Coupling& coupling : couplings) {
      made.push_back({.coupling = coupling});
      if (n_adapters_ > 0) made.push_back({.coupling = coupling, .adapters = n_adapters_});
    }
    return made;
  }

  Request request_of(const Arm& arm, std::vector<TokenId> prompt, Size size) const {
    Request wanted{.prompt = {.tokens = std::move(prompt)},
                   .lanes = size.lanes,
                   .budget = size.budget,
                   .coupling = exactly(arm.coupling),
                   .tag = "",
                   .ignore_end = true,
                   .selection = {.kind = SelectionKind::none}};
    wanted.coupling.force = true;
    if (arm.adapters < n_adapters_) wanted.adapter_scales.assign(n_adapters_, 0.0F);
    return wanted;
  }

  // Returns the last prompt, which the engine keeps for the decoding that follows.
  std::vector<TokenId> measure_prefill(int32_t prompt, BenchRows& rows) {
    progress_(model_->info().back_end + ", prefill of " + std::to_string(prompt));
    std::vector<TokenId> tokens;
    const Coupling alone;
    std::vector<Arm> compared = arms({&alone, 1});
    for (int32_t repeat = 0; repeat < plan_.repeats; ++repeat) {
      for (Arm& arm : compared) {
        tokens = random_prompt(prompt);
        arm.seconds.push_back(run(request_of(arm, tokens, {}))->prefill_seconds);
      }
    }
    for (const Arm& arm : compared) {
      const double middle = median(arm.seconds);
      rows.prefill.push_back(
          {.back_end = model_->info().back_end,
           .prompt = prompt,
           .adapters = arm.adapters,
           .seconds = middle,
           .tokens_per_second = prompt / middle,
           .macs_per_second =
               static_cast<double>(load_.parameters - load_.output_parameters) * prompt / middle});
    }
    return tokens;
  }

  void measure_decode(const std::vector<TokenId>& prompt, int32_t lanes, BenchRows& rows) {
    // One lane sees nobody: all couplings are the same there.
    std::vector<Arm> compared =
        arms(std::span(plan_.couplings).first(lanes == 1 ? 1 : plan_.couplings.size()));
    const Size size{.lanes = lanes, .budget = plan_.generate};
    for (int32_t repeat = 0; repeat < plan_.repeats; ++repeat) {
      for (Arm& arm : compared) {
        progress_(model_->info().back_end + ", " + describe(arm.coupling) + ", " + std::to_string(lanes) +
                  " lanes after " + std::to_string(prompt.size()));
        run_once(arm, request_of(arm, prompt, size));
      }
    }
    const MemoryNeed need = engine_->need(request_of(compared.front(), prompt, size));
    const double cell_bytes = static_cast<double>(need.kv_bytes) / (need.prompt_cells + need.lane_cells);
    // Lanes are half full on average.
    const double kv_read = cell_bytes * (static_cast<double>(prompt.size()) + lanes * plan_.generate / 2.0);
    for (const Arm& arm : compared) {
      const double step = median(arm.seconds);
      rows.decode.push_back({.back_end = model_->info().back_end,
                             .coupling = describe(arm.coupling),
                             .prompt = static_cast<int32_t>(prompt.size()),
                             .lanes = lanes,
                             .adapters = arm.adapters,
                             .seconds_per_step = step,
                             .tokens_per_second = lanes / step,
                             .bytes_per_second = (load_.bytes_of_step(lanes) + kv_read) / step,
                             .macs_per_second = static_cast<double>(load_.parameters) * lanes / step,
                             .kv_bytes = need.kv_bytes,
                             .graph_nodes = arm.nodes,
                             .graph_builds = arm.builds,
                             .device_bytes = arm.device_bytes});
      if (plan_.profile) measure_profile(request_of(arm, prompt, size), rows);
    }
  }

  void run_once(Arm& arm, const Request& wanted) {
    const EngineState before = engine_->state();
    const std::shared_ptr<const GroupResult> result = run(wanted);
    const EngineState state = engine_->state();
    const int32_t steps = std::max(result->clock, 1);
    arm.nodes = state.graph_nodes;
    arm.builds = state.graph_builds - before.graph_builds;
    arm.device_bytes = static_cast<double>(state.device_bytes - before.device_bytes) / steps;
    arm.seconds.push_back(result->decode_seconds / steps);
  }

  static double prefill_seconds(const BenchRows& rows, const DecodeRow& like) {
    const auto row = std::ranges::find_if(std::views::reverse(rows.prefill), [&](const PrefillRow& prefill) {
      return prefill.adapters == like.adapters;
    });
    return row->seconds;
  }

  // A step of decoding, as in the last row of `rows`, and with the first number of lanes the prompt too.
  void measure_profile(const Request& wanted, BenchRows& rows) {
    const DecodeRow& like = rows.decode.back();
    progress_(like.back_end + ", profile of " + std::to_string(like.lanes) + " lanes");
    const std::unique_ptr<Engine> engine = make_engine(true);
    ProfileRow row{.back_end = like.back_end,
                   .coupling = like.coupling,
                   .prompt = like.prompt,
                   .adapters = like.adapters,
                   .seconds_per_step = prefill_seconds(rows, like)};
    engine->submit(wanted);
    bool was_read = false;
    std::shared_ptr<const GroupResult> result;
    const EventSink sink = [&](const Event& event) {
      if (event.kind == EventKind::group_finished) result = event.result;
      if (event.kind == EventKind::prefill) was_read = true;
    };
    while (engine->step(sink)) {
      if (!was_read) continue;
      was_read = false;
      row.operations = engine->take_profile();
      if (like.lanes == plan_.lanes.front()) rows.profiles.push_back(row);
    }
    rethrow_failure(*result);
    row.lanes = like.lanes;
    row.steps = std::max(result->clock, 1);
    row.seconds_per_step = like.seconds_per_step;
    row.operations = engine->take_profile();
    rows.profiles.push_back(std::move(row));
  }

  std::shared_ptr<const Model> model_;
  BenchPlan plan_;
  const std::function<void(const std::string&)>& progress_;
  WeightLoad load_;
  std::mt19937_64 random_;
  int32_t n_adapters_ = 0;
  int32_t cells_ = 0;
  std::unique_ptr<Engine> engine_;
};

}  // namespace

void measure(const std::shared_ptr<const Model>& model, const BenchPlan& plan, BenchRows& rows,
             const std::function<void(const std::string&)>& progress) {
  Bench(model, plan, progress).measure(rows);
}

}  // namespace lanerope::cli
