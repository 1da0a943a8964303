// SPDX-License-Identifier: Apache-2.0
#include "arch/lane_keys.h"

#include <string>
#include <string_view>

#include "lanerope/errors.h"

namespace lanerope::arch {

namespace {

template <typename Enum, typename Parse>
void read_enum(const gguf::File& file, std::string_view key, Parse parse, Enum& value) {
  const auto text = file.find<std::string>(key);
  if (!text) return;
  const auto parsed = parse(*text);
  if (!parsed) {
    throw BadFile(file.path() + ": " + std::string(key) + " is \"" + *text +
                  "\", which this version does not know");
  }
  value = *parsed;
}

}  // namespace

std::optional<LaneTraining> read_lane_training(const gguf::File& file) {
  if (!file.has("lanerope.version")) return std::nullopt;
  LaneTraining training{.file = file.path()};
  Coupling& coupling = training.coupling;
  read_enum(file, "lanerope.coupling", parse<CouplingKind>, coupling.kind);
  read_enum(file, "lanerope.init", parse<OmegaInit>, coupling.init);
  read_enum(file, "lanerope.visibility", parse<Visibility>, coupling.visibility);
  read_enum(file, "lanerope.prompt_lane", parse<PromptLane>, coupling.prompt_lane);
  read_enum(file, "lanerope.sees_from", parse<SeesFrom>, coupling.sees_from);
  coupling.stride = file.find<int32_t>("lanerope.stride").value_or(0);
  if (coupling.stride < 0) throw BadFile(file.path() + ": lanerope.stride is negative");
  if (file.has("lanerope.omega")) {
    coupling.omega = file.get<std::vector<float>>("lanerope.omega");
    coupling.init = OmegaInit::given;
  }
  training.tag = file.find<std::string>("lanerope.tag");
  training.wait = file.find<std::string>("lanerope.wait");
  training.ready = file.find<std::string>("lanerope.ready");
  if (file.has("lanerope.lanes")) training.lanes = file.get<std::vector<int32_t>>("lanerope.lanes");
  return training;
}

void write_lane_training(gguf::Writer& writer, const LaneTraining& training, bool on_prompt) {
  const Coupling& coupling = training.coupling;
  writer.set("lanerope.version", uint32_t{1});
  writer.set("lanerope.coupling", name(coupling.kind));
  writer.set("lanerope.init", name(coupling.init));
  writer.set("lanerope.stride", coupling.stride);
  writer.set("lanerope.visibility", name(coupling.visibility));
  if (coupling.prompt_lane != PromptLane::own) writer.set("lanerope.prompt_lane", name(coupling.prompt_lane));
  if (coupling.sees_from != SeesFrom::start) writer.set("lanerope.sees_from", name(coupling.sees_from));
  if (training.tag) writer.set("lanerope.tag", *training.tag);
  if (training.wait) writer.set("lanerope.wait", *training.wait);
  if (training.ready) writer.set("lanerope.ready", *training.ready);
  writer.set("lanerope.lanes", std::span<const int32_t>(training.lanes));
  writer.set("lanerope.prompt", on_prompt);
  if (!coupling.omega.empty()) writer.set("lanerope.omega", std::span<const float>(coupling.omega));
}

void check_omega(const LaneTraining& training, const ModelConfig& config) {
  const size_t found = training.coupling.omega.size();
  const auto pairs = static_cast<size_t>(config.rope().dimensions / 2);
  if (found == 0 || found == pairs || found == pairs * static_cast<size_t>(config.n_layer())) return;
  throw InvalidRequest(training.file + ": lanerope.omega holds " + std::to_string(found) +
                       " values where the model needs " + std::to_string(pairs) + " or " +
                       std::to_string(pairs * static_cast<size_t>(config.n_layer())) +
                       "; the adapter belongs to another model");
}

}  // namespace lanerope::arch
