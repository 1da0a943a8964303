// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/dash_words.h"
#include "cli/empty_values.h"
#include "cli/exit_code.h"
#include "cli/help_format.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/parse_error.h"
#include "cli/start_again.h"
#include "cli/worker_flags.h"
#include "lanerope/model.h"

namespace lanerope::cli {

namespace {

constexpr auto description =
    "lanerope: N lanes of one language model answer one prompt together.\n"
    "\n"
    "Each lane writes its own answer and, in a model or adapter that was trained for it, reads at every "
    "token\n"
    "what the others have written so far.";

constexpr auto footer =
    "Examples:\n"
    "  lanerope run -m model.gguf -n 4 \"How many primes are below 100?\"\n"
    "  lanerope run -m model.gguf -n 8 --coupling independent --select vote -f question.txt\n"
    "  lanerope run -hf user/repo:Q4_K_M \"How many primes are below 100?\"\n"
    "  lanerope inspect model.gguf --lanes 8 --budget 1024\n"
    "  lanerope COMMAND --help          options and examples of one command\n"
    "\n"
    "Exit status: 0 done, 2 bad request or option, 3 bad file, 4 does not fit into memory, 5 system error, 1 "
    "other,\n"
    "130 interrupted.";

int run(int argc, char** argv) {
  CLI::App app(description, "lanerope");
  app.footer(footer);
  app.option_defaults()->take_last();  // of an option that is given twice, as llama.cpp does
  app.set_version_flag("--version", "lanerope " + std::string(version()), "Print the version");
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<HelpFormatter>());
  const std::vector<Command> commands = {add_run(app),        add_chat(app),      add_score(app),
                                         add_inspect(app),    add_tokenize(app),  add_bench(app),
                                         add_serve(app),      add_data(app),      add_eval(app),
                                         add_calibrate(app),  add_train(app),     add_convert_adapter(app),
                                         add_pull(app),       add_list(app),      add_remove(app),
                                         add_rpc_worker(app), add_completion(app)};
  try {
    std::vector<std::string> arguments = with_empty_values(app, without_dash_words({argv + 1, argv + argc}));
    std::ranges::reverse(arguments);  // CLI11 takes them from the end
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    print_out(innermost(app).help());
    return exit_ok;
  } catch (const CLI::CallForVersion&) {
    print_out(app.version() + "\n");
    return exit_ok;
  } catch (const ListOfDevices& wanted) {
    print_out(list_of_devices(wanted.workers));
    return exit_ok;
  } catch (const CLI::ParseError& error) {
    refuse_empty_values(app);  // they may be why
    print_note("lanerope: error: " + parse_error_text(app, error));
    return exit_invalid_request;
  }
  refuse_empty_values(app);
  if (groups_commands(innermost(app))) {
    print_out(innermost(app).help());
    return exit_ok;
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return exit_failed;
}

}  // namespace

}  // namespace lanerope::cli

int main(int argc, char** argv) {
  // A closed pipe shows as a failed write: print_out ends the program, and the engine may outlive a verifier.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    lanerope::cli::remember_program(argv);
    lanerope::cli::end_where_a_worker_is_lost();
    return lanerope::cli::run(argc, argv);
  } catch (const std::exception& error) {
    const lanerope::cli::Failure failure = lanerope::cli::describe_failure(error);
    if (!failure.message.empty()) lanerope::cli::print_note("lanerope: error: " + failure.message);
    return failure.code;
  }
}
