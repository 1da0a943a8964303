// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_measure.h"

#include <algorithm>
#include <random>

#include "lanerope/inspect.h"
#include "lanerope/page.h"

namespace lanerope::cli {

namespace {

// What one token goes through. The table of token embeddings is looked up, not read, unless it is the output
// as well.
struct WeightLoad {
  int64_t parameters = 0;
  int64_t output_parameters = 0;  // of these, used for tokens that are sampled only
  int64_t bytes = 0;
};

WeightLoad weight_load(const std::string& file) {
  const FileDescription description = describe_file(file);
  const bool has_output =
      std::ranges::any_of(description.tensors, [](const FileTensor& t) { return t.name == "output.weight"; });
  WeightLoad load;
  for (const FileTensor& tensor : description.tensors) {
    if (tensor.shape.size() < 2 || (has_output && tensor.name == "token_embd.weight")) continue;
    int64_t elements = 1;
    for (const int64_t size : tensor.shape) elements *= size;
    load.parameters += elements;
    load.bytes += static_cast<int64_t>(tensor.bytes);
    if (tensor.name == (has_output ? "output.weight" : "token_embd.weight"))
      load.output_parameters = elements;
  }
  return load;
}

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
        load_(weight_load(model_->info().file)),
        random_(plan.seed) {
    const int32_t most_lanes = std::ranges::max(plan_.lanes);
    cells_ = whole_pages(std::ranges::max(plan_.prompts)) + most_lanes * whole_pages(plan_.generate);
    engine_ = make_engine(false);
    run(request(random_prompt(std::min(16, cells_ - 4)), {.lanes = 1, .budget = 4}));  // touches the weights
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

  static Request request(std::vector<TokenId> prompt, Size size) {
    Request wanted{.prompt = {.tokens = std::move(prompt)},
                   .lanes = size.lanes,
                   .budget = size.budget,
                   .coupling = exactly(Coupling{}),
                   .tag = "",
                   .ignore_end = true,
                   .selection = {.kind = SelectionKind::none}};
    wanted.coupling.force = true;
    return wanted;
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

  // Returns the last prompt, which the engine keeps for the decoding that follows.
  std::vector<TokenId> measure_prefill(int32_t prompt, BenchRows& rows) {
    progress_(model_->info().back_end + ", prefill of " + std::to_string(prompt));
    std::vector<double> seconds;
    std::vector<TokenId> tokens;
    for (int32_t repeat = 0; repeat < plan_.repeats; ++repeat) {
      tokens = random_prompt(prompt);
      seconds.push_back(run(request(tokens, {}))->prefill_seconds);
    }
    const double middle = median(seconds);
    rows.prefill.push_back(
        {.back_end = model_->info().back_end,
         .prompt = prompt,
         .seconds = middle,
         .tokens_per_second = prompt / middle,
         .macs_per_second =
             static_cast<double>(load_.parameters - load_.output_parameters) * prompt / middle});
    return tokens;
  }

  // Couplings take turns, so that a machine whose speed drifts does not favour one of them.
  void measure_decode(const std::vector<TokenId>& prompt, int32_t lanes, BenchRows& rows) {
    // One lane sees nobody: all couplings are the same there.
    const size_t n_couplings = lanes == 1 ? 1 : plan_.couplings.size();
    std::vector<std::vector<double>> step_seconds(n_couplings);
    std::vector<int32_t> nodes(n_couplings);
    std::vector<int64_t> builds(n_couplings);
    std::vector<double> device_bytes(n_couplings);
    Request wanted = request(prompt, {.lanes = lanes, .budget = plan_.generate});
    for (int32_t repeat = 0; repeat < plan_.repeats; ++repeat) {
      for (size_t c = 0; c < n_couplings; ++c) {
        wanted.coupling = exactly(plan_.couplings[c]);
        wanted.coupling.force = true;
        progress_(model_->info().back_end + ", " + describe(plan_.couplings[c]) + ", " +
                  std::to_string(lanes) + " lanes after " + std::to_string(prompt.size()));
        const EngineState before = engine_->state();
        const std::shared_ptr<const GroupResult> result = run(wanted);
        const EngineState state = engine_->state();
        nodes[c] = state.graph_nodes;
        builds[c] = state.graph_builds - before.graph_builds;
        const int32_t steps = std::max(result->clock, 1);
        device_bytes[c] = static_cast<double>(state.device_bytes - before.device_bytes) / steps;
        step_seconds[c].push_back(result->decode_seconds / steps);
      }
    }
    const MemoryNeed need = engine_->need(wanted);
    const double cell_bytes = static_cast<double>(need.kv_bytes) / (need.prompt_cells + need.lane_cells);
    // Lanes are half full on average.
    const double kv_read = cell_bytes * (static_cast<double>(prompt.size()) + lanes * plan_.generate / 2.0);
    for (size_t c = 0; c < n_couplings; ++c) {
      const double step = median(step_seconds[c]);
      rows.decode.push_back({.back_end = model_->info().back_end,
                             .coupling = describe(plan_.couplings[c]),
                             .prompt = static_cast<int32_t>(prompt.size()),
                             .lanes = lanes,
                             .seconds_per_step = step,
                             .tokens_per_second = lanes / step,
                             .bytes_per_second = (static_cast<double>(load_.bytes) + kv_read) / step,
                             .macs_per_second = static_cast<double>(load_.parameters) * lanes / step,
                             .kv_bytes = need.kv_bytes,
                             .graph_nodes = nodes[c],
                             .graph_builds = builds[c],
                             .device_bytes = device_bytes[c]});
      wanted.coupling = exactly(plan_.couplings[c]);
      wanted.coupling.force = true;
      if (plan_.profile) measure_profile(wanted, rows);
    }
  }

  // A step of decoding, as in the last row of `rows`, and with the first number of lanes the prompt too.
  void measure_profile(const Request& wanted, BenchRows& rows) {
    const DecodeRow& like = rows.decode.back();
    progress_(like.back_end + ", profile of " + std::to_string(like.lanes) + " lanes");
    const std::unique_ptr<Engine> engine = make_engine(true);
    ProfileRow row{.back_end = like.back_end,
                   .coupling = like.coupling,
                   .prompt = like.prompt,
                   .seconds_per_step = rows.prefill.back().seconds};
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
  int32_t cells_ = 0;
  std::unique_ptr<Engine> engine_;
};

}  // namespace

void measure(const std::shared_ptr<const Model>& model, const BenchPlan& plan, BenchRows& rows,
             const std::function<void(const std::string&)>& progress) {
  Bench(model, plan, progress).measure(rows);
}

}  // namespace lanerope::cli
