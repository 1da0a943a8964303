// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <memory>

#include "cli/chat_thinking.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/request_flags.h"
#include "cli/run_group.h"
#include "cli/text_source.h"
#include "cli/to_request.h"
#include "lanerope/engine.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "Every turn is answered by all lanes; the selected lane's answer becomes part of the conversation.\n"
    "\n"
    "Examples:\n"
    "  lanerope chat -m model.gguf\n"
    "  lanerope chat -m model.gguf -n 8 --coupling independent --system \"Answer briefly.\"";

std::string help() {
  return "  /lanes N       answer with N lanes\n"
         "  /budget N      tokens that each lane may spend\n"
         "  /coupling X    " +
         list_names<CouplingKind>() +
         "\n"
         "  /forget        start a new conversation\n"
         "  /quit          leave (Ctrl-D too); Ctrl-C stops the lanes of a turn\n";
}

struct ChatFlags {
  std::optional<std::string> system;
  ModelFlags model;
  CellFlags cells;
  RequestFlags request;
  bool plain = false;
};

std::string_view rest_after(std::string_view line, std::string_view command) {
  line.remove_prefix(std::min(line.size(), command.size()));
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
  return line;
}

int32_t positive_number(std::string_view text, std::string_view command) {
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) {
    throw InvalidRequest(std::string(command) + " needs a number from 1 on");
  }
  return number;
}

class Chat {
 public:
  explicit Chat(ChatFlags flags) : flags_(std::move(flags)), model_(load_model(flags_.model)) {
    if (flags_.system) check_utf8(*flags_.system, "--system");
    forget();
    model_->apply_template(
        std::vector<Message>{{.role = "user", .content = "?"}});  // throws where there is none
    to_request(flags_.request);  // throws for options that do not go together
    refuse_idle_window(flags_.request);
  }

  // Returns whether there is more to come.
  bool take(const std::string& line) {
    const bool command = line.starts_with("/");
    try {
      if (command) return obey(line);
      check_utf8(line, "the message");
      answer(line);
    } catch (const OutputClosed&) {
      throw;
    } catch (const Error& error) {
      if (!terminal_) throw;
      print_note("lanerope: error: " + describe_failure(error).message);
    }
    return true;
  }

 private:
  bool obey(const std::string& line) {
    const std::string_view word = std::string_view(line).substr(0, line.find(' '));
    const std::string_view rest = rest_after(line, word);
    if (word == "/quit" || word == "/exit") return false;
    if (word == "/help") {
      print_out(help());
    } else if (word == "/forget") {
      forget();
    } else if (word == "/lanes") {
      flags_.request.lanes = positive_number(rest, word);
      lanes_as_given_ = false;
    } else if (word == "/budget") {
      flags_.request.budget = positive_number(rest, word);
    } else if (word == "/coupling") {
      const std::optional<CouplingKind> kind = parse<CouplingKind>(rest);
      if (!kind) throw InvalidRequest("/coupling needs one of " + list_names<CouplingKind>());
      // What was said of the coupling goes with that one alone.
      flags_.request.coupling = given_;
      if (kind != given_.choice.kind) {
        flags_.request.coupling = {};
        flags_.request.coupling.choice = {.kind = kind, .force = given_.choice.force};
      }
    } else {
      throw InvalidRequest("there is no command " + std::string(word) + "; /help lists them");
    }
    return true;
  }

  void forget() {
    messages_.clear();
    if (flags_.system) messages_.push_back({.role = "system", .content = *flags_.system});
  }

  void answer(const std::string& line) {
    messages_.push_back({.role = "user", .content = line});
    try {
      Request request = to_request(flags_.request);
      request.prompt = {.messages = messages_};
      // Marks that are control tokens would be left out of the text, and thoughts look like answers.
      request.control_text = !model_->chat_style(/*with_tools=*/false).thinking.begin.empty();
      const std::shared_ptr<const ResolvedRequest> resolved = resolve(*model_, request, chat_defaults());
      if (lanes_as_given_) refuse_idle_wait(*resolved);
      Engine& engine = engine_for(resolved->cells());
      const GroupId group = engine.submit(resolved);
      note_resolved(*resolved);
      const auto thinking = ChatThinking::of(resolved->style.thinking, resolved->thinking);
      const GroupRun run = run_group(engine, group, [&] { return view_of(*resolved, thinking); });
      remember(*run.result, thinking);
    } catch (...) {
      messages_.pop_back();
      throw;
    }
  }

  std::unique_ptr<View> view_of(const ResolvedRequest& request, const ChatThinking& thinking) const {
    const ViewKind kind = flags_.plain || !output_is_terminal() ? ViewKind::plain : ViewKind::live;
    std::unique_ptr<View> view = make_view(kind, view_context(request, *model_));
    // A person can read these as they are.
    if (thinking.marks.begin == "<think>") return view;
    return std::make_unique<ReadableView>(std::move(view), thinking);
  }

  // Thoughts are not part of the conversation: models are trained to see only what came after them.
  void remember(const GroupResult& result, const ChatThinking& thinking) {
    const size_t lane = result.selected < 0 ? 0 : result.selected;
    std::string answer = said(result.lanes.at(lane).text, thinking);
    if (answer.empty()) {
      print_note("lane " + std::to_string(lane + 1) +
                 " came to no answer, so the conversation goes on without this turn; "
                 "/budget N gives more room");
      messages_.pop_back();
      return;
    }
    messages_.push_back({.role = "assistant", .content = std::move(answer)});
    if (result.lanes.size() > 1 && static_cast<int32_t>(lane) != result.then_lane) {
      print_note("lane " + std::to_string(lane + 1) + "'s answer goes on into the conversation");
    }
  }

  // Keeps the engine, and with it the conversation's cells, as long as they suffice.
  Engine& engine_for(int32_t cells) {
    const bool fixed = flags_.cells.cells > 0;
    if (engine_ == nullptr || (!fixed && cells > engine_->state().cells)) {
      engine_.reset();
      const EngineOptions options{.kv_cells = fixed ? flags_.cells.cells : std::max(4096, 2 * cells),
                                  .kv_type = flags_.cells.kv_type};
      engine_ = std::make_unique<Engine>(model_, options);
    }
    return *engine_;
  }

  ChatFlags flags_;
  CouplingFlags given_ = flags_.request.coupling;  // at the start
  bool lanes_as_given_ = true;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Engine> engine_;
  std::vector<Message> messages_;
  bool terminal_ = isatty(STDIN_FILENO) == 1;
};

int run(const ChatFlags& flags) {
  Chat chat(flags);
  const bool terminal = isatty(STDIN_FILENO) == 1;
  if (terminal) print_out("Type a message; /help lists the commands.\n");
  std::string line;
  while (true) {
    if (terminal) print_out("\n> ");
    if (!std::getline(std::cin, line)) break;
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty() && !chat.take(line)) break;
  }
  if (terminal && std::cin.eof()) print_out("\n");
  return exit_ok;
}

}  // namespace

Command add_chat(CLI::App& root) {
  auto flags = std::make_shared<ChatFlags>();
  CLI::App* app = root.add_subcommand("chat", "Talk with N lanes, turn by turn");
  app->footer(std::string(footer) + "\n\n" + policies_help());
  app->add_option("--system", flags->system, "System message")->type_name("TEXT");
  app->add_flag("--plain", flags->plain, "Lines [LANE] TEXT, in a terminal as well");
  add_model_flags(*app, flags->model);
  add_cell_flags(*app, flags->cells);
  add_request_flags(*app, flags->request);
  return {app, [flags] { return run(*flags); }};
}

}  // namespace lanerope::cli
