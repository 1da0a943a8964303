// SPDX-License-Identifier: Apache-2.0
#include "cli/bundled_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <vector>

#include "hub/known_digest.h"
#include "hub/settings.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

namespace fs = std::filesystem;

struct BundledAdapter {
  std::string_view name;
  std::string_view file;
  // Of the model that it was trained for. It fits other quantisations of the same weights too.
  uintmax_t base_bytes;
  std::string_view base_sha256;
};

constexpr auto adapters = std::to_array<BundledAdapter>({
    {"qwen2.5-coder-0.5b", "qwen2.5-coder-0.5b-instruct/lanes.gguf", 491400064,
     "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"},
});

// Where a bundled file of that name is; nothing where it is not.
std::string found(std::string_view name) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  std::vector<fs::path> candidates = {fs::path(LANEROPE_DATA_DIR) / name};
  if (!error) {
    // PREFIX/bin/lanerope, or CHECKOUT/build/PRESET/bin/lanerope.
    const fs::path directory = program.parent_path();
    candidates.push_back(directory / name);
    candidates.push_back(directory / "../share/lanerope" / name);
    candidates.push_back(directory / "../../../models" / name);
  }
  for (const fs::path& candidate : candidates) {
    if (fs::is_regular_file(candidate, error)) return candidate.lexically_normal().string();
  }
  return {};
}

}  // namespace

std::string default_model_file() {
  std::string file = found("model.gguf");
  if (file.empty())
    throw InvalidRequest("no model is bundled with this installation; name a GGUF file with -m");
  return file;
}

std::string bundled_adapter_file(std::string_view name) {
  const auto adapter = std::ranges::find(adapters, name, &BundledAdapter::name);
  if (adapter == adapters.end()) {
    std::string names;
    for (const BundledAdapter& one : adapters) names += (names.empty() ? "" : ", ") + std::string(one.name);
    throw InvalidRequest("there is no bundled adapter \"" + std::string(name) + "\"; there is " + names);
  }
  std::string file = found(adapter->file);
  if (file.empty())
    throw InvalidRequest("the adapter " + std::string(adapter->file) +
                         " is not beside this installation; name its file with --lora");
  return file;
}

std::string bundled_adapter_for(const std::string& model_file) {
  std::error_code error;
  const uintmax_t bytes = fs::file_size(model_file, error);
  if (error) return {};
  for (const BundledAdapter& adapter : adapters) {
    if (adapter.base_bytes != bytes || found(adapter.file).empty()) continue;
    if (hub::sha256_of(model_file, hub::settings_from_environment()) == adapter.base_sha256)
      return std::string(adapter.name);
  }
  return {};
}

}  // namespace lanerope::cli
