// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "lanerope/model.h"

namespace lanerope {

namespace {

constexpr auto description =
    "lanerope: N lanes of one language model answer one prompt together.\n"
    "\n"
    "Each lane writes its own answer and reads, at every token, what the others have written so far.";

constexpr auto footer =
    "Examples:\n"
    "  lanerope run -m model.gguf -n 4 \"How many primes are below 100?\"\n"
    "  lanerope run -m model.gguf -n 8 --coupling independent --select vote -f question.txt\n"
    "  lanerope inspect model.gguf --lanes 8 --budget 1024\n"
    "  lanerope COMMAND --help          options and examples of one command\n"
    "\n"
    "Exit status: 0 done, 2 bad request or option, 3 bad file, 4 does not fit into memory, 5 system error, 1 "
    "other,\n"
    "130 interrupted.";

// CLI11 words its errors for several lines and other programs; here each is one sentence that says what to
// do.
std::string parse_error_text(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "lanerope";
  for (const CLI::App* sub : app.get_subcommands()) command += " " + sub->get_name();
  std::string text = error.what();
  if (const auto* extras = dynamic_cast<const CLI::ExtrasError*>(&error); extras != nullptr) {
    const size_t colon = text.rfind(": ");
    const std::string what = colon == std::string::npos ? text : text.substr(colon + 2);
    text = (what.starts_with("-") ? "there is no option " : "there is no place for the argument ") + what;
  }
  return text + "; see " + command + " --help";
}

int run(int argc, char** argv) {
  CLI::App app(description, "lanerope");
  app.footer(footer);
  app.set_version_flag("--version", "lanerope " + std::string(version()), "Print the version");
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);
  const std::vector<Command> commands = {add_run(app),       add_chat(app),     add_score(app),
                                         add_inspect(app),   add_tokenize(app), add_bench(app),
                                         add_completion(app)};
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    print_out(chosen.empty() ? app.help() : chosen.front()->help());
    return exit_ok;
  } catch (const CLI::CallForVersion&) {
    print_out(app.version() + "\n");
    return exit_ok;
  } catch (const CLI::ParseError& error) {
    print_note("lanerope: error: " + parse_error_text(app, error));
    return exit_invalid_request;
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  print_out(app.help());
  return exit_ok;
}

}  // namespace

}  // namespace lanerope

int main(int argc, char** argv) {
  // A closed pipe shows as a failed write: print_out ends the program, and the engine may outlive a verifier.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return lanerope::run(argc, argv);
  } catch (const std::exception& error) {
    const lanerope::Failure failure = lanerope::describe_failure(error);
    if (!failure.message.empty()) lanerope::print_note("lanerope: error: " + failure.message);
    return failure.code;
  }
}
