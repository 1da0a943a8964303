// SPDX-License-Identifier: Apache-2.0
#include "train/check_config.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "lanerope/errors.h"
#include "train/setting_changes.h"

namespace lanerope::train {

namespace {

// A key, or the first part of several, that nothing would come of.
struct IdleSetting {
  std::string key = {};
  std::string why = {};

  bool is(const std::string& other) const { return other == key || other.starts_with(key + "."); }
};

// omega.learning_rate is not among them, since configurations say it that are run with omega frozen as well;
// nor are dev_groups and dev_every, which short trials set for runs with dev and without.
std::vector<IdleSetting> idle_settings(const TrainConfig& c) {
  std::vector<IdleSetting> idle;
  const auto add = [&](std::initializer_list<std::string_view> keys, const std::string& why) {
    for (const std::string_view key : keys) idle.push_back({.key = std::string(key), .why = why});
  };
  const bool pretrains = c.stage == Stage::pretrain;
  const std::string of_other_stages =
      "has no meaning in " + (pretrains ? "pretraining" : std::string(name(c.stage))) + "; leave it out";
  if (pretrains) {
    add({"base", "adapter", "lora", "bridge", "omega"}, of_other_stages);
  } else {
    add({"model", "vocabulary"}, of_other_stages);
  }
  if (c.stage != Stage::kto) add({"kto"}, of_other_stages);
  const auto without = [](const std::string& needed) {
    return "does nothing without " + needed + "; leave it out, or set that";
  };
  if (c.lora.rank == 0 && c.adapter.empty()) add({"lora"}, without("lora.rank or adapter"));
  if (c.bridge.heads == 0) add({"bridge.head_dim", "bridge.every"}, without("bridge.heads"));
  if (!c.omega.learn) add({"omega.per_layer"}, without("omega.learn"));
  if (c.omega.init != OmegaInit::ntk) add({"omega.lanes"}, without("omega.init=ntk"));
  return idle;
}

}  // namespace

void refuse_setting(const std::string& key, const std::string& what) {
  throw InvalidRequest("the configuration's " + key + " " + what);
}

void check_values(const TrainConfig& c) {
  const auto positive = [](const char* key, double value) {
    if (!(value > 0) || !std::isfinite(value)) refuse_setting(key, "must be positive");
  };
  const auto not_negative = [](const char* key, double value) {
    if (!(value >= 0) || !std::isfinite(value)) refuse_setting(key, "must not be negative");
  };
  positive("steps", static_cast<double>(c.steps));
  positive("batch_tokens", static_cast<double>(c.batch_tokens));
  positive("accumulate", c.accumulate);
  positive("dev_every", static_cast<double>(c.dev_every));
  positive("checkpoint_every", static_cast<double>(c.checkpoint_every));
  positive("learning_rate", c.learning_rate);
  positive("clip", c.clip);
  positive("kto.beta", c.kto.beta);
  not_negative("recompute_above", static_cast<double>(c.recompute_above));
  not_negative("warmup", static_cast<double>(c.warmup));
  not_negative("weight_decay", c.weight_decay);
  not_negative("dev_groups", c.dev_groups);
  not_negative("threads", c.threads);
  not_negative("lora.rank", c.lora.rank);
  not_negative("lora.alpha", c.lora.alpha);
  not_negative("bridge.heads", c.bridge.heads);
  positive("bridge.head_dim", c.bridge.head_dim);
  positive("bridge.every", c.bridge.every);
  if (std::max(c.bridge.heads, c.bridge.head_dim) > 1024)
    refuse_setting("bridge", "has more than 1024 heads, or wider ones");
  not_negative("omega.stride", c.omega.stride);
  not_negative("omega.lanes", c.omega.lanes);
  not_negative("omega.learning_rate", c.omega.learning_rate);
  not_negative("kto.weight_right", c.kto.weight_right);
  not_negative("kto.weight_wrong", c.kto.weight_wrong);
  if (!(c.final_share >= 0 && c.final_share <= 1)) refuse_setting("final_share", "must lie between 0 and 1");
  if (!(c.single_tag_share >= 0 && c.single_tag_share <= 1))
    refuse_setting("single_tag_share", "must lie between 0 and 1");
  const ModelShape& m = c.model;
  for (const auto& [key, value] : {std::pair{"model.layers", m.layers},
                                   {"model.width", m.width},
                                   {"model.heads", m.heads},
                                   {"model.kv_heads", m.kv_heads},
                                   {"model.head_dim", m.head_dim},
                                   {"model.ffn", m.ffn},
                                   {"model.context", m.context}}) {
    positive(key, value);
  }
  if (m.heads % m.kv_heads != 0) refuse_setting("model.kv_heads", "must divide model.heads");
  if (m.head_dim % 2 != 0) refuse_setting("model.head_dim", "must be even");
  if (c.omega.init == OmegaInit::given) refuse_setting("omega.init", "must be rope, gt, ntk or ntk-by-parts");
  if (!c.ready.empty() && c.wait.empty()) refuse_setting("ready", "does nothing without \"wait\"");
  if (c.sees_from == SeesFrom::hand_over && c.wait.empty())
    refuse_setting("sees_from", "is hand-over, which the first wait token is; set \"wait\"");
}

void check_used(const TrainConfig& c) {
  const std::vector<IdleSetting> idle = idle_settings(c);
  for (const SettingChange& change : setting_changes(to_json(TrainConfig()), to_json(c))) {
    const auto found =
        std::ranges::find_if(idle, [&](const IdleSetting& setting) { return setting.is(change.key); });
    if (found != idle.end()) refuse_setting(change.key, found->why);
  }
}

}  // namespace lanerope::train
