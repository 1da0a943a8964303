// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "gguf/file.h"
#include "grammar/compiler.h"
#include "lanerope/engine.h"  // KvType
#include "lanerope/model.h"
#include "model/device.h"
#include "model/operations.h"
#include "model/placement.h"
#include "model/weights.h"
#include "text/chat_template.h"
#include "text/encode_prompt.h"
#include "text/tokenizer.h"

namespace lanerope::model {

// What a Model is made of, for the engine. Immutable once it is made.
struct LoadedModel {
  // Throws as Model::load.
  explicit LoadedModel(const ModelOptions& options);

  ModelInfo info;
  gguf::File file;
  arch::ModelConfig config;
  Devices devices;
  Placement placement;
  BackEnd wanted_back_end = BackEnd::automatic;
  BackEnd back_end = BackEnd::ggml;  // never automatic
  std::shared_ptr<const text::Vocabulary> vocabulary;
  text::Tokenizer tokenizer;
  text::ChatTemplates
      templates;  // before the weights: what is wrong with one that was chosen is said at once
  Weights weights;
  grammar::Compiler formats;

  // Throws InvalidRequest where the kernels were asked for and have no such cells.
  std::unique_ptr<Operations> make_operations(KvType kv_type) const;
  text::PromptFormat prompt_format(NoTemplate no_template) const {
    return {.tokenizer = tokenizer, .templates = templates, .no_template = no_template};
  }
};

// What the metadata and the tensors of a model file say, before anything is loaded; all but the chat
// template.
ModelInfo describe_model(const gguf::File& file, const arch::ModelConfig& config);

// ModelInfo::chat_template and what goes with it: of templates that are loaded, or of those of a file.
void describe_template(ModelInfo& info, const text::ChatTemplates& templates);
void describe_template(ModelInfo& info, const gguf::File& file);

}  // namespace lanerope::model
