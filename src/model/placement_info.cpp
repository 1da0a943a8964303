// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <vector>

#include "arch/config_keys.h"
#include "gguf/file.h"
#include "lanerope/inspect.h"
#include "model/placement.h"

namespace lanerope {

PlacementInfo describe_placement(const ModelOptions& options, int64_t n_cells, KvType kv_type) {
  const gguf::File file(options.file);
  const arch::ModelConfig config = arch::read_config(file);
  const arch::TensorSource tensors(file, config);
  const model::PlacedModel placed{.config = config, .tensors = tensors};
  const model::Devices devices(model::wanted_devices(options), options.threads);
  const std::vector<DeviceInfo> facts = devices.facts();
  const model::Placement placement = model::place_model(options, facts, placed);
  const model::CellNeed cells{.n_cells = n_cells, .type = kv_type};
  const std::vector<model::DeviceNeed> needs = model::needs(placement, facts.size(), placed, cells);

  PlacementInfo info{.fits = model::fits(needs, facts)};
  if (!info.fits) info.fitting_gpu_layers = model::fitting_gpu_layers(options, facts, placed, cells);
  for (int32_t device = model::cpu_device; device < devices.size(); ++device) {
    const DeviceInfo of = device == model::cpu_device ? devices.facts(device) : facts[device];
    PlaceInfo place{.device = of.name,
                    .output = placement.layers.back() == device,
                    .weight_bytes = needs[device + 1].weight_bytes,
                    .kv_bytes = needs[device + 1].kv_bytes,
                    .memory_free = of.memory_free,
                    .memory_total = of.memory_total};
    for (int32_t layer = 0; layer < config.n_layer(); ++layer) {
      if (placement.layers[layer] == device) place.layers.push_back(layer);
    }
    info.places.push_back(std::move(place));
  }
  return info;
}

}  // namespace lanerope
