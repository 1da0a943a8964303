// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/chat_style.h"
#include "lanerope/coupling.h"
#include "lanerope/page.h"
#include "lanerope/request.h"
#include "lanerope/request_defaults.h"
#include "lanerope/sleep.h"
#include "lanerope/token.h"

namespace lanerope {

class Model;
namespace core {
struct LaneFrequencies;
}
namespace engine {
struct ToolForms;
}
namespace grammar {
class CompiledFormat;
}

struct ResolvedLane {
  std::vector<TokenId> forced = {};  // its tag and its text
  int32_t tag_tokens = 0;            // how many of them are the tag
};

// A request's second stage.
struct ResolvedThen {
  std::vector<TokenId> forced = {};  // its text, as the chat template has it; no part of what it answers
  int32_t budget = 0;                // tokens that it may write behind them

  int32_t n_cells() const { return static_cast<int32_t>(forced.size()) + budget; }
};

// A request with everything decided: prompt tokenised, defaults filled in, the adapters' wishes heard, all of
// it checked. Made by resolve() alone and never changed; the first event of a group carries it.
struct ResolvedRequest {
  const Model* model = nullptr;  // of which it was resolved, to be told from another; not owned
  std::vector<TokenId> prompt = {};
  bool raw_prompt =
      false;             // messages went in as text, since the model has no chat template that lanerope knows
  ChatStyle style = {};  // of the chat template, where messages went into one
  Thinking thinking = Thinking::none;
  Coupling coupling = {};
  int32_t stride = 0;                                             // K in force
  std::shared_ptr<const core::LaneFrequencies> frequencies = {};  // theta and omega in force
  bool untrained = false;  // several lanes, for which neither the model nor an adapter was trained
  std::vector<int32_t> trained_lanes =
      {};                                // numbers of lanes that the adapter, or the model, was trained with
  std::string tag = {};                  // with {k}
  std::vector<ResolvedLane> lanes = {};  // [N]
  std::optional<ResolvedThen> then = {};
  SleepTokens sleep = {};
  int32_t reserved_lanes = 0;
  bool control_text = false;  // as Request::control_text, and where lanes call tools
  int32_t budget = 0;
  int32_t max_tokens = 0;  // 0: all of the budget
  Sampling sampling = {};
  uint64_t seed = 0;
  std::shared_ptr<const grammar::CompiledFormat> format = {};  // null: lanes write what they like
  Selection selection = {};
  std::vector<PolicyChoice> policies = {};  // with all of their settings, in the order of the table
  PolicyCommand policy_command = {};
  LaneTools tools = {};                                      // in force
  std::shared_ptr<const engine::ToolForms> tool_forms = {};  // null: no tools but for notes
  int32_t certainty_window = 0;                              // tokens; 0: certainty is not measured
  std::vector<float> prompt_scales = {};                     // per adapter, while the prompt is read
  std::vector<float> lane_scales = {};                       // per adapter, for the lanes
  Request asked = {};                                        // as it came, for what needs no resolving

  int32_t n_lanes() const { return static_cast<int32_t>(lanes.size()); }
  // Cells that it can come to need, whole pages of them.
  int32_t prompt_cells() const { return whole_pages(static_cast<int32_t>(prompt.size())); }
  int32_t cells_of_lane() const { return whole_pages(budget); }
  int32_t then_cells() const { return then ? whole_pages(then->n_cells()) : 0; }
  int32_t lane_cells() const { return (n_lanes() + reserved_lanes) * cells_of_lane() + then_cells(); }
  int32_t cells() const { return prompt_cells() + lane_cells(); }
};

// Decides everything that a request left open; nothing else does. May be called from any thread. Throws
// InvalidRequest with one sentence, or BadFile for messages to a model without a chat template.
std::shared_ptr<const ResolvedRequest> resolve(const Model& model, const Request& request,
                                               const RequestDefaults& defaults = {});

// The coupling that a choice comes to for a model with these adapter scales (empty: as loaded). Its stride
// may still be 0. Without the check of what an adapter was trained with.
struct CouplingScope {
  CouplingKind untrained = CouplingKind::lanerope;  // as in RequestDefaults
  OmegaInit untrained_init = OmegaInit::rope;       // the same
  std::vector<float> adapter_scales = {};
  int32_t lanes = 0;  // N, by which lanes may be more than were trained; 0: not known
};
Coupling resolve_coupling(const Model& model, const CouplingChoice& choice, const CouplingScope& scope = {});

// The tokens by which lanes wait for one another, as Request::wait and Request::ready say, or as was trained.
struct SleepChoice {
  std::optional<std::string> wait = {};
  std::optional<std::string> ready = {};
  std::vector<float> adapter_scales = {};  // empty: as loaded
};
SleepTokens resolve_sleep(const Model& model, const SleepChoice& choice, const Coupling& coupling);

// The request's seed, or one that is drawn as the defaults say.
uint64_t resolve_seed(const Sampling& sampling, const RequestDefaults& defaults);

}  // namespace lanerope
