// SPDX-License-Identifier: Apache-2.0
#include "core/resolve_coupling.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string>

#include "core/lane_distance.h"
#include "lanerope/errors.h"

namespace lanerope::core {

namespace {

std::vector<double> given_omega(const std::vector<float>& omega, size_t pairs, int32_t n_layer) {
  const size_t per_layer = pairs * static_cast<size_t>(n_layer);
  if (omega.size() != pairs && omega.size() != per_layer) {
    throw InvalidRequest("omega has " + std::to_string(omega.size()) + " values, and the model needs " +
                         std::to_string(pairs) + ", or " + std::to_string(per_layer) +
                         " for a vector per layer");
  }
  if (!std::ranges::all_of(omega, [](float value) { return std::isfinite(value); }))
    throw InvalidRequest("omega holds a value that is not a number");
  return {omega.begin(), omega.end()};
}

void check_lanes(const Coupling& coupling) {
  if (coupling.topology == Topology::blocks && coupling.block < 1)
    throw InvalidRequest("a block must have at least one lane");
  if (coupling.far_lanes == FarLanes::extrapolated) return;
  if (coupling.kind != CouplingKind::lanerope)
    throw InvalidRequest("far lanes are " + std::string(name(coupling.far_lanes)) +
                         " in the coupling lanerope only, which has an omega, not in " +
                         std::string(name(coupling.kind)));
  if (coupling.trained_lanes < 2)
    throw InvalidRequest("far lanes are " + std::string(name(coupling.far_lanes)) +
                         " to the distances of at least two trained lanes, and there are " +
                         std::to_string(coupling.trained_lanes) + "; give the number of trained lanes");
}

// Those that are in use, each once.
class Shared {
 public:
  std::shared_ptr<const LaneFrequencies> share(LaneFrequencies made) {
    const std::lock_guard lock(mutex_);
    std::erase_if(known_, [](const auto& known) { return known.expired(); });
    for (const auto& known : known_) {
      if (auto held = known.lock(); held != nullptr && held->classes == made.classes) return held;
    }
    auto fresh = std::make_shared<const LaneFrequencies>(std::move(made));
    known_.push_back(fresh);
    return fresh;
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<const LaneFrequencies>> known_;
};

}  // namespace

ResolvedCoupling resolve_coupling(const Coupling& coupling, const CouplingFacts& facts) {
  check_lanes(coupling);
  ResolvedCoupling resolved{.stride = coupling.stride > 0 ? coupling.stride : facts.default_stride};
  LaneFrequencies made;
  for (const CouplingClass& of : facts.classes) {
    ClassFrequencies frequencies{.theta = of.theta};
    if (!of.rotates) {
      frequencies.omega.assign(of.theta.size(), 0.0);
      made.classes.push_back(std::move(frequencies));
      continue;
    }
    frequencies.omega = coupling.init == OmegaInit::given
                            ? given_omega(coupling.omega, of.theta.size(), facts.n_layer)
                            : initial_omega(of.theta, {.init = coupling.init,
                                                       .stride = static_cast<double>(resolved.stride),
                                                       .lanes = facts.lanes,
                                                       .trained_context = of.longest_distance});
    for (double& angle : frequencies.omega) angle *= lane_share(coupling, facts.lanes);
    made.classes.push_back(std::move(frequencies));
  }
  static Shared shared;
  resolved.frequencies = shared.share(std::move(made));
  return resolved;
}

}  // namespace lanerope::core
