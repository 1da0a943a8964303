// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "lanerope/engine.h"  // KvType
#include "lanerope/model.h"
#include "model/backend.h"
#include "model/gguf_file.h"
#include "model/graph_builder.h"
#include "model/hyperparameters.h"
#include "model/weights.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace lanerope {

// What a Model is made of, for the engine.
struct Model::Parts {
  explicit Parts(const ModelOptions& options);

  ModelInfo info;
  GgufFile file;
  Hyperparameters h;
  Theta theta;
  Backend backend;
  Path path = Path::ggml;  // never automatic
  Weights weights;
  std::shared_ptr<const Vocabulary> vocabulary;
  Tokenizer tokenizer;
  std::optional<ChatFormat> chat;  // none where the file's template is not one of ours

  std::unique_ptr<LaneOperations> make_operations(KvType kv_type) const;
};

// What the metadata and the tensors of a model file say, before anything is loaded.
ModelInfo describe_model(const GgufFile& file, const Hyperparameters& h);

}  // namespace lanerope
