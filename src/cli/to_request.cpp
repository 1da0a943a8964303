// SPDX-License-Identifier: Apache-2.0
#include "cli/to_request.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "cli/bundled_files.h"
#include "cli/output.h"
#include "cli/text_source.h"
#include "lanerope/calibration.h"
#include "lanerope/errors.h"
#include "lanerope/model.h"

namespace lanerope::cli {

namespace {

LogitBias parse_logit_bias(const std::string& text) {
  const InvalidRequest refusal("--logit-bias '" + text +
                               "' is not a token id and a bias; write 42+1.5, 42-2 or 42-inf");
  LogitBias result;
  const char* end = text.data() + text.size();
  const auto id = std::from_chars(text.data(), end, result.token);
  if (id.ec != std::errc() || id.ptr == end || (*id.ptr != '+' && *id.ptr != '-') || result.token < 0)
    throw refusal;
  const auto bias = std::from_chars(*id.ptr == '+' ? id.ptr + 1 : id.ptr, end, result.bias);
  if (bias.ec != std::errc() || bias.ptr != end) throw refusal;
  return result;
}

Selection to_selection(const RequestFlags& flags) {
  const bool verifies =
      flags.selection ? *flags.selection == SelectionKind::verifier : !flags.verifier.empty();
  if (!flags.verifier.empty() && !verifies) {
    throw InvalidRequest("--verifier goes with --select verifier, not with --select " +
                         std::string(name(*flags.selection)));
  }
  if (flags.verifier.empty() && verifies)
    throw InvalidRequest("--select verifier needs a command; give it with --verifier");
  Selection selection{
      .weight = flags.vote_weight, .consensus = flags.consensus, .verifier_command = flags.verifier};
  if (!flags.calibration.empty())
    selection.calibration = std::make_shared<const CalibrationCurve>(read_calibration(flags.calibration));
  if (flags.selection) selection.kind = *flags.selection;
  if (verifies) selection.kind = SelectionKind::verifier;
  return selection;
}

// "1, 2 or 4".
std::string list_of(const std::vector<int32_t>& numbers) {
  std::string text;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) text += i + 1 == numbers.size() ? " or " : ", ";
    text += std::to_string(numbers[i]);
  }
  return text;
}

}  // namespace

