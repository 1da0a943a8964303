// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/model_config.h"
#include "gguf/file.h"
#include "gguf/writer.h"

namespace lanerope::arch {

// The `lanerope.bridge.*` keys of a model of `n_layer` layers; a bridge without heads where it has none.
// Throws BadFile, naming the key, for what cannot be.
BridgeConfig read_bridge(const gguf::File& file, int32_t n_layer);

// Sets the keys from which read_bridge makes `bridge` again.
void write_bridge(gguf::Writer& writer, const BridgeConfig& bridge);

}  // namespace lanerope::arch
