// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "cli/card_examples.h"
#include "cli/choice.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/policy_flags.h"
#include "cli/serve_lanes.h"
#include "cli/serve_workers.h"
#include "cli/tool_flags.h"
#include "cli/worker_flags.h"
#include "lanerope/calibration.h"
#include "lanerope/errors.h"
#include "server/server.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "Examples:\n"
    "  lanerope serve -m model.gguf                    then open http://127.0.0.1:8080 in a browser\n"
    "  lanerope serve -m model.gguf --lora lanes.gguf --cells 32768 --port 9000\n"
    "  lanerope serve -m model.gguf --lanes 4 --select vote --consensus 3    every client gets the voted "
    "answer\n"
    "  lanerope serve -m model.gguf --host 0.0.0.0 --api-key-file keys.txt --tls-cert c.pem --tls-key k.pem\n"
    "\n"
    "Keys may also be given in LANEROPE_API_KEY. The API is described at /openapi.json and in "
    "docs/server.md.";

constexpr auto server_group = "Server";
constexpr auto limits_group = "Limits";
constexpr auto tools_group = "Tools that the server runs for lanes";

struct ServeFlags {
  ModelFlags model;
  server::ServerOptions server;
  ServeLanes lanes;
  ToolFlags tools;
  KvType kv_type = KvType::f16;
  std::string key_file;
  std::string calibration;
  double longest_step_ms = 0;
  int drain_seconds = 30;
  int hold_seconds = 600;
  int request_seconds = 20;
  int most_body_mib = 8;
  bool log_requests = false;
  std::optional<server::LogFormat> log_format;
};

std::vector<std::string> read_key_file(const std::string& file) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  std::error_code unknown;
  if (std::filesystem::is_directory(file, unknown))
    throw InvalidRequest(file + " is a folder; give --api-key-file a file with one API key on a line");
  std::ifstream lines(file);
  if (!lines) throw SystemError("the API keys in " + file + " cannot be read");
  std::vector<std::string> keys;
  bool first = true;
  for (std::string line; std::getline(lines, line); first = false) {
    if (first && line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) keys.push_back(line);
  }
  if (lines.bad()) throw SystemError("the API keys in " + file + " cannot be read");
  if (keys.empty()) throw InvalidRequest(file + " holds no API key; write one on a line");
  return keys;
}

