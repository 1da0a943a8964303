// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lanerope/model.h"
#include "model/gguf_file.h"
#include "tests/support/temporary_directory.h"
#include "tools/random_adapter.h"
#include "tools/random_model.h"

namespace lanerope {

// A path for a new file, in a directory that goes away with the process.
inline std::string new_file(const std::string& ending) {
  static const TemporaryDirectory directory;
  static int count = 0;
  return directory.file(std::to_string(count++) + ending);
}

inline std::string write_model(const RandomModel& model) {
  return write_random_model(model, new_file(".gguf"));
}

inline std::string write_adapter(const RandomAdapter& adapter, const std::string& base) {
  const std::string path = new_file(".lora.gguf");
  write_random_adapter(adapter, GgufFile(base), path);
  return path;
}

inline std::shared_ptr<const Model> load_model(const std::string& file, Path path,
                                               std::vector<AdapterOptions> adapters = {}) {
  return Model::load({.file = file, .adapters = std::move(adapters), .threads = 1, .path = path});
}

inline std::shared_ptr<const Model> load_model(const RandomModel& model, Path path) {
  return load_model(write_model(model), path);
}

}  // namespace lanerope
