// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/bench_measure.h"
#include "cli/bench_report.h"
#include "cli/choice.h"
#include "cli/commands.h"
#include "cli/coupling_flags.h"
#include "cli/exit_code.h"
#include "cli/format.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/to_request.h"
#include "lanerope/errors.h"
#include "lanerope/machine.h"

namespace lanerope::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr auto footer =
    "Prompts are random tokens, end tokens are ignored, medians of the repeats are shown. Shares are of what "
    "this\n"
    "machine was measured to do at most: reading memory, and 8-bit multiply-adds. Nodes are the operations "
    "of a "
    "step,\n"
    "builds the graphs of them that were made in a whole run. With --lora everything is measured without and "
    "with\n"
    "the adapters, in turn. Of experts those count that a token goes to, as read those that a step needs "
    "where "
    "routers\n"
    "pick evenly. Time nothing while anything else runs.\n"
    "\n"
    "Examples:\n"
    "  lanerope bench -m model.gguf\n"
    "  lanerope bench -m model.gguf -n 1,8 -p 512,4096 -g 128\n"
    "  lanerope bench -m model.gguf -n 8 --profile\n"
    "  lanerope bench -m model.gguf -n 1,8 --lora adapter.gguf\n"
    "  lanerope bench -m model.gguf -n 16,64,256 -g 512 --topologies all,ring,tree,blocks --block 16\n"
    "  lanerope bench -m model.gguf --backends kernels,ggml --json > bench.json";

struct BenchFlags {
  ModelFlags model;
  CellFlags cells;
  CouplingFlags coupling;
  BenchPlan plan;
  std::vector<std::string> couplings = {"independent", "lanerope"};
  std::vector<std::string> topologies;
  std::vector<std::string> back_ends;
  std::string baseline;
  bool json = false;
};

// The values that a list of names stands for.
template <typename Enum>
std::vector<Enum> parse_list(const std::string& option, const std::vector<std::string>& words) {
  std::vector<Enum> values;
  for (const std::string& word : words) {
    const std::optional<Enum> value = parse<Enum>(word);
    if (!value) throw InvalidRequest(option + ": '" + word + "' is not " + list_names<Enum>());
    values.push_back(*value);
  }
  return values;
}

// Every coupling with every topology; those without one, of lanes that do not see one another, once.
std::vector<Coupling> chosen_couplings(const BenchFlags& flags, const Model& model) {
  CouplingChoice choice = to_choice(flags.coupling);
  // Said of all kinds that are compared, whatever the model's own reads.
  const std::optional<int32_t> stride =
      choice.kind ? std::nullopt : std::exchange(choice.stride, std::nullopt);
  if (stride) choice.kind = CouplingKind::lanerope;
  auto topologies = parse_list<Topology>("--topologies", flags.topologies);
  // A size of blocks is asked for with one of several topologies here.
  const bool sees = sees_other_lanes(choice.kind.value_or(CouplingKind::lanerope));
  if (sees && std::ranges::find(topologies, Topology::blocks) != topologies.end())
    choice.topology = Topology::blocks;
  Coupling base = resolve_coupling(model, choice);
  base.stride = stride.value_or(base.stride);
  if (topologies.empty()) topologies.push_back(base.topology);
  auto kinds = parse_list<CouplingKind>("--couplings", flags.couplings);
  if (flags.coupling.choice.kind) kinds = {base.kind};
  std::vector<Coupling> couplings;
  for (const CouplingKind kind : kinds) {
    for (const Topology topology : topologies) {
      couplings.push_back(base);
      couplings.back().kind = kind;
      couplings.back().topology = topology;
      if (!sees_other_lanes(kind)) break;
    }
  }
  return couplings;
}

void note_progress(const std::string& what) {
  if (notes_are_terminal()) std::fprintf(stderr, "\r\033[K%s%s", what.c_str(), what.empty() ? "" : " ...");
}

// The last column divides by one of several back ends, and would be empty else.
void check_baseline(const BenchFlags& flags, const std::vector<BackEnd>& back_ends) {
  if (flags.baseline.empty()) return;
  const std::optional<BackEnd> baseline = parse<BackEnd>(flags.baseline);
  const auto is_it = [&](BackEnd back_end) { return back_end == baseline; };
  if (back_ends.size() < 2 || std::ranges::none_of(back_ends, is_it) || baseline == BackEnd::automatic)
    throw InvalidRequest(
        "--baseline " + flags.baseline +
        " is not one of several --backends; name one of those, as in --backends kernels,ggml "
        "--baseline ggml");
}

