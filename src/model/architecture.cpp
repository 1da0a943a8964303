// SPDX-License-Identifier: Apache-2.0
#include "model/architecture.h"

namespace lanerope::model {

namespace {

constexpr const Architecture* architectures[] = {&llama_architecture, &qwen2_architecture,
                                                 &qwen3_architecture};

}  // namespace

const Architecture* find_architecture(std::string_view name) {
  for (const Architecture* architecture : architectures) {
    if (architecture->name == name) return architecture;
  }
  return nullptr;
}

std::string architecture_names() {
  std::string names;
  for (const Architecture* architecture : architectures) {
    if (!names.empty()) names += ", ";
    names += architecture->name;
  }
  return names;
}

}  // namespace lanerope::model
