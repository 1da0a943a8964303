// SPDX-License-Identifier: Apache-2.0
// How lanes see one another: what was asked for, over what was trained.
#include <algorithm>

#include "core/coupling_fields.h"
#include "engine/resolve.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"

namespace lanerope {

namespace {

void require(bool good, const std::string& what) {
  if (!good) throw InvalidRequest(what);
}

// Whether a choice says anything that only lanes which see one another have.
bool says_how(const CouplingChoice& choice) {
  return choice.init || !choice.omega.empty() || choice.stride || choice.visibility || choice.topology ||
         choice.window || choice.sees_from || choice.prompt_lane || choice.block || choice.far_lanes ||
         choice.trained_lanes;
}

// Refuses what is said and not read by a coupling of that kind, whose omega starts as `init` says.
void check_read(const CouplingChoice& choice, CouplingKind kind, OmegaInit init) {
  const core::CouplingFields read = core::fields_of(kind);
  const auto check = [&](bool said, bool is_read, const std::string& what) {
    const std::string why = sees_other_lanes(kind) ? "" : ", whose attention goes to no other lane,";
    require(!said || is_read, "the coupling " + std::string(name(kind)) + why + " has no " + what +
                                  "; leave it out, or couple lanes otherwise");
  };
  check(choice.init.has_value(), read.omega, "init");
  check(!choice.omega.empty(), read.omega, "omega");
  check(choice.stride.has_value(), read.stride || read.omega, "stride");
  check(choice.visibility.has_value(), read.lanes, "visibility");
  check(choice.topology.has_value(), read.lanes, "topology");
  check(choice.block.has_value(), read.lanes, "block size");
  check(choice.window.has_value(), read.lanes, "window of other lanes");
  check(choice.sees_from.has_value(), read.sees_from, "hand-over to see others from");
  check(choice.prompt_lane.has_value(), read.prompt_lane, "prompt lane");
  check(choice.far_lanes.has_value() || choice.trained_lanes.has_value(), read.omega, "far lanes");
  require(!choice.stride || !read.omega || core::goes_with_stride(init),
          "omega is given, as it was trained for example, and no stride changes it; leave the stride out, or "
          "say an init that makes omega of it");
}

// Omega that does not go with the initialisation is refused before anything is made of it.
Coupling apply(const CouplingChoice& choice, Coupling coupling) {
  require(choice.omega.empty() || choice.init.value_or(OmegaInit::given) == OmegaInit::given,
          "omega was given together with an initialisation that makes its own; use init \"given\"");
  if (choice.kind) coupling.kind = *choice.kind;
  if (choice.init) {
    coupling.init = *choice.init;
    coupling.omega.clear();
  }
  if (!choice.omega.empty()) {
    coupling.init = OmegaInit::given;
    coupling.omega = choice.omega;
  }
  coupling.stride = choice.stride.value_or(coupling.stride);
  coupling.visibility = choice.visibility.value_or(coupling.visibility);
  coupling.topology = choice.topology.value_or(coupling.topology);
  coupling.window = choice.window.value_or(coupling.window);
  coupling.sees_from = choice.sees_from.value_or(coupling.sees_from);
  coupling.prompt_lane = choice.prompt_lane.value_or(coupling.prompt_lane);
  require(coupling.stride >= 0, "the stride must be 0 (the budget) or more tokens");
  require(coupling.stride <= (1 << 20),
          "a stride of " + std::to_string(coupling.stride) + " tokens is too large");
  require(coupling.window >= 0, "the window must be 0 (everything) or more cells");
  coupling.block = choice.block.value_or(coupling.block);
  require(!choice.block || coupling.topology == Topology::blocks,
          "a block size goes with the topology blocks, not with " + std::string(name(coupling.topology)));
  return coupling;
}

// What lanes beyond the trained number get goes by omega, which lanerope alone has. `lanes` is N.
Coupling resolve_far_lanes(const CouplingChoice& choice, Coupling coupling, const LaneTraining* training,
                           int32_t lanes) {
  const bool told = training != nullptr && !training->lanes.empty();
  const int32_t most = choice.trained_lanes.value_or(told ? std::ranges::max(training->lanes) : 0);
  // More lanes than were trained read one another best from the distances that were (docs/couplings.md).
  const bool beyond = coupling.kind == CouplingKind::lanerope && most >= 2 && lanes > most;
  if (choice.far_lanes) {
    coupling.far_lanes = *choice.far_lanes;
  } else if ((beyond || choice.trained_lanes) && coupling.far_lanes == FarLanes::extrapolated) {
    coupling.far_lanes = FarLanes::clamped;
  }
  require(
      !choice.trained_lanes || coupling.far_lanes != FarLanes::extrapolated,
      "a number of trained lanes says how far lanes are kept apart; say how too: " + list_names<FarLanes>());
  if (coupling.far_lanes != FarLanes::extrapolated && most > 0) coupling.trained_lanes = most;
  return coupling;
}

}  // namespace

void engine::check_training(const Request& request, const Coupling& coupling, const LaneTraining* training) {
  if (training == nullptr || request.coupling.force || coupling.kind == CouplingKind::independent) return;
  if (coupling.visibility == training->coupling.visibility) return;
  throw InvalidRequest(training->file + " was trained with " +
                       std::string(name(training->coupling.visibility)) +
                       " visibility, and the request asks for " + std::string(name(coupling.visibility)) +
                       "; ask for the former, or force it");
}

void engine::check_bridge(const Model& model, const Coupling& coupling) {
  if (coupling.kind != CouplingKind::bridge) return;
  require(model.info().n_bridges > 0,
          model.info().file +
              " has no bridges, the blocks through which lanes of the coupling bridge exchange what they "
              "compute; couple them otherwise, or train such blocks (docs/training.md)");
}

void engine::check_hand_over(const Coupling& coupling, const SleepTokens& sleep) {
  if (coupling.sees_from == SeesFrom::start || !sees_other_lanes(coupling.kind)) return;
  require(
      sleep.on(),
      "lanes that see one another from their hand-over on need a wait token, and there is none; name one, "
      "or let lanes see from the start");
}

core::CouplingFacts engine::coupling_facts(const Model& model, const StrideFacts& facts) {
  const arch::ModelConfig& config = model::loaded(model).config;
  core::CouplingFacts all{
      .n_layer = config.n_layer(), .lanes = facts.lanes, .default_stride = facts.default_stride};
  for (const arch::AttentionClass& of : config.attention_classes) {
    // A layer with a window was trained on distances within it.
    all.classes.push_back({.theta = core::effective_theta(config.ropes[of.rope]).theta,
                           .longest_distance = of.window > 0 ? std::min(of.window, config.trained_context)
                                                             : config.trained_context,
                           .rotates = config.ropes[of.rope].rotates});
  }
  return all;
}

Coupling resolve_coupling(const Model& model, const CouplingChoice& choice, const CouplingScope& scope) {
  const LaneTraining* training = model.lane_training(scope.adapter_scales);
  // Whoever says how lanes see one another means that they do.
  const CouplingKind kind = choice.kind.value_or(says_how(choice) ? CouplingKind::lanerope : scope.untrained);
  const OmegaInit init = kind == CouplingKind::lanerope ? scope.untrained_init : OmegaInit::rope;
  const Coupling start = training != nullptr ? training->coupling : Coupling{.kind = kind, .init = init};
  const Coupling applied = apply(choice, start);
  check_read(choice, applied.kind, applied.init);
  Coupling coupling = resolve_far_lanes(choice, applied, training, scope.lanes);
  // Lanes that cannot sleep have no hand-over, whatever the adapter was trained with.
  const bool sleeps = coupling.kind != CouplingKind::hogwild && coupling.kind != CouplingKind::bridge;
  if (!sleeps && !choice.sees_from) coupling.sees_from = SeesFrom::start;
  engine::check_bridge(model, coupling);
  return coupling;
}

}  // namespace lanerope