std::vector<std::string> read_keys(const std::string& file) {
  std::vector<std::string> keys;
  if (const char* key = std::getenv("LANEROPE_API_KEY"); key != nullptr && *key != '\0')
    keys.emplace_back(key);
  if (file.empty()) return keys;
  for (std::string& key : read_key_file(file)) keys.push_back(std::move(key));
  return keys;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

server::ServerOptions make_options(const ServeFlags& flags) {
  server::ServerOptions options = flags.server;
  // As llama.cpp does: the name that the model was asked for by.
  if (const hub::Wanted wanted = wanted_of(flags.model.source);
      options.model_id.empty() && !wanted.repo.empty())
    options.model_id = hub::text_of(wanted);
  options.presets = presets_of(flags.lanes);
  options.access.keys = read_keys(flags.key_file);
  if (const std::optional<LaneTools> tools = to_tools(flags.tools)) options.defaults.tools = *tools;
  options.access.loopback = is_loopback(options.host);
  options.service.engine.kv_type = flags.kv_type;
  options.service.hold_time = std::chrono::seconds(flags.hold_seconds);
  options.service.engine.longest_step = flags.longest_step_ms / 1000;
  options.transport.request_time = std::chrono::seconds(flags.request_seconds);
  options.transport.most_body = static_cast<size_t>(flags.most_body_mib) << 20;
  if (options.transport.certificate.empty() != options.transport.key.empty()) {
    throw InvalidRequest("TLS needs both --tls-cert and --tls-key");
  }
  if (!flags.calibration.empty())
    options.defaults.calibration =
        std::make_shared<const CalibrationCurve>(read_calibration(flags.calibration));
  if (!options.tracing.endpoint.empty()) options.tracing.complain = print_note;
  if (flags.log_format) options.log.format = *flags.log_format;
  if (flags.log_requests || options.log.prompts || flags.log_format) options.log.write = print_note;
  return options;
}

std::string address_of(const server::ServerOptions& options, int port) {
  const bool tls = !options.transport.certificate.empty();
  const std::string host =
      options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

std::vector<server::Example> examples_of(const Model& model) {
  std::vector<server::Example> examples = card_examples(model.info().file);
  for (const AdapterInfo& adapter : model.info().adapters)
    for (server::Example& example : card_examples(adapter.file)) examples.push_back(std::move(example));
  return examples;
}

int run(const ServeFlags& flags) {
  const server::ServerOptions options = make_options(flags);
  server::Server server(options);
  const int port = server.bind();
  if (!options.access.loopback && options.access.keys.empty()) {
    print_note("lanerope: warning: everybody who reaches this port can use the server; see --api-key-file");
  }
  const InterruptGuard guard;
  std::thread http([&server] { server.listen(); });
  std::exception_ptr trouble;
  try {
    const std::shared_ptr<const Model> model = load_with_workers(flags.model, server);
    if (model != nullptr) {
      server.attach(model, examples_of(*model));
      print_note("lanerope: listening on " + address_of(options, port));
    }
    while (!InterruptGuard::interrupted() && !server.failed()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    if (server.failed())
      throw SystemError("the engine has stopped working; see the replies to the last requests");
    print_note("lanerope: finishing what runs, for at most " + std::to_string(flags.drain_seconds) + " s");
    if (!server.drain(std::chrono::seconds(flags.drain_seconds))) {
      print_note("lanerope: cut off what still ran");
    }
  } catch (...) {
    trouble = std::current_exception();
  }
  server.stop();
  http.join();
  end_where_a_worker_is_lost();  // what outlived the server until here needs it no more
  if (trouble) std::rethrow_exception(trouble);
  return exit_ok;
}

void add_server_flags(CLI::App& app, ServeFlags& flags) {
  server::ServerOptions& server = flags.server;
  app.add_option("--host", server.host, "Address to listen on")->capture_default_str()->group(server_group);
  app.add_option("--port", server.port, "Port; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str()
      ->group(server_group);
  app.add_option("--api-key-file", flags.key_file, "Clients need one of these keys, one a line")
      ->type_name("FILE")
      ->group(server_group);
  app.add_option("--tls-cert", server.transport.certificate, "Serve HTTPS with this certificate (PEM)")
      ->type_name("FILE")
      ->group(server_group);
  app.add_option("--tls-key", server.transport.key, "The certificate's key (PEM)")
      ->type_name("FILE")
      ->group(server_group);
  app.add_option("--cors", server.access.origins,
                 "Let pages of this origin use the server; \"*\": all; repeatable")
      ->type_name("ORIGIN")
      ->allow_extra_args(false)
      ->group(server_group);
  app.add_option("--alias", server.model_id, "The model's name, as clients see it (default: its file's)")
      ->type_name("NAME")
      ->group(server_group);
  app.add_option_function<int32_t>(
         "--reasoning-budget", [&server](int32_t tokens) { server.defaults.thinking_budget = tokens; },
         "Tokens that a lane may think where a request does not say; 0: none, -1: as many as it likes")
      ->type_name("N")
      ->check(CLI::Range(-1, 1 << 24))
      ->group(server_group);
  CLI::Option* verifier =
      app.add_option("--verifier", server.defaults.verifier,
                     "Shell command for lanes.select = verifier: a JSON line a lane in, a score a line out")
          ->type_name("CMD")
          ->group(server_group);
  app.add_option("--verifier-timeout", server.defaults.verifier_timeout, "Seconds before it is cut off")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->needs(verifier)
      ->group(server_group);
  add_policy_command_flags(app, server.defaults.policy_command, server_group);
  app.add_option(
         "--calibration", flags.calibration,
         "File of lanerope calibrate: makes the confidence of selections it was fitted for calibrated")
      ->type_name("FILE")
      ->group(server_group);
  app.add_flag("--log", flags.log_requests, "One line for each request, without its content")
      ->group(server_group);
  app.add_flag("--log-prompts", server.log.prompts, "And the content")->group(server_group);
  app.add_option(
         "--otlp", server.tracing.endpoint,
         "OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318: a span for "
         "each group and its parts")
      ->type_name("URL")
      ->group(server_group);
  add_choice(app, "--log-format", flags.log_format)
      ->description("How: as text, or an object of JSON a line; asks for the log by itself (default: text)")
      ->group(server_group);
}

void add_limit_flags(CLI::App& app, ServeFlags& flags) {
  server::ServerOptions& server = flags.server;
  const auto add = [&app](const std::string& option, auto& target, const std::string& help) {
    return app.add_option(option, target, help)->type_name("N")->capture_default_str()->group(limits_group);
  };
  add("-c,--cells", server.service.engine.kv_cells, "KV cells, for all prompts and lanes together")
      ->check(CLI::Range(2, 1 << 28));
  add_choice(app, "--kv-type", flags.kv_type)
      ->description("Type of keys and values (default: f16)")
      ->group(limits_group);
  add("-b,--budget", server.defaults.budget, "Tokens a lane may write where the request does not say")
      ->check(CLI::PositiveNumber);
  add("--batch", server.service.engine.batch_rows,
      "Tokens in one step; longer prompts are read in chunks of it")
      ->check(CLI::PositiveNumber);
  add("--max-step-ms", flags.longest_step_ms,
      "A step in which lanes write takes about so long at most: prompts are read in smaller pieces beside "
      "them "
      "(0: no bound)")
      ->check(CLI::Range(0.0, 3.6e6));
  app.add_flag(
         "--reserve", server.service.engine.reserve_budgets,
         "Start a group only once there are cells for all that its lanes may write; else they take cells as "
         "they grow, and the youngest groups wait where cells run out")
      ->group(limits_group);
  add("--queue", server.service.most_waiting, "Groups that may wait for cells")
      ->check(CLI::Range(0, 1 << 20));
  add("--connections", server.transport.threads, "Connections served at once")->check(CLI::Range(1, 4096));
  add("--max-body", flags.most_body_mib, "Largest request, in MiB")->check(CLI::Range(1, 1024));
  add("--request-timeout", flags.request_seconds, "Seconds for a request to arrive")
      ->check(CLI::Range(1, 3600));
  add("--hold", flags.hold_seconds, "Seconds that the page can look into a finished group")
      ->check(CLI::Range(0, 86400));
  add("--drain", flags.drain_seconds, "Seconds for running groups to finish after SIGTERM")
      ->check(CLI::Range(0, 86400));
}

}  // namespace

Command add_serve(CLI::App& root) {
  auto flags = std::make_shared<ServeFlags>();
  CLI::App* app = root.add_subcommand("serve", "Serve the API of OpenAI and a page that shows the lanes");
  app->footer(std::string(footer) + "\n\n" + policies_help());
  add_model_flags(*app, flags->model);
  add_server_flags(*app, *flags);
  add_serve_lane_flags(*app, flags->lanes);
  add_tool_flags(*app, flags->tools, tools_group);
  add_limit_flags(*app, *flags);
  return {app, [flags] { return run(*flags); }};
}

}  // namespace lanerope::cli
