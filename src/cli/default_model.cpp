// SPDX-License-Identifier: Apache-2.0
#include "cli/default_model.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "lanerope/errors.h"

namespace lanerope::cli {

std::string default_model_file() {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  std::vector<fs::path> candidates = {fs::path(LANEROPE_DATA_DIR) / "model.gguf"};
  if (!error) {
    // PREFIX/bin/lanerope, or CHECKOUT/build/PRESET/bin/lanerope.
    const fs::path directory = program.parent_path();
    candidates.push_back(directory / "model.gguf");
    candidates.push_back(directory / "../share/lanerope/model.gguf");
    candidates.push_back(directory / "../../../models/model.gguf");
  }
  for (const fs::path& candidate : candidates) {
    if (fs::is_regular_file(candidate, error)) return candidate.lexically_normal().string();
  }
  throw InvalidRequest("no model is bundled with this installation; name a GGUF file with -m");
}

}  // namespace lanerope::cli
