// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/attention_file.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/request_flags.h"
#include "cli/run_group.h"
#include "cli/text_source.h"
#include "cli/to_request.h"
#include "cli/view.h"
#include "lanerope/engine.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "Examples:\n"
    "  lanerope run -m model.gguf \"What is 17 * 23?\"\n"
    "  lanerope run -m model.gguf -n 8 --consensus 5 --temp 0.6 -f question.txt\n"
    "  lanerope run -m model.gguf -n 8 --policy consensus --policy prune:window=32 \"...\"\n"
    "  lanerope run -m model.gguf --lora lanes.gguf --seed 1 --json \"...\" | jq -r .text\n"
    "  lanerope run -m model.gguf --then \"Compare these {n} answers and give the right one.\" \"...\"\n"
    "  lanerope run -m model.gguf --json-schema person.json \"Who wrote Emma?\"\n"
    "  lanerope run -m model.gguf --attention lanes.html \"...\"\n"
    "  cat question.txt | lanerope run -m model.gguf --quiet";

struct RunFlags {
  TextSource text;
  PromptFlags prompt;
  ModelFlags model;
  CellFlags cells;
  RequestFlags request;
  std::string attention;
  bool json = false;
  bool plain = false;
  bool quiet = false;
};

ViewKind view_kind(const RunFlags& flags) {
  if (flags.json) return ViewKind::json;
  if (flags.quiet) return ViewKind::answer;
  return flags.plain || !output_is_terminal() ? ViewKind::plain : ViewKind::live;
}

int run(const RunFlags& flags) {
  const std::string text = read_text(flags.text);
  if (!flags.json) refuse_idle_window(flags.request);
  const std::shared_ptr<const Model> model = load_model(flags.model);
  Request request = to_request(flags.request);
  request.prompt = to_prompt(flags.prompt, text);
  if (!flags.attention.empty()) request.attention = AttentionRecording::mass;
  const std::shared_ptr<const ResolvedRequest> resolved = resolve(*model, request, run_defaults());
  refuse_idle_wait(*resolved);
  const int32_t cells = flags.cells.cells > 0 ? flags.cells.cells : resolved->cells();
  // Opened before the run, so that a wrong name does not cost one.
  std::unique_ptr<AttentionFile> attention;
  if (!flags.attention.empty()) attention = std::make_unique<AttentionFile>(flags.attention);

  Engine engine(model, {.kv_cells = cells, .kv_type = flags.cells.kv_type});
  const GroupId group = engine.submit(resolved);
  note_resolved(*resolved);
  const ViewContext context = view_context(*resolved, *model);
  const GroupRun done = run_group(engine, group, [&] { return make_view(view_kind(flags), context); });
  if (attention != nullptr) {
    AttentionReport report{.record = engine.take_attention(group),
                           .model = context.model,
                           .coupling = context.coupling,
                           .pieces = {},
                           .result = done.result};
    for (const LaneResult& lane : done.result->lanes) {
      std::vector<std::string>& pieces = report.pieces.emplace_back();
      for (const TokenId token : lane.tokens) pieces.push_back(model->piece(token));
    }
    for (const std::string& line : attention->write(report)) print_note(line);
  }
  return done.interrupted ? exit_interrupted : exit_ok;
}

}  // namespace

Command add_run(CLI::App& root) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* app = root.add_subcommand("run", "Answer one prompt with N lanes");
  app->footer(std::string(footer) + "\n\n" + policies_help());
  add_text_source(*app, flags->text, "PROMPT");
  add_prompt_flags(*app, flags->prompt);
  add_model_flags(*app, flags->model);
  add_cell_flags(*app, flags->cells);
  add_request_flags(*app, flags->request);
  auto* json = app->add_flag("--json", flags->json, "One JSON line per event; lanes and steps count from 0");
  auto* plain = app->add_flag("--plain", flags->plain, "Lines [LANE] TEXT, in a terminal as well");
  auto* quiet = app->add_flag("-q,--quiet", flags->quiet, "Only the selected lane's text");
  json->excludes(plain)->excludes(quiet)->group("Output");
  plain->excludes(quiet)->group("Output");
  quiet->group("Output");
  add_logprob_flags(*app, flags->request, json);
  app->get_option("--raw")->excludes("--chat-template")->excludes("--chat-template-kwargs");
  app->add_option(
         "--attention", flags->attention,
         "Write where each lane looked: JSON and an HTML page beside it, or only the page for FILE.html")
      ->type_name("FILE")
      ->group("Output");
  return {app, [flags] { return run(*flags); }};
}

}  // namespace lanerope::cli