RequestDefaults run_defaults() {
  // Seeds are short enough to be typed again.
  return {.no_template = NoTemplate::raw_with_note, .seeds = 1'000'000'000};
}

RequestDefaults chat_defaults() {
  RequestDefaults defaults = run_defaults();
  defaults.no_template = NoTemplate::refuse;
  return defaults;
}

CouplingChoice to_choice(const CouplingFlags& flags) {
  CouplingChoice choice = flags.choice;
  if (choice.init && !flags.omega_file.empty()) {
    throw InvalidRequest("--init and --omega both say what omega is; give one of them");
  }
  const bool sets_omega = choice.init || !flags.omega_file.empty();
  if (sets_omega && choice.kind.value_or(CouplingKind::lanerope) != CouplingKind::lanerope) {
    throw InvalidRequest("--init and --omega belong to the lanerope coupling, not to " +
                         std::string(name(*choice.kind)) + "; leave them out or choose --coupling lanerope");
  }
  if (!flags.omega_file.empty()) choice.omega = read_omega(flags.omega_file);
  return choice;
}

Request to_request(const RequestFlags& flags) {
  Request request{.lanes = flags.lanes,
                  .budget = flags.budget,
                  .coupling = to_choice(flags.coupling),
                  .tag = flags.tag,
                  .wait = flags.wait,
                  .ready = flags.ready,
                  .lane_texts = flags.lane_texts,
                  .sampling = flags.sampling,
                  .stop = flags.stop,
                  .ignore_end = flags.ignore_end,
                  .format = to_format(flags.format),
                  .thinking_budget = flags.format.thinking_budget,
                  .selection = to_selection(flags),
                  .policies = to_policies(flags.policies),
                  .policy_command = flags.policies.command,
                  .tools = to_tools(flags.tools),
                  .logprobs = flags.logprobs || flags.top_logprobs > 0,
                  .top_logprobs = flags.top_logprobs,
                  .certainty_window = flags.certainty_window,
                  .reserved_lanes = flags.policies.reserved_lanes};
  if (flags.seed >= 0) request.sampling.seed = static_cast<uint64_t>(flags.seed);
  for (const std::string& text : flags.logit_bias)
    request.sampling.logit_bias.push_back(parse_logit_bias(text));
  if (flags.then) {
    check_utf8(*flags.then, "--then");
    request.then = SecondStage{.text = *flags.then, .budget = flags.then_budget};
  }
  if (flags.tag) check_utf8(*flags.tag, "--tag");
  if (flags.wait) check_utf8(*flags.wait, "--wait");
  if (flags.ready) check_utf8(*flags.ready, "--ready");
  for (const std::string& text : flags.lane_texts) check_utf8(text, "--lane-text");
  for (const std::string& text : flags.stop) check_utf8(text, "--stop");
  return request;
}

Prompt to_prompt(const PromptFlags& flags, const std::string& text) {
  if (flags.system) check_utf8(*flags.system, "--system");
  if (flags.raw) {
    if (flags.system) {
      throw InvalidRequest(
          "--system needs a chat template; leave out --raw or name one with --chat-template");
    }
    return {.text = text};
  }
  Prompt prompt;
  if (flags.system) prompt.messages.push_back({.role = "system", .content = *flags.system});
  prompt.messages.push_back({.role = "user", .content = text});
  return prompt;
}

void refuse_idle_window(const RequestFlags& flags) {
  if (flags.certainty_window <= 0 || flags.vote_weight == VoteWeight::lowest_window) return;
  throw InvalidRequest(
      "--certainty-window does nothing without --vote-weight lowest-window or run's --json; add one of "
      "them or leave it out");
}

void refuse_idle_wait(const ResolvedRequest& request) {
  const bool asked = !request.asked.wait.value_or("").empty() || !request.asked.ready.value_or("").empty();
  if (!asked || request.n_lanes() + request.reserved_lanes > 1) return;
  throw InvalidRequest(
      "a lane alone has no other to wait for; leave --wait and --ready out, or ask for more lanes");
}

void note_raw_prompt(bool raw) {
  static bool said = false;
  if (!raw || said) return;
  said = true;
  print_note(
      "lanerope: the text goes in as it is, since the model has no chat template (a base model goes on with "
      "it); name one "
      "with --chat-template, or say --raw");
}

void note_resolved(const ResolvedRequest& request) {
  note_raw_prompt(request.raw_prompt);
  static bool said = false;
  const bool coupled = request.coupling.kind != CouplingKind::independent;
  const std::vector<int32_t>& trained = request.trained_lanes;
  std::string note;
  if (request.untrained && coupled) {
    note =
        "this model was not trained for lanes that see one another, and mostly answers worse with them; "
        "--coupling independent lets each answer by itself (docs/couplings.md)";
  } else if (request.untrained && !request.asked.coupling.kind) {
    const std::string adapter = bundled_adapter_for(request.model->info().file);
    note = "this model was not trained for lanes, so each answers by itself" +
           std::string(request.then ? "" : " and they vote") + "; --lora " +
           (adapter.empty() ? "FILE adds an adapter that was"
                            : std::string(bundled_adapter_prefix) + adapter +
                                  " adds an adapter that was for questions asked together") +
           ", --coupling lanerope couples them all the same";
  } else if (coupled && request.n_lanes() > 1 && !trained.empty() &&
             std::ranges::find(trained, request.n_lanes()) == trained.end()) {
    note = "lanes were trained " + list_of(trained) + " at a time, not " + std::to_string(request.n_lanes());
  }
  if (note.empty() || said) return;
  said = true;
  print_note("lanerope: " + note);
}

}  // namespace lanerope::cli
