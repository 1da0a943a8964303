// SPDX-License-Identifier: Apache-2.0
#include "engine/resolved_request.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/sampler.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"
#include "text/stop_strings.h"

namespace lanerope::engine {

namespace {

constexpr int32_t most_lanes = 1024;

void require(bool good, const std::string& what) {
  if (!good) throw InvalidRequest(what);
}

void check_numbers(const Request& request) {
  require(request.lanes >= 1, "a group needs at least one lane");
  require(request.lanes <= most_lanes, "a group has at most " + std::to_string(most_lanes) + " lanes");
  require(request.reserved_lanes >= 0 && request.reserved_lanes <= most_lanes,
          "reserved lanes must be between 0 and " + std::to_string(most_lanes));
  require(request.budget >= 1, "the budget must be at least one token a lane");
  require(request.budget <= (1 << 24),
          "a budget of " + std::to_string(request.budget) + " tokens is too large");
  require(request.max_tokens >= 0, "max_tokens must be 0 (the budget) or more tokens");
  require(request.top_logprobs >= 0 && request.top_logprobs <= 20, "top_logprobs must be between 0 and 20");
  require(request.selection.consensus >= 0 && request.selection.consensus <= request.lanes,
          "consensus must be between 0 (off) and the number of lanes");
  require(request.selection.kind != SelectionKind::verifier || !request.selection.verifier_command.empty(),
          "selection by verifier needs a verifier command");
  require(request.selection.verifier_timeout > 0, "the verifier's time-out must be positive");
  require(request.lane_texts.size() <= static_cast<size_t>(request.lanes),
          "there are more lane texts than lanes");
}

std::vector<TokenId> prompt_tokens(const Model& model, const Request& request) {
  std::vector<TokenId> tokens = request.prompt_tokens;
  if (tokens.empty()) {
    require(!request.prompt.empty(), "the prompt is empty; give the lanes something to answer");
    tokens = model.encode(request.prompt, {.add_special = true, .parse_special = true});
  }
  require(!tokens.empty(), "the prompt has no tokens; give the lanes something to answer");
  for (const TokenId token : tokens) {
    require(token >= 0 && token < model.info().n_vocab, "the prompt holds token " + std::to_string(token) +
                                                            ", and the vocabulary has " +
                                                            std::to_string(model.info().n_vocab));
  }
  const int64_t context = model.info().trained_context;
  const auto length = static_cast<int64_t>(tokens.size());
  require(length < context, "the prompt has " + std::to_string(length) +
                                " tokens and the model's context is " + std::to_string(context) +
                                "; shorten the prompt");
  require(length + request.budget <= context, "the prompt has " + std::to_string(length) +
                                                  " tokens, the budget is " + std::to_string(request.budget) +
                                                  ", and together they exceed the model's context of " +
                                                  std::to_string(context) + "; lower the budget to " +
                                                  std::to_string(context - length) + " or less");
  return tokens;
}

// The first adapter that is on and says how its lanes see one another.
Coupling choose_coupling(const Request& request, const LaneTraining* training) {
  if (training == nullptr) return request.coupling.value_or(Coupling{});
  if (!request.coupling) return training->coupling;
  const Coupling& coupling = *request.coupling;
  const bool sees_others = coupling.kind != CouplingKind::independent;
  if (sees_others && coupling.visibility != training->coupling.visibility && !request.force_coupling) {
    throw InvalidRequest(training->file + " was trained with " +
                         std::string(name(training->coupling.visibility)) +
                         " visibility, and the request asks for " + std::string(name(coupling.visibility)) +
                         "; ask for the former, or force it");
  }
  return coupling;
}

// Tags tell lanes apart, and lanes that do not see one another need none: best-of-N is N samples of the plain
// model.
std::string default_tag(const Request& request, const Coupling& coupling, const LaneTraining* training) {
  if (request.lanes == 1 || coupling.kind == CouplingKind::independent) return "";
  constexpr auto usual = "<lane{k}>";
  return training != nullptr ? training->tag.value_or(usual) : usual;
}

void check_coupling(const Coupling& coupling) {
  require(coupling.stride >= 0, "the stride must be 0 (the budget) or more tokens");
  require(coupling.stride <= (1 << 20),
          "a stride of " + std::to_string(coupling.stride) + " tokens is too large");
  require(coupling.window >= 0, "the window must be 0 (everything) or more cells");
  require(coupling.omega.empty() || coupling.init == OmegaInit::given,
          "omega was given together with an initialisation that makes its own; use init \"given\"");
}

}  // namespace

std::string tag_of(const std::string& tag, int32_t index) {
  constexpr std::string_view place = "{k}";
  std::string text = tag;
  for (size_t at = text.find(place); at != std::string::npos; at = text.find(place, at)) {
    const std::string number = std::to_string(index + 1);
    text.replace(at, place.size(), number);
    at += number.size();
  }
  return text;
}

std::vector<float> adapter_scales(const Model& model, const std::vector<float>& wanted) {
  const auto& adapters = model.info().adapters;
  require(wanted.empty() || wanted.size() == adapters.size(),
          "the request scales " + std::to_string(wanted.size()) + " adapters, and " +
              std::to_string(adapters.size()) + " are loaded");
  std::vector<float> scales;
  for (size_t i = 0; i < adapters.size(); ++i)
    scales.push_back(wanted.empty() ? adapters[i].scale : wanted[i]);
  for (const float scale : scales) require(std::isfinite(scale), "an adapter's scale must be a number");
  return scales;
}

std::shared_ptr<const core::LaneFrequencies> make_frequencies(const Model& model, const Coupling& coupling,
                                                              const FrequencyParameters& parameters) {
  const arch::ModelConfig& config = model::loaded(model).config;
  auto frequencies = std::make_shared<core::LaneFrequencies>();
  for (const arch::AttentionClass& of : config.attention_classes) {
    core::ClassFrequencies made{.theta = core::effective_theta(config.ropes[of.rope]).theta};
    const size_t pairs = made.theta.size();
    if (coupling.init == OmegaInit::given) {
      const size_t per_layer = pairs * config.layers.size();
      require(coupling.omega.size() == pairs || coupling.omega.size() == per_layer,
              "omega has " + std::to_string(coupling.omega.size()) + " values, and the model needs " +
                  std::to_string(pairs) + ", or " + std::to_string(per_layer) + " for a vector per layer");
      for (const float value : coupling.omega)
        require(std::isfinite(value), "omega holds a value that is not a number");
      made.omega.assign(coupling.omega.begin(), coupling.omega.end());
    } else {
      // A layer with a window was trained on distances within it.
      made.omega = core::initial_omega(
          made.theta, {.init = coupling.init,
                       .stride = static_cast<double>(parameters.stride),
                       .lanes = parameters.lanes,
                       .trained_context = of.window > 0 ? of.window : config.trained_context});
    }
    frequencies->classes.push_back(std::move(made));
  }
  return frequencies;
}

ResolvedRequest resolve(const Model& model, const Request& request) {
  check_numbers(request);
  check_sampling(request.sampling, model.info().n_vocab);
  const text::StopStrings checked(request.stop);
  ResolvedRequest resolved{.request = request};
  resolved.prompt = prompt_tokens(model, request);

  const int64_t cells = static_cast<int64_t>(resolved.prompt.size()) +
                        (static_cast<int64_t>(request.lanes) + request.reserved_lanes) * request.budget;
  require(cells <= std::numeric_limits<int32_t>::max(),
          "the request needs " + std::to_string(cells) +
              " KV cells, more than any engine has; use fewer lanes or a "
              "smaller budget");

  resolved.lane_scales = adapter_scales(model, request.adapter_scales);
  resolved.prompt_scales = resolved.lane_scales;
  for (size_t i = 0; i < resolved.prompt_scales.size(); ++i) {
    if (!model.info().adapters[i].on_prompt) resolved.prompt_scales[i] = 0;
  }

  const LaneTraining* training = model.lane_training(resolved.lane_scales);
  resolved.coupling = choose_coupling(request, training);
  check_coupling(resolved.coupling);
  resolved.stride = resolved.coupling.stride > 0 ? resolved.coupling.stride : request.budget;
  resolved.frequencies =
      make_frequencies(model, resolved.coupling, {.stride = resolved.stride, .lanes = request.lanes});

  resolved.tag = request.tag.value_or(default_tag(request, resolved.coupling, training));
  const auto encode = [&](const std::string& text) {
    return model.encode(text, {.add_special = false, .parse_special = true});
  };
  for (int32_t m = 0; m < request.lanes; ++m) {
    std::vector<TokenId> tokens = encode(tag_of(resolved.tag, m));
    resolved.tag_tokens.push_back(static_cast<int32_t>(tokens.size()));
    if (static_cast<size_t>(m) < request.lane_texts.size()) {
      const std::vector<TokenId> text = encode(request.lane_texts[m]);
      tokens.insert(tokens.end(), text.begin(), text.end());
    }
    resolved.forced.push_back(std::move(tokens));
    require(resolved.forced.back().size() < static_cast<size_t>(request.budget),
            "the tag and text of lane " + std::to_string(m + 1) + " take " +
                std::to_string(resolved.forced.back().size()) +
                " tokens, which leaves nothing of its budget of " + std::to_string(request.budget));
  }
  return resolved;
}

}  // namespace lanerope::engine
