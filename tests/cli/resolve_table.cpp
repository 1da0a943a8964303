// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/resolve_table.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <numeric>

#include "cli/request_flags.h"
#include "engine/resolved_request.h"
#include "eval/arm.h"
#include "lanerope/errors.h"
#include "server/prepare_request.h"
#include "tests/support/random_models.h"

namespace lanerope::cli {

namespace {

Request of_run(const std::string& said, const Model& model) {
  CLI::App app;
  RequestFlags flags;
  PromptFlags prompt;
  add_request_flags(app, flags);
  add_prompt_flags(app, prompt);
  app.parse(said, false);
  Request request = make_request(flags, model);
  request.prompt = make_prompt(prompt, model, "Hello");
  return request;
}

Request of_server(const std::string& said, const Model& model) {
  const auto endpoint =
      said.find("messages") == std::string::npos ? server::ApiEndpoint::completion : server::ApiEndpoint::chat;
  return server::prepare_request(server::parse_api_request(endpoint, said), model,
                                 {.budget = 128, .kv_cells = 2048});
}

Request of_eval(const std::string& said, const Model& model) {
  const eval::Arm arm = eval::parse_arm(said);
  Request request{.prompt = make_prompt({}, model, "Hello"),
                  .lanes = arm.lanes,
                  .budget = 64,
                  .coupling = eval::coupling_of(arm, model),
                  .force_coupling = true,
                  .tag = eval::tag_of(arm, model),
                  .sampling = {.temperature = 0.6F, .top_k = 0, .top_p = 0.95F, .min_p = 0},
                  .selection = {.kind = SelectionKind::none}};
  if (arm.temperature) request.sampling.temperature = *arm.temperature;
  return request;
}

std::string list(const std::vector<TokenId>& tokens) {
  std::string text = "[";
  for (const TokenId token : tokens) text += (text.size() > 1 ? " " : "") + std::to_string(token);
  return text + "]";
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string line_of(const engine::ResolvedRequest& r) {
  const Coupling& c = r.coupling;
  const auto& omega = r.frequencies->omega;
  std::string text = "prompt " + list(r.prompt) + ", " + std::string(name(c.kind)) + " " +
                     std::string(name(c.init)) + " K " + std::to_string(r.stride) + " " +
                     std::string(name(c.visibility)) + " " + std::string(name(c.topology)) + " window " +
                     std::to_string(c.window) + " prompt " + std::string(name(c.prompt_lane)) + " omega " +
                     std::to_string(omega.size()) + ":" + number(std::accumulate(omega.begin(), omega.end(), 0.0));
  text += ", tag \"" + r.tag + "\"";
  for (size_t m = 0; m < std::min<size_t>(r.forced.size(), 4); ++m)
    text += " " + std::to_string(r.tag_tokens[m]) + list(r.forced[m]);
  text += ", budget " + std::to_string(r.request.budget) + " max " + std::to_string(r.request.max_tokens) +
          " cells " + std::to_string(r.prompt_cells()) + "+" + std::to_string(r.lane_cells());
  text += ", select " + std::string(name(r.request.selection.kind)) + " " +
          std::to_string(r.request.selection.consensus) + " '" + r.request.selection.verifier_command + "'";
  text += ", temp " + number(r.request.sampling.temperature) + " top-k " +
          std::to_string(r.request.sampling.top_k) + " top-p " + number(r.request.sampling.top_p) + ", scales";
  for (const float scale : r.prompt_scales) text += " " + number(scale);
  text += ";";
  for (const float scale : r.lane_scales) text += " " + number(scale);
  return text;
}

}  // namespace

std::vector<TableModel> table_models() {
  static const std::string base = support::write_model({.n_layer = 1, .width = 64, .context = 1024});
  static const std::string adapter = support::write_adapter(
      {.coupling = Coupling{.init = OmegaInit::gt, .stride = 48, .visibility = Visibility::strict},
       .tag = "[{k}]",
       .on_prompt = false},
      base);
  const auto load = [](std::string file, std::vector<AdapterOptions> adapters) {
    return Model::load({.file = std::move(file), .adapters = std::move(adapters), .threads = 1});
  };
  return {{"untrained", load(base, {})},
          {"adapter", load(base, {{.file = adapter}})},
          {"base", load(LANEROPE_TABLE_MODEL, {})}};
}

std::string resolved_line(const TableCase& row, const Model& model) {
  try {
    const Request request = row.front_end == "run"      ? of_run(row.said, model)
                            : row.front_end == "server" ? of_server(row.said, model)
                                                        : of_eval(row.said, model);
    return line_of(engine::resolve(model, request));
  } catch (const Error& error) {
    std::string sentence = error.what();  // without the folder of the checkout
    if (const size_t at = sentence.find(LANEROPE_TABLE_MODEL); at != std::string::npos)
      sentence.replace(at, std::string_view(LANEROPE_TABLE_MODEL).size(), "model.gguf");
    return "refused: " + sentence;
  }
}

}  // namespace lanerope::cli
