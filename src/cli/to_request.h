// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/coupling_flags.h"
#include "cli/request_flags.h"
#include "lanerope/model.h"
#include "lanerope/request.h"
#include "lanerope/resolve.h"

namespace lanerope::cli {

// What `run`, `data rollout` and `data collaborate` decide where their options do not; `chat` differs in that
// it needs a chat template.
RequestDefaults run_defaults();
RequestDefaults chat_defaults();

// The options as a request, without its prompt. Nothing is decided here. Throws InvalidRequest for options
// that do not go together.
Request to_request(const RequestFlags& flags);

// The options of a coupling. Reads the file of --omega: throws SystemError or BadFile.
CouplingChoice to_choice(const CouplingFlags& flags);

// `text` as the user's message, or as it is with --raw. Throws InvalidRequest for --system with --raw.
Prompt to_prompt(const PromptFlags& flags, const std::string& text);

// Throws InvalidRequest for a certainty window that no vote is weighed by, where nothing tells what it
// measures.
void refuse_idle_window(const RequestFlags& flags);

// Throws InvalidRequest for a wait or ready text of one lane, beside which none will come.
void refuse_idle_wait(const ResolvedRequest& request);

// Says once on standard error that the text goes in raw, where it does though nobody asked for it.
void note_raw_prompt(bool raw);

// Says on standard error, each once, what a person should know of how a request was resolved: a raw prompt,
// lanes of a model that was not trained for them, a number of lanes that it was not trained with.
void note_resolved(const ResolvedRequest& request);

}  // namespace lanerope::cli