int run(const BenchFlags& flags) {
  auto back_ends = parse_list<BackEnd>("--backends", flags.back_ends);
  check_baseline(flags, back_ends);
  if (back_ends.empty()) back_ends.push_back(flags.model.back_end);
  // Plain ggml computes with f32 cells, and the rows shall say so.
  if (flags.cells.kv_type == KvType::f32) std::ranges::replace(back_ends, BackEnd::automatic, BackEnd::ggml);
  note_progress("measuring the machine");
  const MachineLimits machine = measure_machine(flags.model.threads);
  note_progress("");
  BenchRows rows;
  ModelInfo info;
  const ModelFlags local = with_local_files(flags.model);
  for (const BackEnd back_end : back_ends) {
    ModelFlags model_flags = local;
    model_flags.back_end = back_end;
    const std::shared_ptr<const Model> model = load_model(model_flags);
    BenchPlan plan = flags.plan;
    plan.kv_type = flags.cells.kv_type;
    plan.couplings = chosen_couplings(flags, *model);
    measure(model, plan, rows, note_progress);
    info = model->info();
  }
  note_progress("");
  const std::string baseline =
      flags.baseline.empty() && back_ends.size() > 1 ? info.back_end : flags.baseline;
  if (flags.json) {
    Json json = {{"version", version()},
                 {"model", {{"file", info.file}, {"name", info.name}, {"weight_bytes", info.weight_bytes}}},
                 {"machine",
                  {{"cpu", machine.cpu},
                   {"threads", info.threads},
                   {"read_bytes_per_second", machine.read_bytes_per_second},
                   {"int8_macs_per_second", machine.int8_macs_per_second}}},
                 {"generate", flags.plan.generate},
                 {"repeats", flags.plan.repeats},
                 {"kv_type", name(flags.cells.kv_type)}};
    if (!baseline.empty()) json["baseline"] = baseline;
    json.update(to_json(rows, machine, baseline));
    print_json_line(json);
  } else {
    print_out((info.name.empty() ? std::filesystem::path(info.file).filename().string() : info.name) + ", " +
              bytes_text(static_cast<double>(info.weight_bytes)) + " of weights\n" +
              machine_text(machine, info) + "\n");
    print_tables(rows, machine, baseline);
    print_profiles(rows.profiles);
  }
  return exit_ok;
}

}  // namespace

Command add_bench(CLI::App& root) {
  auto flags = std::make_shared<BenchFlags>();
  BenchPlan& plan = flags->plan;
  CLI::App* app = root.add_subcommand("bench", "Measure prefill and decode, by lanes and by prompt");
  app->footer(footer);
  const auto add_list = [&](const std::string& option, auto& target, const std::string& help) {
    return app->add_option(option, target, help)->delimiter(',')->allow_extra_args(false)->take_all();
  };
  add_list("-n,--lanes", plan.lanes, "Numbers of lanes (default: 1,2,4,8)")
      ->type_name("N,N,...")
      ->check(CLI::Range(1, 4096));
  add_list("-p,--prompts", plan.prompts, "Tokens of the prompts (default: 512)")
      ->type_name("N,N,...")
      ->check(CLI::Range(1, 1 << 24));
  app->add_option("-g,--generate", plan.generate, "Tokens that each lane generates")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(2, 1 << 24));
  app->add_option("-r,--repeats", plan.repeats, "Repeats, of which the median counts")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  auto* couplings =
      add_list("--couplings", flags->couplings,
               "Couplings to compare (default: independent,lanerope); --coupling measures one alone")
          ->type_name("NAME,NAME,...");
  auto* back_ends = add_list("--backends,--paths", flags->back_ends,
                             "Back ends to compare: kernels,ggml; --backend measures one alone")
                        ->type_name("NAME,NAME,...");
  app->add_option("--baseline", flags->baseline,
                  "Back end that the others are divided by (default: the last of --backends)")
      ->type_name("NAME")
      ->needs(back_ends);
  app->add_flag("--profile", plan.profile,
                "Also time each operation of a step and of the prompt (on the CPU), in runs of their own");
  app->add_flag("--json", flags->json, "One JSON object");
  add_plain_model_flags(*app, flags->model);
  add_choice(*app, "--kv-type", flags->cells.kv_type)
      ->description("Type of keys and values (default: f16)")
      ->group("Model");
  add_coupling_flags(*app, flags->coupling);
  add_list("--topologies", flags->topologies,
           "Topologies to compare, with each coupling; --topology measures one alone")
      ->type_name("NAME,NAME,...")
      ->excludes("--topology");
  couplings->excludes("--coupling");
  back_ends->excludes("--backend");
  return {app, [flags] { return run(*flags); }};
}

}  // namespace lanerope::cli
