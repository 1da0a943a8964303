// SPDX-License-Identifier: Apache-2.0
#include "train/train_config.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "core/enum_table.h"
#include "lanerope/errors.h"
#include "train/check_config.h"

namespace lanerope::train {

namespace {

using Json = nlohmann::json;

constexpr auto stages = core::enum_table<Stage, 3>({
    {Stage::pretrain, "pretrain"},
    {Stage::sft, "sft"},
    {Stage::kto, "kto"},
});

constexpr auto compute_types = core::enum_table<ComputeType, 2>({
    {ComputeType::f32, "f32"},
    {ComputeType::bf16, "bf16"},
});

template <typename Enum>
std::optional<Enum> parse_value(std::string_view text, Enum) {
  return parse<Enum>(text);
}
std::optional<ComputeType> parse_value(std::string_view text, ComputeType) {
  return parse_compute_type(text);
}
std::optional<Stage> parse_value(std::string_view text, Stage) {
  return parse_stage(text);
}

// JSON's own conversion would cut off fractions, and wrap what is too large around.
template <typename T>
T whole_number(const Json& json, const std::string& key) {
  if (!json.is_number()) refuse_setting(key, "is not a number");
  constexpr double exact = 9007199254740992;  // doubles up to here are whole numbers to the last digit
  if (json.is_number_unsigned()) {
    if (std::in_range<T>(json.get<uint64_t>())) return json.get<T>();
  } else if (json.is_number_integer()) {
    if (std::in_range<T>(json.get<int64_t>())) return json.get<T>();
  } else if (const auto value = json.get<double>(); std::trunc(value) == value && std::abs(value) <= exact) {
    if (std::in_range<T>(static_cast<int64_t>(value))) return static_cast<T>(value);
  }
  refuse_setting(key, "is " + json.dump() + ", and must be a whole number from " +
                          std::to_string(std::numeric_limits<T>::min()) + " to " +
                          std::to_string(std::numeric_limits<T>::max()));
}

// One list of the fields serves reading and writing.
class Reader {
 public:
  Reader(const Json& json, std::string prefix) : json_(json), prefix_(std::move(prefix)) {
    if (!json.is_object()) refuse_setting(prefix_.empty() ? "text" : prefix_, "is not a JSON object");
    for (const auto& item : json.items()) unread_[item.key()] = true;
  }

  template <typename T>
  void field(const char* key, T& value) {
    const auto found = json_.find(key);
    if (found == json_.end()) return;
    unread_.erase(key);
    try {
      if constexpr (std::is_enum_v<T>) {
        const auto parsed = parse_value(found->get<std::string>(), value);
        if (!parsed)
          refuse_setting(prefix_ + key, "is \"" + found->get<std::string>() + "\", which is no choice there");
        value = *parsed;
      } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
        value = whole_number<T>(*found, prefix_ + key);
      } else {
        if (std::is_floating_point_v<T> && !found->is_number())
          refuse_setting(prefix_ + key, "is not a number");
        value = found->template get<T>();
      }
    } catch (const Json::exception&) {
      refuse_setting(prefix_ + key, "has a value of the wrong type");
    }
  }

  template <typename Function>
  void object(const char* key, Function fields) {
    const auto found = json_.find(key);
    if (found == json_.end()) return;
    unread_.erase(key);
    Reader inner(*found, prefix_ + key + ".");
    fields(inner);
    inner.finish();
  }

  const Json* raw(const char* key) {
    const auto found = json_.find(key);
    if (found == json_.end()) return nullptr;
    unread_.erase(key);
    return &*found;
  }

  void finish() const {
    if (!unread_.empty())
      refuse_setting(prefix_ + unread_.begin()->first, "is not a key that lanerope-train knows");
  }

 private:
  const Json& json_;
  std::string prefix_;
  std::map<std::string, bool> unread_;
};

class Writer {
 public:
  explicit Writer(Json& json) : json_(json) {}

  template <typename T>
  void field(const char* key, T& value) {
    if constexpr (std::is_enum_v<T>) {
      json_[key] = std::string(name(value));
    } else {
      json_[key] = value;
    }
  }

  template <typename Function>
  void object(const char* key, Function fields) {
    Writer inner(json_[key]);
    fields(inner);
  }

