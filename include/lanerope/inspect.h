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

// What one device would hold of a model, and whether there is room.
struct PlaceInfo {
  std::string device = {};           // "cpu", or one of ModelOptions::device
  std::vector<int32_t> layers = {};  // whose cells it holds, and weights but for what override_tensor says
  bool output = false;               // it has the output too
  size_t weight_bytes = 0;           // as the file holds them
  size_t kv_bytes = 0;
  size_t memory_free = 0;  // now, with nothing of this on it; 0: its driver does not say
  size_t memory_total = 0;
};
struct PlacementInfo {
  std::vector<PlaceInfo> places = {};  // the CPU first, then the devices in their order
  // Every device but the CPU has room, as far as it is known: weights and cells, without what a step needs.
  bool fits = true;
  // Where it does not: the most ModelOptions::gpu_layers that would; unset where no number would.
  std::optional<int32_t> fitting_gpu_layers = {};
};

// Where Model::load would put the model, and an engine `n_cells` cells. Reads the header alone. Throws as
// Model::load does for options that make no sense.
PlacementInfo describe_placement(const ModelOptions& options, int64_t n_cells, KvType kv_type);

// Bytes of one cell, that is of one token's keys and values over all layers, for a model that need not be
// loaded.
size_t bytes_per_cell(const ModelInfo& model, KvType kv_type);

}  // namespace lanerope
