// SPDX-License-Identifier: Apache-2.0
#include "train/initial_model.h"

#include <torch/torch.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "lanerope/errors.h"
#include "train/files/vocabulary_file.h"
#include "train/group_source.h"

namespace lanerope::train {

namespace {

// The most lanes that a group of the training data has, looked for at the beginning of each file.
int32_t most_lanes(const TrainConfig& config, const GroupEncoder& encoder) {
  constexpr int64_t looked_at = 256;
  size_t most = 1;
  for (const DataSource& source : config.data) {
    for (const TokenGroup& group : first_groups(source.file, looked_at, encoder))
      most = std::max(most, group.lanes.size());
  }
  return static_cast<int32_t>(most);
}

// Bridges that are added to the model, or that it has; throws InvalidRequest where the configuration asks for
// what does not go with them.
void prepare_bridges(TrainModel& model, const TrainConfig& config) {
  const auto require = [](bool good, const std::string& what) {
    if (!good) throw InvalidRequest("the configuration's " + what);
  };
  const bool there = model.config().bridge.any();
  if (config.bridge.heads > 0) {
    require(!there, "bridge.heads: the base has bridges already; leave it out to train them further");
    require(
        config.bridge.every <= model.config().n_layer(),
        "bridge.every is more than the " + std::to_string(model.config().n_layer()) + " layers of the base");
    model.add_bridge(config.bridge, config.seed);
  } else if (config.bridge.alone) {
    require(there, "bridge.alone: the base has no bridges and none are added; set bridge.heads");
    model.learn_bridge_alone();
  }
  if (!model.config().bridge.any()) return;
  require(config.joint, "open must be true where lanes exchange through bridges");
  const bool usual = config.visibility == Visibility::inclusive && config.prompt_lane == PromptLane::own;
  const OmegaConfig omega;
  const bool no_omega = config.omega.init == omega.init && config.omega.stride == omega.stride &&
                        !config.omega.learn && !config.omega.reset;
  require(usual && no_omega,
          "visibility, prompt_lane and omega mean nothing where lanes exchange through bridges; leave them "
          "out");
  require(model.lora().rank == 0 || model.lora().on_prompt,
          "lora.on_prompt must be true where lanes exchange through bridges: the adapter is worked into the "
          "model that is written");
  require(config.wait.empty(), "wait: lanes that exchange through bridges do not sleep; leave it out");
}

// An adapter that is trained further keeps its shape. What differs from the default was asked for, and must
// be what the adapter has.
void check_adapter(const LoraConfig& there, const LoraConfig& asked) {
  using Json = nlohmann::json;
  const LoraConfig usual;
  const auto names = [](const LoraConfig& lora) {
    return std::set<std::string>(lora.targets.begin(), lora.targets.end());
  };
  const auto check = [](const char* key, bool same, const std::pair<Json, Json>& values) {
    if (same) return;
    throw InvalidRequest("the configuration's lora." + std::string(key) + " is " + values.first.dump() +
                         ", and the adapter that it goes on from has " + values.second.dump() +
                         "; leave it out");
  };
  check("rank", asked.rank == usual.rank || asked.rank == there.rank, {asked.rank, there.rank});
  check("alpha", asked.alpha == usual.alpha || asked.alpha == there.alpha, {asked.alpha, there.alpha});
  check("targets", asked.targets == usual.targets || names(asked) == names(there),
        {asked.targets, there.targets});
  check("on_prompt", asked.on_prompt == usual.on_prompt || asked.on_prompt == there.on_prompt,
        {asked.on_prompt, there.on_prompt});
}

// An omega that is kept: what the configuration says of how it begins must be how this one began.
void check_kept_omega(const OmegaStart& there, const OmegaConfig& asked) {
  const OmegaConfig usual;
  const auto check = [](const std::string& setting, bool kept, const std::string& from) {
    if (kept) return;
    throw InvalidRequest("the configuration's omega." + setting +
                         ", and the omega that it goes on from began with " + from +
                         "; leave it out, or set omega.reset to begin anew");
  };
  check("init is " + std::string(name(asked.init)), asked.init == usual.init || asked.init == there.init,
        std::string(name(there.init)));
  check("stride is " + std::to_string(asked.stride),
        asked.stride == usual.stride || asked.stride == there.stride, std::to_string(there.stride));
  check("lanes is " + std::to_string(asked.lanes), asked.lanes == usual.lanes, "a number of its own");
}

}  // namespace

TrainModel initial_model(const TrainConfig& config) {
  if (config.stage == Stage::pretrain)
    return {config.model, read_vocabulary_file(config.vocabulary), config.seed};
  TrainModel model(config.base);
  if (!config.adapter.empty()) {
    model.load_adapter(config.adapter);
    check_adapter(model.lora(), config.lora);
  } else if (config.lora.rank > 0) {
    model.add_lora(config.lora, config.seed);
  }
  prepare_bridges(model, config);
  if (model.config().bridge.any()) {
    model.set_omega(torch::zeros_like(model.omega()));
    return model;
  }
  if (!model.knows_lanes() || config.omega.reset) {
    OmegaConfig omega = config.omega;
    if (omega.lanes == 0 && omega.init == OmegaInit::ntk)
      omega.lanes = most_lanes(config, GroupEncoder(model.vocabulary(), config));
    model.set_omega(omega);
    return model;
  }
  check_kept_omega(model.omega_start(), config.omega);
  if (config.omega.learn) model.learn_omega(config.omega.per_layer);
  return model;
}

}  // namespace lanerope::train
