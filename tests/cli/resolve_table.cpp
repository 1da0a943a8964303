// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/resolve_table.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <numeric>

#include "cli/request_flags.h"
#include "cli/to_request.h"
#include "core/lane_rotation.h"
#include "eval/to_request.h"
#include "lanerope/errors.h"
#include "server/to_request.h"
#include "tests/support/random_models.h"

namespace lanerope::cli {

namespace {

using Resolved = std::shared_ptr<const ResolvedRequest>;

Resolved of_run(const std::string& said, const Model& model) {
  CLI::App app;
  RequestFlags flags;
  PromptFlags prompt;
  add_request_flags(app, flags);
  add_prompt_flags(app, prompt);
  app.parse(said, false);
  Request request = to_request(flags);
  request.prompt = to_prompt(prompt, "Hello");
  return resolve(model, request, run_defaults());
}

Resolved of_server(const std::string& said, const Model& model) {
  const auto endpoint = said.find("messages") == std::string::npos ? server::ApiEndpoint::completion
                                                                   : server::ApiEndpoint::chat;
  RequestDefaults defaults = server::server_defaults();
  defaults.budget = 128;
  defaults.most_cells = 2048;
  return server::resolve_api(server::parse_api_request(endpoint, said), model, defaults);
}

Resolved of_eval(const std::string& said, const Model& model) {
  Request request =
      eval::to_request(eval::parse_arm(said), {.temperature = 0.6F, .top_k = 0, .top_p = 0.95F, .min_p = 0});
  request.prompt = to_prompt({}, "Hello");
  request.budget = 64;
  return resolve(model, request, eval::eval_defaults());
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

std::string line_of(const ResolvedRequest& r) {
  const Coupling& c = r.coupling;
  const auto& omega = r.frequencies->classes.front().omega;
  std::string text = "prompt " + list(r.prompt) + ", " + std::string(name(c.kind)) + " " +
                     std::string(name(c.init)) + " K " + std::to_string(r.stride) + " " +
                     std::string(name(c.visibility)) + " " + std::string(name(c.topology)) + " window " +
                     std::to_string(c.window) + " prompt " + std::string(name(c.prompt_lane)) + " omega " +
                     std::to_string(omega.size()) + ":" +
                     number(std::accumulate(omega.begin(), omega.end(), 0.0));
  text += ", tag \"" + r.tag + "\"";
  for (size_t m = 0; m < std::min<size_t>(r.lanes.size(), 4); ++m)
    text += " " + std::to_string(r.lanes[m].tag_tokens) + list(r.lanes[m].forced);
  text += ", budget " + std::to_string(r.budget) + " max " + std::to_string(r.max_tokens) + " cells " +
          std::to_string(r.prompt_cells()) + "+" + std::to_string(r.lane_cells());
  text += ", select " + std::string(name(r.selection.kind)) + " " + std::to_string(r.selection.consensus) +
          " '" + r.selection.verifier_command + "'";
  text += ", temp " + number(r.sampling.temperature) + " top-k " + std::to_string(r.sampling.top_k) +
          " top-p " + number(r.sampling.top_p) + ", scales";
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
    return line_of(row.front_end == "run"      ? *of_run(row.said, model)
                   : row.front_end == "server" ? *of_server(row.said, model)
                                               : *of_eval(row.said, model));
  } catch (const Error& error) {
    std::string sentence = error.what();  // without the folder of the checkout
    if (const size_t at = sentence.find(LANEROPE_TABLE_MODEL); at != std::string::npos)
      sentence.replace(at, std::string_view(LANEROPE_TABLE_MODEL).size(), "model.gguf");
    return "refused: " + sentence;
  }
}

}  // namespace lanerope::cli
