// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arch/model_config.h"
#include "lanerope/model.h"
#include "model/device.h"
#include "model/weights.h"

namespace lanerope::model {

// What a LoRA GGUF says of itself, design section 5. Throws BadFile.
AdapterInfo read_adapter_info(const gguf::File& file);

struct AdapterFile {
  std::string path = {};
  int32_t index = 0;  // in ModelInfo::adapters
};

// Loads a LoRA GGUF and hangs its pairs onto the linears of `weights`; the tensors live in `weights`, each
// where its linear does. y += scale * alpha / rank * B (A x). Throws BadFile where the file is damaged, and
// InvalidRequest, naming the tensor, where it does not belong to this model.
AdapterInfo load_adapter(const AdapterFile& adapter, const arch::ModelConfig& config, const Devices& devices,
                         Weights& weights);

// Holds the LoRA pairs of all adapters for lanerope's kernels, after the last one is loaded. Nothing where
// the weights are not packed.
void pack_adapters(Weights& weights);

}  // namespace lanerope::model
