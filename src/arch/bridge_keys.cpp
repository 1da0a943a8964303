// SPDX-License-Identifier: Apache-2.0
#include "arch/bridge_keys.h"

#include <string>

#include "lanerope/errors.h"

namespace lanerope::arch {

namespace {

constexpr auto head_count = "lanerope.bridge.head_count";
constexpr auto key_length = "lanerope.bridge.key_length";
constexpr auto every_layers = "lanerope.bridge.every";

// Heads and components of a head are at most this many, so that their product is a size.
constexpr int64_t most = 1024;

int32_t read_size(const gguf::File& file, const char* key, int64_t largest) {
  const auto value = file.get<int64_t>(key);
  if (value < 1 || value > largest) {
    throw BadFile(file.path() + ": " + key + " is " + std::to_string(value) + " and must be between 1 and " +
                  std::to_string(largest) + "; the file is damaged or of another kind");
  }
  return static_cast<int32_t>(value);
}

}  // namespace

BridgeConfig read_bridge(const gguf::File& file, int32_t n_layer) {
  if (!file.has(head_count)) return {};
  return {.n_head = read_size(file, head_count, most),
          .head_dim = read_size(file, key_length, most),
          .every = read_size(file, every_layers, n_layer)};
}

void write_bridge(gguf::Writer& writer, const BridgeConfig& bridge) {
  if (!bridge.any()) return;
  writer.set(head_count, static_cast<uint32_t>(bridge.n_head));
  writer.set(key_length, static_cast<uint32_t>(bridge.head_dim));
  writer.set(every_layers, static_cast<uint32_t>(bridge.every));
}

}  // namespace lanerope::arch
