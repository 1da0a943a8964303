// SPDX-License-Identifier: Apache-2.0
#include "cli/request_flags.h"

#include "cli/choice.h"
#include "cli/to_request.h"

namespace lanerope::cli {

namespace {

constexpr auto lanes_group = "Lanes";
constexpr auto sampling_group = "Sampling";
constexpr auto answer_group = "Answer";
constexpr auto policies_group = "Policies";
constexpr auto tools_group = "Tools that lanes call";

}  // namespace

void add_sampling_flags(CLI::App& app, RequestFlags& flags) {
  Sampling& sampling = flags.sampling;
  const auto add = [&app](const std::string& option, auto& target, const std::string& help) {
    return app.add_option(option, target, help)->type_name("X")->capture_default_str()->group(sampling_group);
  };
  add("--temp,--temperature", sampling.temperature, "Temperature; 0 is greedy");
  add("--top-k", sampling.top_k, "Draw from the K likeliest tokens; 0 means all");
  add("--top-p", sampling.top_p, "Draw from the likeliest tokens that make up this share");
  add("--min-p", sampling.min_p, "Drop tokens less likely than this share of the likeliest");
  add("--repeat-penalty", sampling.repetition_penalty, "Penalty for repeating a token; 1 is none");
  add("--repeat-last-n", sampling.penalty_window, "How many of the last tokens penalties look at");
  add("--presence-penalty", sampling.presence_penalty, "Subtracted from tokens that occurred");
  add("--frequency-penalty", sampling.frequency_penalty, "Subtracted for each time a token occurred");
  app.add_option("--logit-bias", flags.logit_bias,
                 "Add BIAS to a token's logit, as in 42+1.5 or 42-inf; repeatable")
      ->type_name("ID±BIAS")
      ->allow_extra_args(false)
      ->take_all()
      ->group(sampling_group);
  app.add_option("-s,--seed", flags.seed, "Seed; the same one gives the same lanes (default: a new one)")
      ->type_name("N")
      ->check(CLI::Range(int64_t{-1}, int64_t{INT64_MAX}))
      ->group(sampling_group);
}

void add_lane_flags(CLI::App& app, RequestFlags& flags) {
  app.add_option("-n,--lanes", flags.lanes, "Lanes")
      ->type_name("N")
      ->capture_default_str()
      ->group(lanes_group);
  app.add_option("-b,--budget", flags.budget, "Tokens that each lane may spend")
      ->type_name("N")
      ->default_str(std::to_string(run_defaults().budget))
      ->group(lanes_group);
  app.add_option("--tag", flags.tag, "What each lane is fed first, {k} being its number; may be empty")
      ->type_name("TEXT")
      ->group(lanes_group);
  app.add_option("--wait", flags.wait,
                 "Token with which a lane waits, asleep, for others (default: as trained; empty: never)")
      ->type_name("TEXT")
      ->group(lanes_group);
  app.add_option("--ready", flags.ready, "Token with which a lane wakes others (default: as trained)")
      ->type_name("TEXT")
      ->group(lanes_group);
}

void add_request_flags(CLI::App& app, RequestFlags& flags) {
  add_lane_flags(app, flags);
  app.add_option("--lane-text", flags.lane_texts, "What the next lane is fed after its tag; once a lane")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->take_all()
      ->group(lanes_group);
  app.add_option("--stop", flags.stop, "A lane ends before it would write this; repeatable")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->take_all()
      ->group(lanes_group);
  app.add_flag("--ignore-end", flags.ignore_end, "Go on after end tokens, until the budget is spent")
      ->group(lanes_group);
  auto* select = add_choice(app, "--select", flags.selection)
                     ->description("Which lane is the answer (default: vote)")
                     ->group(answer_group);
  auto* then =
      app.add_option("--then", flags.then,
                     "When all lanes have ended, one more reads them, is told this and gives the answer; "
                     "{n} is their number")
          ->type_name("TEXT")
          ->excludes(select)
          ->group(answer_group);
  app.add_option("--then-budget", flags.then_budget, "Tokens that it may write (default: as a lane)")
      ->type_name("N")
      ->needs(then)
      ->group(answer_group);
  add_choice(app, "--vote-weight", flags.vote_weight)
      ->description("What the vote of a lane weighs (default: equal)")
      ->group(answer_group);
  app.add_option("--certainty-window", flags.certainty_window,
                 "Tokens of a lane's least certain stretch, by which --vote-weight lowest-window weighs and "
                 "which run --json tells, with self-certainty (0: do not)")
      ->type_name("N")
      ->group(answer_group);
  app.add_option("--calibration", flags.calibration,
                 "Say how often such an answer is right, by a file of lanerope calibrate")
      ->type_name("FILE")
      ->group(answer_group);
  app.add_option("--verifier", flags.verifier,
                 "Shell command for --select verifier: a JSON line a lane in, a score a line out")
      ->type_name("CMD")
      ->group(answer_group);
  app.add_option("--consensus", flags.consensus, "Stop as soon as K lanes give the same answer")
      ->type_name("K")
      ->group(answer_group);
  add_policy_flags(app, flags.policies, policies_group);
  app.add_option("--reserve-lanes", flags.policies.reserved_lanes,
                 "Room for lanes that --policy-cmd adds; other policies reserve their own")
      ->type_name("N")
      ->check(CLI::Range(0, 1024))
      ->needs("--policy-cmd")
      ->group(policies_group);
  add_tool_flags(app, flags.tools, tools_group);
  add_format_flags(app, flags.format);
  add_sampling_flags(app, flags);
  add_coupling_flags(app, flags.coupling);
}

void add_logprob_flags(CLI::App& app, RequestFlags& flags, CLI::Option* json) {
  app.add_flag("--logprobs", flags.logprobs, "Report the log-probability of each token (with --json)")
      ->needs(json)
      ->group(answer_group);
  app.add_option("--top-logprobs", flags.top_logprobs, "And the K likeliest alternatives")
      ->type_name("K")
      ->needs(json)
      ->group(answer_group);
}

void add_prompt_flags(CLI::App& app, PromptFlags& flags) {
  app.add_option("--system", flags.system, "System message")->type_name("TEXT");
  app.add_flag("--raw", flags.raw, "Take the text as it is, without the chat template");
}

}  // namespace lanerope::cli
