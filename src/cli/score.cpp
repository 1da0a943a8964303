// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <istream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "cli/commands.h"
#include "cli/coupling_flags.h"
#include "cli/exit_code.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/text_source.h"
#include "cli/to_request.h"
#include "lanerope/engine.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr auto footer =
    "Reads one JSON object a line: {\"prompt\": TEXT or \"prompt_tokens\": [IDS], \"lanes\": [TEXT or [IDS], "
    "...],\n"
    "\"start_steps\": [STEPS]}; start_steps may be left out, and other keys are passed over.\n"
    "Writes one line for each:\n"
    "{\"lanes\": [{\"tokens\": [...], \"logprobs\": [...], \"sum\": X}, ...]}, with \"top_logits\" under "
    "--logits.\n"
    "Lanes are coupled as `run` would couple them: as was trained, else independent.\n"
    "\n"
    "Examples:\n"
    "  lanerope score -m model.gguf traces.jsonl > scores.jsonl\n"
    "  echo '{\"prompt\": \"2+2=\", \"lanes\": [\"4\", \"5\"]}' | lanerope score -m model.gguf --coupling "
    "independent";

struct ScoreFlags {
  std::string file = "-";
  ModelFlags model;
  CellFlags cells;
  CouplingFlags coupling;
  std::optional<std::string> wait = {};
  std::optional<std::string> ready = {};
  int32_t logits = 0;
};

// What a line is scored by. A trace has other keys besides, and people's own.
constexpr std::array<std::string_view, 4> keys_read = {"prompt", "prompt_tokens", "lanes", "start_steps"};

// Of a key and of slips of it the same: "lanes", "lane", "Lanes"; "start_steps", "startStep".
std::string stem_of(std::string_view key) {
  std::string stem;
  for (const char c : key) {
    if (c != '_' && c != '-') stem += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (stem.ends_with('s')) stem.pop_back();
  return stem;
}

// Reads the request of one line; `where` starts the messages.
class LineReader {
 public:
  LineReader(const Model& model, std::string where) : model_(model), where_(std::move(where)) {}

  ScoreRequest read(const std::string& line) const {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) refuse("is not a JSON object in UTF-8; write {\"prompt\": ..., \"lanes\": [...]}");
    check_keys(json);
    ScoreRequest request;
    if (json.contains("prompt_tokens")) {
      request.prompt_tokens = ids(json["prompt_tokens"], "prompt_tokens");
    } else if (json.contains("prompt") && json["prompt"].is_string()) {
      request.prompt_tokens = model_.encode(json["prompt"].get<std::string>(), {});
    } else {
      refuse("has no prompt; give \"prompt\" as a text or \"prompt_tokens\" as ids");
    }
    if (!json.contains("lanes") || !json["lanes"].is_array())
      refuse("has no lanes; give \"lanes\" as an array");
    for (const Json& lane : json["lanes"]) {
      request.lanes.push_back(lane.is_string()
                                  ? model_.encode(lane.get<std::string>(), {.add_special = false})
                                  : ids(lane, "a lane"));
    }
    if (json.contains("start_steps")) request.start_steps = ids(json["start_steps"], "start_steps");
    return request;
  }

 private:
  void check_keys(const Json& json) const {
    for (const auto& [key, value] : json.items()) {
      for (const std::string_view read : keys_read) {
        if (key != read && stem_of(key) == stem_of(read))
          refuse("has \"" + key + "\", where \"" + std::string(read) + "\" is meant");
      }
    }
    if (json.contains("prompt") && json.contains("prompt_tokens"))
      refuse("has two prompts; give \"prompt\" or \"prompt_tokens\"");
  }

  std::vector<int32_t> ids(const Json& values, const std::string& what) const {
    if (!values.is_array()) refuse(": " + what + " is not an array of whole numbers");
    std::vector<int32_t> list;
    for (const Json& value : values) {
      if (!value.is_number_integer() || value < INT32_MIN || value > INT32_MAX) {
        refuse(": " + what + " holds " + value.dump() + ", which is not a whole number");
      }
      list.push_back(value.get<int32_t>());
    }
    return list;
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw InvalidRequest(where_ + (what.starts_with(":") ? "" : " ") + what);
  }

  const Model& model_;
  std::string where_;
};

Json to_json(const ScoreResult& result, bool logits) {
  Json lanes = Json::array();
  for (const std::vector<ScoredToken>& lane : result.lanes) {
    Json tokens = Json::array();
    Json logprobs = Json::array();
    Json top = Json::array();
    double sum = 0;
    for (const ScoredToken& scored : lane) {
      tokens.push_back(scored.token);
      logprobs.push_back(scored.logprob);
      sum += scored.logprob;
      Json largest = Json::array();
      for (const auto& [token, logit] : scored.top_logits) largest.push_back({token, logit});
      top.push_back(std::move(largest));
    }
    Json entry = {{"tokens", std::move(tokens)}, {"logprobs", std::move(logprobs)}, {"sum", sum}};
    if (logits) entry["top_logits"] = std::move(top);
    lanes.push_back(std::move(entry));
  }
  return {{"lanes", std::move(lanes)}};
}

int run(const ScoreFlags& flags) {
  const std::shared_ptr<const Model> model = load_model(flags.model);
  const RequestDefaults usual = run_defaults();
  const CouplingChoice choice = to_choice(flags.coupling);
  std::istringstream lines(read_text_file(flags.file));
  std::unique_ptr<Engine> engine;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    ScoreRequest request = LineReader(*model, "line " + std::to_string(number)).read(line);
    // As `run` has it.
    request.coupling = resolve_coupling(*model, choice,
                                        {.untrained = usual.untrained,
                                         .untrained_init = usual.untrained_init,
                                         .lanes = static_cast<int32_t>(request.lanes.size())});
    request.sleep = resolve_sleep(*model, {.wait = flags.wait, .ready = flags.ready}, request.coupling);
    request.top_logits = flags.logits;
    const int32_t cells = std::max(flags.cells.cells, static_cast<int32_t>(cells_of(request)));
    if (engine == nullptr || engine->state().cells < cells) {
      engine.reset();
      engine =
          std::make_unique<Engine>(model, EngineOptions{.kv_cells = cells, .kv_type = flags.cells.kv_type});
    }
    print_json_line(to_json(engine->score(request), flags.logits > 0));
  }
  return exit_ok;
}

}  // namespace

Command add_score(CLI::App& root) {
  auto flags = std::make_shared<ScoreFlags>();
  CLI::App* app =
      root.add_subcommand("score", "Log-probabilities of given lanes, from JSON lines to JSON lines");
  app->footer(footer);
  app->add_option("FILE", flags->file, "JSON lines (default: standard input)");
  app->add_option("--logits", flags->logits, "Write the K largest logits of each token too")
      ->type_name("K")
      ->check(CLI::NonNegativeNumber);
  app->add_option("--wait", flags->wait,
                  "Token with which a lane waits, asleep, for others (default: as trained; empty: never)")
      ->type_name("TEXT");
  app->add_option("--ready", flags->ready, "Token with which a lane wakes others (default: as trained)")
      ->type_name("TEXT");
  add_plain_model_flags(*app, flags->model);
  add_cell_flags(*app, flags->cells);
  add_coupling_flags(*app, flags->coupling);
  return {app, [flags] { return run(*flags); }};
}

}  // namespace lanerope::cli
