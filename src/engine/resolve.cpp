// SPDX-License-Identifier: Apache-2.0
#include "engine/resolve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/lane_tag.h"
#include "engine/resolve_format.h"
#include "engine/resolve_policies.h"
#include "engine/resolve_then.h"
#include "engine/sampler.h"
#include "engine/tools/resolve_tools.h"
#include "lanerope/calibration.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"
#include "text/encode_prompt.h"
#include "text/stop_strings.h"

namespace lanerope {

namespace {

constexpr int32_t most_lanes = 1024;
constexpr int32_t most_budget = 1 << 24;

void require(bool good, const std::string& what) {
  if (!good) throw InvalidRequest(what);
}

void check_budget(int32_t budget) {
  require(budget >= 1, "the budget must be at least one token a lane");
  require(budget <= most_budget, "a budget of " + std::to_string(budget) + " tokens is too large");
}

void check_numbers(const Request& request) {
  require(request.lanes >= 1, "a group needs at least one lane");
  require(request.lanes <= most_lanes, "a group has at most " + std::to_string(most_lanes) + " lanes");
  require(request.reserved_lanes >= 0 && request.reserved_lanes <= most_lanes,
          "reserved lanes must be between 0 and " + std::to_string(most_lanes));
  if (request.budget) check_budget(*request.budget);
  const int32_t most = request.max_tokens.value_or(0);
  require(most >= 0, "max_tokens must be 0 (the budget) or more tokens");
  require(most <= most_budget, "max_tokens of " + std::to_string(most) + " are too many");
  require(request.top_logprobs >= 0 && request.top_logprobs <= 20, "top_logprobs must be between 0 and 20");
  const int32_t of_prompt = request.prompt_logprobs.value_or(0);
  require(of_prompt >= 0 && of_prompt <= 20, "prompt_logprobs must be between 0 and 20");
  require(request.selection.consensus >= 0 && request.selection.consensus <= request.lanes,
          "consensus must be between 0 (off) and the number of lanes");
  require(request.certainty_window >= 0, "the certainty window must be 0 (not measured) or more tokens");
  require(request.selection.kind == SelectionKind::vote || request.selection.weight == VoteWeight::equal,
          "a vote weight goes with selection by vote, not with " + std::string(name(request.selection.kind)));
  require(request.selection.verifier_timeout > 0, "the verifier's time-out must be positive");
  require(request.lane_texts.size() <= static_cast<size_t>(request.lanes),
          "there are more lane texts than lanes");
}

void check_prompt(const std::vector<TokenId>& tokens, const ModelInfo& info) {
  require(!tokens.empty(), "the prompt has no tokens; give the lanes something to answer");
  for (const TokenId token : tokens) {
    require(token >= 0 && token < info.n_tokens, "the prompt holds token " + std::to_string(token) +
                                                     ", and the vocabulary has " +
                                                     std::to_string(info.n_tokens));
  }
  require(std::ssize(tokens) < info.trained_context,
          "the prompt has " + std::to_string(tokens.size()) + " tokens and the model's context is " +
              std::to_string(info.trained_context) + "; shorten the prompt");
}

void check_context(int32_t prompt, int32_t budget, int32_t context) {
  require(int64_t{prompt} + budget <= context,
          "the prompt has " + std::to_string(prompt) + " tokens, the budget is " + std::to_string(budget) +
              ", and together they exceed the model's context of " + std::to_string(context) +
              "; lower the budget to " + std::to_string(context - prompt) + " or less");
}

// Tags tell lanes apart, and lanes that do not see one another need none: best-of-N is N samples of the plain
// model.
std::string tag_for(const Request& request, const Coupling& coupling, const LaneTraining* training,
                    TaggedLanes tagged) {
  if (request.tag) return *request.tag;
  const bool alone = coupling.kind == CouplingKind::independent && tagged == TaggedLanes::seeing;
  if (request.lanes == 1 || alone) return "";
  constexpr auto usual = "<lane{k}>";
  return training != nullptr ? training->tag.value_or(usual) : usual;
}

// What a caller said of a sleep token, what the adapter was trained with, or nothing.
TokenId sleep_token(const Model& model, const std::optional<std::string>& asked,
                    const std::optional<std::string>& trained, std::string_view name) {
  const std::string& text = asked ? *asked : trained.value_or("");
  if (text.empty()) return -1;
  const auto tokens = model.encode(text, {.add_special = false, .parse_special = true});
  require(tokens.size() == 1, "the " + std::string(name) + " text \"" + text + "\" is " +
                                  std::to_string(tokens.size()) +
                                  " tokens of this model; use one that is a single token");
  return tokens.front();
}

std::vector<ResolvedLane> resolve_lanes(const Model& model, const Request& request, const std::string& tag) {
  const auto encode = [&](const std::string& text) {
    return model.encode(text, {.add_special = false, .parse_special = true});
  };
  std::vector<ResolvedLane> lanes;
  for (int32_t m = 0; m < request.lanes; ++m) {
    ResolvedLane lane{.forced = encode(core::render_tag(tag, m + 1))};
    lane.tag_tokens = static_cast<int32_t>(lane.forced.size());
    if (static_cast<size_t>(m) < request.lane_texts.size()) {
      const std::vector<TokenId> text = encode(request.lane_texts[m]);
      lane.forced.insert(lane.forced.end(), text.begin(), text.end());
    }
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

// The tokens of a lane. What lanes are forced counts against the budget, while max_tokens means what a lane
// writes by itself.
int32_t budget_for(const ResolvedRequest& resolved, const RequestDefaults& defaults, int32_t context) {
  const Request& request = resolved.asked;
  if (request.budget) return *request.budget;
  int32_t longest = 0;
  for (const ResolvedLane& lane : resolved.lanes)
    longest = std::max(longest, static_cast<int32_t>(lane.forced.size()));
  const auto n_prompt = static_cast<int32_t>(resolved.prompt.size());
  const int32_t left = std::max(context - n_prompt - engine::least_then_cells(resolved), 1);
  const bool cut = defaults.over_context == OverContext::cut;
  if (request.max_tokens) {
    const int32_t wanted = *request.max_tokens + longest;
    return cut ? std::clamp(wanted, 1, left) : wanted;
  }
  // Nobody asked for it, so it is no more than what the model's context leaves.
  int32_t budget = std::min(defaults.budget + (defaults.budget_behind_forced ? longest : 0), left);
  if (defaults.most_cells > 0) {
    // A second stage takes as many as a lane, behind its text.
    const int32_t lanes = resolved.n_lanes() + resolved.reserved_lanes + (resolved.then ? 1 : 0);
    const int32_t pages = pages_of(defaults.most_cells);
    const int32_t of_prompt =
        pages_of(n_prompt) + (resolved.then ? pages_of(engine::least_then_cells(resolved)) : 0);
    require(of_prompt + lanes <= pages,
            "the prompt and " + std::to_string(lanes) + (lanes == 1 ? " lane" : " lanes") + " take " +
                std::to_string(of_prompt + lanes) + " pages of " + std::to_string(page_cells) +
                " KV cells at least, and there are " + std::to_string(pages) +
                "; ask for fewer lanes or less text");
    budget = std::min(budget, (pages - of_prompt) / lanes * page_cells);
  }
  return std::max(budget, 1);
}

void check_lanes(const ResolvedRequest& resolved) {
  for (size_t m = 0; m < resolved.lanes.size(); ++m) {
    const size_t forced = resolved.lanes[m].forced.size();
    require(forced < static_cast<size_t>(resolved.budget),
            "the tag and text of lane " + std::to_string(m + 1) + " take " + std::to_string(forced) +
                " tokens, which leaves nothing of its budget of " + std::to_string(resolved.budget));
  }
}

Selection selection_for(const Request& request, const RequestDefaults& defaults) {
  Selection selection = request.selection;
  if (selection.kind != SelectionKind::verifier || !selection.verifier_command.empty()) return selection;
  require(!defaults.verifier.empty(), "selection by verifier needs a verifier command");
  selection.verifier_command = defaults.verifier;
  selection.verifier_timeout = defaults.verifier_timeout;
  return selection;
}

// "a vote of 4 lanes weighted by self-certainty".
std::string described(const Selection& selection, int32_t lanes) {
  std::string text = "selection by " + std::string(name(selection.kind));
  if (selection.kind == SelectionKind::vote && selection.weight != VoteWeight::equal)
    text += " (weight " + std::string(name(selection.weight)) + ")";
  return text + " over " + std::to_string(lanes) + (lanes == 1 ? " lane" : " lanes");
}

void resolve_calibration(Selection& selection, int32_t lanes, const RequestDefaults& defaults) {
  if (selection.calibration != nullptr) {
    const CalibrationCurve& curve = *selection.calibration;
    require(!curve.points.empty(), "the calibration has no points");
    require(fits(curve, selection, lanes),
            "the calibration was fitted for " +
                described({.kind = curve.select, .weight = curve.weight}, curve.lanes) + ", and this is " +
                described(selection, lanes) + "; ask for the former, or fit another with lanerope calibrate");
    return;
  }
  const auto& usual = defaults.calibration;
  if (usual != nullptr && fits(*usual, selection, lanes)) selection.calibration = usual;
}

int32_t certainty_window_for(const Request& request) {
  constexpr int32_t usual = 64;
  const VoteWeight weight = request.selection.weight;
  const bool votes_by_it = request.selection.kind == SelectionKind::vote &&
                           (weight == VoteWeight::self_certainty || weight == VoteWeight::lowest_window);
  if (request.certainty_window > 0 || !votes_by_it) return request.certainty_window;
  return usual;
}

const std::vector<float>& scales_for(const Request& request, const RequestDefaults& defaults) {
  return request.adapter_scales.empty() ? defaults.adapter_scales : request.adapter_scales;
}

}  // namespace

engine::AdapterScales engine::resolve_scales(const Model& model, const std::vector<float>& wanted) {
  const auto& adapters = model.info().adapters;
  require(wanted.empty() || wanted.size() == adapters.size(),
          "the request scales " + std::to_string(wanted.size()) + " adapters, and " +
              std::to_string(adapters.size()) + " are loaded");
  AdapterScales scales;
  for (size_t i = 0; i < adapters.size(); ++i) {
    const float scale = wanted.empty() ? adapters[i].scale : wanted[i];
    require(std::isfinite(scale), "an adapter's scale must be a number");
    scales.lanes.push_back(scale);
    scales.prompt.push_back(adapters[i].on_prompt ? scale : 0);
  }
  return scales;
}

SleepTokens resolve_sleep(const Model& model, const SleepChoice& choice, const Coupling& coupling) {
  const LaneTraining* training =
      model.lane_training(engine::resolve_scales(model, choice.adapter_scales).lanes);
  const LaneTraining none;
  const LaneTraining& trained = training != nullptr ? *training : none;
  const bool asked = choice.wait && !choice.wait->empty();
  const bool waits = asked || (!choice.wait && !trained.wait.value_or("").empty());
  require(waits || choice.ready.value_or("").empty(),
          "a ready text without a wait text does nothing; say which token lanes wait with");
  // The layout of hogwild has no room for steps in which a lane wrote nothing, and a bridge is there for
  // lanes that go on.
  if (coupling.kind == CouplingKind::hogwild || coupling.kind == CouplingKind::bridge) {
    require(!asked, "lanes of the " + std::string(name(coupling.kind)) +
                        " coupling cannot sleep; leave the wait text out or couple otherwise");
    return {};
  }
  require(sees_other_lanes(coupling.kind) || (!asked && choice.ready.value_or("").empty()),
          "independent lanes see no other that could wake them; leave wait and ready texts out or couple "
          "otherwise");
  if (!waits) return {};
  return {.wait = sleep_token(model, choice.wait, trained.wait, "wait"),
          .ready = sleep_token(model, choice.ready, trained.ready, "ready")};
}

uint64_t resolve_seed(const Sampling& sampling, const RequestDefaults& defaults) {
  if (sampling.seed) return *sampling.seed;
  if (defaults.seeds == 0) return 0;
  std::random_device source;
  return std::uniform_int_distribution<uint64_t>(0, defaults.seeds - 1)(source);
}

std::shared_ptr<const ResolvedRequest> resolve(const Model& model, const Request& request,
                                               const RequestDefaults& defaults) {
  check_numbers(request);
  engine::check_sampling(request.sampling, model.info().n_tokens);
  const text::StopStrings checked(request.stop);
  const int32_t context = model.info().trained_context;
  auto made = std::make_shared<ResolvedRequest>();
  ResolvedRequest& resolved = *made;
  resolved.model = &model;
  resolved.asked = request;
  resolved.reserved_lanes = request.reserved_lanes;
  resolved.max_tokens = request.max_tokens.value_or(0);
  resolved.sampling = request.sampling;
  resolved.seed = resolve_seed(request.sampling, defaults);
  resolved.sampling.seed = resolved.seed;
  resolved.selection = selection_for(request, defaults);
  resolved.certainty_window = certainty_window_for(request);

  engine::AdapterScales scales = engine::resolve_scales(model, scales_for(request, defaults));
  resolved.prompt_scales = std::move(scales.prompt);
  resolved.lane_scales = std::move(scales.lanes);
  const LaneTraining* training = model.lane_training(resolved.lane_scales);
  resolved.coupling = resolve_coupling(model, request.coupling,
                                       {.untrained = defaults.untrained,
                                        .untrained_init = defaults.untrained_init,
                                        .adapter_scales = resolved.lane_scales,
                                        .lanes = request.lanes});
  const Prompt told = engine::resolve_tools(resolved, model, defaults);
  text::EncodedPrompt prompt =
      text::encode_prompt(model::loaded(model).prompt_format(defaults.no_template), told);
  resolved.control_text = request.control_text || resolved.tool_forms != nullptr;
  check_prompt(prompt.tokens, model.info());
  resolved.prompt = std::move(prompt.tokens);
  resolved.raw_prompt = prompt.raw;
  resolved.style = std::move(prompt.style);
  resolved.thinking = prompt.thinking;
  engine::resolve_then(resolved, told, model, defaults);
  resolve_calibration(resolved.selection, request.lanes, defaults);
  resolved.untrained = training == nullptr && request.lanes > 1;
  if (training != nullptr) resolved.trained_lanes = training->lanes;
  engine::check_training(request, resolved.coupling, training);

  engine::resolve_policies(resolved, defaults);
  resolved.tag = tag_for(request, resolved.coupling, training, defaults.tagged);
  resolved.lanes = resolve_lanes(model, request, resolved.tag);
  resolved.sleep = resolve_sleep(
      model, {.wait = request.wait, .ready = request.ready, .adapter_scales = resolved.lane_scales},
      resolved.coupling);
  if (request.lanes + resolved.reserved_lanes > 1) engine::check_hand_over(resolved.coupling, resolved.sleep);
  resolved.budget = budget_for(resolved, defaults, context);
  check_budget(resolved.budget);
  check_context(static_cast<int32_t>(resolved.prompt.size()), resolved.budget, context);
  engine::resolve_then_budget(resolved, defaults, context);
  check_lanes(resolved);
  engine::resolve_format(resolved, model, defaults);
  const int64_t cells = resolved.prompt_cells() +
                        (int64_t{request.lanes} + resolved.reserved_lanes) * resolved.cells_of_lane() +
                        resolved.then_cells();
  require(cells <= std::numeric_limits<int32_t>::max(),
          "the request needs " + std::to_string(cells) +
              " KV cells, more than any engine has; use fewer lanes or a smaller budget");

  core::ResolvedCoupling coupling = core::resolve_coupling(
      resolved.coupling,
      engine::coupling_facts(model, {.lanes = request.lanes, .default_stride = resolved.budget}));
  resolved.stride = coupling.stride;
  resolved.frequencies = std::move(coupling.frequencies);
  return made;
}

}  // namespace lanerope
