// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ggml.h>
#include <gguf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::gguf {

// GGUF bytes put together by hand, so that tests can write what no library would.
class GgufBytes {
 public:
  GgufBytes& header(uint64_t n_tensors, uint64_t n_keys, uint32_t version = 3) {
    return raw("GGUF").number<uint32_t>(version).number(n_tensors).number(n_keys);
  }

  template <typename T>
  GgufBytes& number(T value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof(T));
    return *this;
  }

  GgufBytes& raw(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }

  GgufBytes& string(std::string_view text) { return number<uint64_t>(text.size()).raw(text); }

  template <typename T>
  GgufBytes& entry(std::string_view key, gguf_type type, T value) {
    return string(key).number<uint32_t>(type).number(value);
  }

  GgufBytes& tensor(std::string_view name, std::vector<int64_t> ne, uint32_t type, uint64_t offset) {
    string(name).number<uint32_t>(static_cast<uint32_t>(ne.size()));
    for (const int64_t extent : ne) number(extent);
    return number(type).number(offset);
  }

  // Fills up to the alignment, then adds `size` bytes of 1.
  GgufBytes& data(size_t size, size_t alignment = GGUF_DEFAULT_ALIGNMENT) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
    bytes_.resize(bytes_.size() + size, std::byte{1});
    return *this;
  }

  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace lanerope::gguf