 private:
  Json& json_;
};

template <typename Visitor>
void visit(Visitor& v, TrainConfig& c) {
  v.field("stage", c.stage);
  v.field("name", c.name);
  v.object("model", [&](auto& o) {
    o.field("layers", c.model.layers);
    o.field("width", c.model.width);
    o.field("heads", c.model.heads);
    o.field("kv_heads", c.model.kv_heads);
    o.field("head_dim", c.model.head_dim);
    o.field("ffn", c.model.ffn);
    o.field("context", c.model.context);
    o.field("rope_base", c.model.rope_base);
    o.field("tied", c.model.tied);
  });
  v.field("vocabulary", c.vocabulary);
  v.field("base", c.base);
  v.field("adapter", c.adapter);
  v.field("dev", c.dev);
  v.field("dev_groups", c.dev_groups);
  v.field("out", c.out);
  v.field("run", c.run);
  v.field("steps", c.steps);
  v.field("batch_tokens", c.batch_tokens);
  v.field("accumulate", c.accumulate);
  v.field("recompute_above", c.recompute_above);
  v.field("learning_rate", c.learning_rate);
  v.field("warmup", c.warmup);
  v.field("final_share", c.final_share);
  v.field("weight_decay", c.weight_decay);
  v.field("clip", c.clip);
  v.field("seed", c.seed);
  v.field("threads", c.threads);
  v.field("type", c.type);
  v.field("device", c.device);
  v.field("dev_every", c.dev_every);
  v.field("checkpoint_every", c.checkpoint_every);
  v.object("lora", [&](auto& o) {
    o.field("rank", c.lora.rank);
    o.field("alpha", c.lora.alpha);
    o.field("targets", c.lora.targets);
    o.field("on_prompt", c.lora.on_prompt);
  });
  v.object("bridge", [&](auto& o) {
    o.field("heads", c.bridge.heads);
    o.field("head_dim", c.bridge.head_dim);
    o.field("every", c.bridge.every);
    o.field("alone", c.bridge.alone);
  });
  v.object("omega", [&](auto& o) {
    o.field("init", c.omega.init);
    o.field("stride", c.omega.stride);
    o.field("lanes", c.omega.lanes);
    o.field("learn", c.omega.learn);
    o.field("per_layer", c.omega.per_layer);
    o.field("reset", c.omega.reset);
    o.field("learning_rate", c.omega.learning_rate);
  });
  v.field("visibility", c.visibility);
  v.field("prompt_lane", c.prompt_lane);
  v.field("sees_from", c.sees_from);
  v.field("open", c.joint);
  v.field("tag", c.tag);
  v.field("wait", c.wait);
  v.field("ready", c.ready);
  v.field("single_tag_share", c.single_tag_share);
  v.field("shuffle_lanes", c.shuffle_lanes);
  v.object("kto", [&](auto& o) {
    o.field("beta", c.kto.beta);
    o.field("weight_right", c.kto.weight_right);
    o.field("weight_wrong", c.kto.weight_wrong);
  });
}

std::vector<DataSource> read_sources(const Json& json) {
  std::vector<DataSource> sources;
  const Json list = json.is_array() ? json : Json::array({json});
  for (const Json& item : list) {
    DataSource source;
    if (item.is_string()) {
      source.file = item.get<std::string>();
    } else {
      Reader reader(item, "data.");
      reader.field("file", source.file);
      reader.field("weight", source.weight);
      reader.finish();
    }
    if (source.file.empty()) refuse_setting("data", "names no file");
    if (!(source.weight > 0)) refuse_setting("data.weight", "must be positive");
    sources.push_back(source);
  }
  return sources;
}

// "a.b=value" into json["a"]["b"].
void put_setting(Json& json, const std::string& setting) {
  const size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InvalidRequest("the setting \"" + setting + "\" must have the form key=value");
  const std::string text = setting.substr(equals + 1);
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) value = text;
  Json* place = &json;
  std::string key = setting.substr(0, equals);
  for (size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.')) {
    place = &(*place)[key.substr(0, dot)];
    if (!place->is_null() && !place->is_object())
      throw InvalidRequest("the setting \"" + setting + "\" goes into a value that is not an object");
    key = key.substr(dot + 1);
  }
  (*place)[key] = value;
}

}  // namespace

std::string_view name(Stage value) {
  return stages.name(value);
}
std::optional<Stage> parse_stage(std::string_view text) {
  return stages.parse(text);
}
std::string_view name(ComputeType value) {
  return compute_types.name(value);
}
std::optional<ComputeType> parse_compute_type(std::string_view text) {
  return compute_types.parse(text);
}

TrainConfig parse_train_config(const Json& json, const TrainConfig& defaults) {
  TrainConfig config = defaults;
  Reader reader(json, "");
  visit(reader, config);
  if (const Json* data = reader.raw("data")) config.data = read_sources(*data);
  reader.finish();
  check_values(config);
  return config;
}

TrainConfig read_train_config(const std::string& file, const std::vector<std::string>& settings,
                              Stage stage) {
  Json json = Json::object();
  if (!file.empty()) {
    std::ifstream stream(file);
    if (!stream) throw SystemError("cannot open the configuration " + file + "; check the path");
    json = Json::parse(stream, nullptr, false, true);
    if (json.is_discarded()) throw InvalidRequest(file + " is not valid JSON");
    if (!json.is_object()) throw InvalidRequest(file + " must hold a JSON object");
  }
  for (const std::string& setting : settings) put_setting(json, setting);
  TrainConfig defaults{.stage = stage};
  TrainConfig config = parse_train_config(json, defaults);
  if (config.stage != stage) {
    throw InvalidRequest("the configuration is for " + std::string(name(config.stage)) + ", not for " +
                         std::string(name(stage)));
  }
  check_used(config);
  if (config.out.empty()) throw InvalidRequest("the configuration names no file to write; set out");
  if (config.data.empty()) throw InvalidRequest("the configuration names no training data; set data");
  if (stage == Stage::pretrain && config.vocabulary.empty())
    throw InvalidRequest("the configuration names no vocabulary; make one with lanerope-train vocabulary");
  if (stage != Stage::pretrain && config.base.empty())
    throw InvalidRequest("the configuration names no base model; set base");
  return config;
}

Json to_json(const TrainConfig& config) {
  Json json;
  Writer writer(json);
  TrainConfig copy = config;
  visit(writer, copy);
  json["data"] = Json::array();
  for (const DataSource& source : config.data)
    json["data"].push_back({{"file", source.file}, {"weight", source.weight}});
  return json;
}

}  // namespace lanerope::train
