// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "gguf/file.h"
#include "lanerope/engine.h"  // KvType
#include "lanerope/model.h"
#include "model/device.h"
#include "model/operations.h"
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
  Device device;
  BackEnd back_end = BackEnd::ggml;  // never automatic
  Weights weights;
  std::shared_ptr<const text::Vocabulary> vocabulary;
  text::Tokenizer tokenizer;
  std::optional<text::ChatFormat> chat;  // none where the file's template is not one of ours

  std::unique_ptr<Operations> make_operations(KvType kv_type) const;
  text::PromptFormat prompt_format(NoTemplate no_template) const {
    return {.tokenizer = tokenizer,
            .chat = chat,
            .template_source = vocabulary->chat_template(),
            .no_template = no_template};
  }
};

// What the metadata and the tensors of a model file say, before anything is loaded.
ModelInfo describe_model(const gguf::File& file, const arch::ModelConfig& config);

}  // namespace lanerope::model
