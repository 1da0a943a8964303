// SPDX-License-Identifier: Apache-2.0
#include "cli/placement_table.h"

#include <vector>

#include "cli/format.h"

namespace lanerope::cli {

namespace {

// "0-3", "4-9, output", "none".
std::string layers_text(const PlaceInfo& place) {
  std::string text;
  if (!place.layers.empty()) {
    text = std::to_string(place.layers.front());
    if (place.layers.size() > 1) text += "-" + std::to_string(place.layers.back());
  }
  if (place.output) text += text.empty() ? "output" : ", output";
  return text.empty() ? "none" : text;
}

int64_t bytes_left(const PlaceInfo& place) {
  return static_cast<int64_t>(place.memory_free) - static_cast<int64_t>(place.weight_bytes) -
         static_cast<int64_t>(place.kv_bytes);
}

std::string left_text(const PlaceInfo& place) {
  if (place.memory_free == 0) return "unknown";
  const int64_t left = bytes_left(place);
  return left >= 0 ? bytes_text(static_cast<double>(left))
                   : bytes_text(static_cast<double>(-left)) + " too few";
}

}  // namespace

std::string placement_text(const PlacementInfo& placement) {
  std::vector<std::vector<std::string>> table = {
      {"Placement", "layers", "weights", "KV cells", "free now", "free then"}};
  for (const PlaceInfo& place : placement.places) {
    table.push_back({"  " + place.device, layers_text(place),
                     bytes_text(static_cast<double>(place.weight_bytes)),
                     bytes_text(static_cast<double>(place.kv_bytes)),
                     place.memory_free > 0 ? bytes_text(static_cast<double>(place.memory_free)) : "unknown",
                     left_text(place)});
  }
  std::string text = table_text(table);
  if (placement.fits) return text;
  return text + (placement.fitting_gpu_layers
                     ? "It does not fit; with --gpu-layers " + std::to_string(*placement.fitting_gpu_layers) +
                           " it would.\n"
                     : "It does not fit, with any number of --gpu-layers.\n");
}

nlohmann::ordered_json placement_json(const PlacementInfo& placement) {
  nlohmann::ordered_json json = {{"fits", placement.fits},
                                 {"fitting_gpu_layers", nullptr},
                                 {"devices", nlohmann::ordered_json::array()}};
  if (placement.fitting_gpu_layers) json["fitting_gpu_layers"] = *placement.fitting_gpu_layers;
  for (const PlaceInfo& place : placement.places) {
    nlohmann::ordered_json entry = {{"device", place.device},     {"layers", place.layers},
                                    {"output", place.output},     {"weight_bytes", place.weight_bytes},
                                    {"kv_bytes", place.kv_bytes}, {"memory_free", nullptr},
                                    {"memory_left", nullptr}};
    if (place.memory_free > 0) {
      entry["memory_free"] = place.memory_free;
      entry["memory_left"] = bytes_left(place);
    }
    json["devices"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace lanerope::cli
