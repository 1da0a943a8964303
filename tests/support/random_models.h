// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gguf/file.h"
#include "lanerope/model.h"
#include "tests/support/temporary_directory.h"
#include "tools/random_adapter.h"
#include "tools/random_model.h"

namespace lanerope::support {

// A path for a new file, in a directory that goes away with the process.
inline std::string new_file(const std::string& ending) {
  static const TemporaryDirectory directory;
  static int count = 0;
  return directory.file(std::to_string(count++) + ending);
}

// A name as GoogleTest takes it.
inline std::string test_name(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

inline std::string write_model(const tools::RandomModel& model) {
  return tools::write_random_model(model, new_file(".gguf"));
}

inline std::string write_adapter(const tools::RandomAdapter& adapter, const std::string& base) {
  const std::string path = new_file(".lora.gguf");
  tools::write_random_adapter(adapter, gguf::File(base), path);
  return path;
}

inline std::shared_ptr<const Model> load_model(const std::string& file, BackEnd back_end,
                                               std::vector<AdapterOptions> adapters = {}) {
  return Model::load({.file = file, .adapters = std::move(adapters), .threads = 1, .back_end = back_end});
}

inline std::shared_ptr<const Model> load_model(const tools::RandomModel& model, BackEnd back_end) {
  return load_model(write_model(model), back_end);
}

}  // namespace lanerope::support
