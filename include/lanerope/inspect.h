// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/engine.h"
#include "lanerope/model.h"

namespace lanerope {

// One entry of a GGUF file's metadata.
struct FileKey {
  std::string key = {};
  std::string type = {};   // "u32", "string", "array of f32", ...
  std::string value = {};  // as text; a long string or array is cut and ends in "..."
  uint64_t count = 1;      // elements of an array
};

// One tensor of a GGUF file.
struct FileTensor {
  std::string name = {};
  std::string type = {};            // as ggml names it: "q4_K"
  std::vector<int64_t> shape = {};  // ggml order, without trailing ones
  size_t bytes = 0;
};

// What a GGUF file holds, read from its header alone: no weights are touched.
struct FileDescription {
  std::string file = {};
  int32_t shards = 1;                    // files of a split set
  size_t bytes = 0;                      // of all shards
  std::vector<FileKey> keys = {};        // sorted
  std::vector<FileTensor> tensors = {};  // in the order of the file
  // Exactly one of the two is set. ModelInfo without what only a loaded model has: resident_bytes, device,
  // back_end, threads and adapters.
  std::optional<ModelInfo> model = {};
  std::optional<AdapterInfo> adapter = {};
};

// Throws SystemError if the file cannot be opened, BadFile if it is damaged or neither a model nor an adapter
// that lanerope reads.
FileDescription describe_file(const std::string& file);

// Bytes of one cell, that is of one token's keys and values over all layers, for a model that need not be
// loaded.
size_t bytes_per_cell(const ModelInfo& model, KvType kv_type);

}  // namespace lanerope
