// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/model_config.h"
#include "gguf/file.h"
#include "gguf/writer.h"

namespace lanerope::arch {

// The config of a model file. Throws BadFile, naming the key, where one is missing or makes no sense, and
// with the list of those that lanerope runs where the architecture is another.
ModelConfig read_config(const gguf::File& file);

// Sets the keys from which read_config makes `config` again, but for rope_freqs.weight, which is a tensor.
void write_config(gguf::Writer& writer, const ModelConfig& config);

}  // namespace lanerope::arch
