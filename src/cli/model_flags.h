// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/model_source.h"
#include "cli/placement_flags.h"
#include "lanerope/engine.h"
#include "lanerope/model.h"

namespace lanerope::cli {

// The options that name a model and say how it runs: -m, -hf, --lora, -t, --device, --rpc, --kv-type, ...
struct ModelFlags {
  ModelSource source = {};
  std::vector<std::string> adapters = {};  // paths, "hf:user/repo[:file]" or "lanes:NAME"
  std::vector<std::pair<std::string, float>> scaled_adapters = {};
  std::string chat_template = {};
  std::string template_arguments = {};
  PlacementFlags placement = {};
  BackEnd back_end = BackEnd::automatic;
  int32_t threads = 0;
};

void add_model_flags(CLI::App& app, ModelFlags& flags);
// The same without those of the chat template, for commands that take texts and tokens as they are.
void add_plain_model_flags(CLI::App& app, ModelFlags& flags);

// The same with paths in place of all that is on the hub, which is fetched; once, however often a model is
// loaded.
ModelFlags with_local_files(ModelFlags flags);

// Loads the model, or the bundled one if none is named. A terminal sees how far it is.
std::shared_ptr<const Model> load_model(const ModelFlags& flags);

// -c and --kv-type.
struct CellFlags {
  int32_t cells = 0;  // 0: what the request needs
  KvType kv_type = KvType::f16;
};

void add_cell_flags(CLI::App& app, CellFlags& flags);

}  // namespace lanerope::cli
