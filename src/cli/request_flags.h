// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/coupling_flags.h"
#include "cli/format_flags.h"
#include "cli/policy_flags.h"
#include "cli/tool_flags.h"
#include "lanerope/request.h"

namespace lanerope::cli {

// The options of `run` and `chat` that make a request, apart from its prompt; and of `run` what it tells.
struct RequestFlags {
  int32_t lanes = 4;
  std::optional<int32_t> budget;
  std::optional<std::string> tag;
  std::optional<std::string> wait;
  std::optional<std::string> ready;
  std::vector<std::string> lane_texts;
  std::vector<std::string> stop;
  bool ignore_end = false;
  FormatFlags format;
  CouplingFlags coupling;
  Sampling sampling;
  int64_t seed = -1;  // -1: a new one each time
  std::vector<std::string> logit_bias;
  std::optional<std::string> then;
  std::optional<int32_t> then_budget;
  std::optional<SelectionKind> selection;
  VoteWeight vote_weight = VoteWeight::equal;
  int32_t certainty_window = 0;
  std::string calibration;
  int32_t consensus = 0;
  std::string verifier;
  PolicyFlags policies;
  ToolFlags tools;
  bool logprobs = false;
  int32_t top_logprobs = 0;
};

void add_request_flags(CLI::App& app, RequestFlags& flags);

// Parts of add_request_flags() that other commands take too: -n, -b, --tag, --wait, --ready; and how tokens
// are drawn.
void add_lane_flags(CLI::App& app, RequestFlags& flags);
void add_sampling_flags(CLI::App& app, RequestFlags& flags);

// --logprobs and --top-logprobs, which only events told as JSON have.
void add_logprob_flags(CLI::App& app, RequestFlags& flags, CLI::Option* json);

// --raw and --system: how a text becomes a prompt.
struct PromptFlags {
  bool raw = false;
  std::optional<std::string> system;
};

void add_prompt_flags(CLI::App& app, PromptFlags& flags);

}  // namespace lanerope::cli
