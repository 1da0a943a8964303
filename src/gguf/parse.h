// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ggml.h>
#include <gguf.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lanerope::gguf {

// A tensor of a GGUF file. The data stay in the mapped file, which must outlive this.
struct TensorInfo {
  std::string name;
  ggml_type type = GGML_TYPE_F32;
  std::array<int64_t, 4> ne = {1, 1, 1, 1};  // elements in each dimension, ggml order; each at least 1
  const std::byte* data = nullptr;           // aligned as the file is, to 8 bytes at least
  size_t bytes = 0;
  int32_t shard = 0;  // which file of a split set it lies in
};

// A metadata value where it lies in the file. Of an array `type` is that of its elements.
struct Value {
  gguf_type type = GGUF_TYPE_UINT8;
  bool array = false;
  uint64_t count = 1;
  std::span<const std::byte>
      bytes;  // count numbers, or count strings each behind its 64-bit length; not aligned
};

// One GGUF file, checked. Views point into the bytes that it was read from.
struct GgufContents {
  std::unordered_map<std::string_view, Value> metadata;
  std::vector<TensorInfo> tensors;  // in the order of the file
};

// Reads the header of a little-endian GGUF file, version 2 or 3, and checks everything that can be checked
// without knowing the model: afterwards every value and every tensor lies within `bytes`, names are unique,
// dimensions are positive and their product fits, types exist, and tensors are aligned and do not overlap.
// Allocates no more than a small multiple of the header's size. Throws BadFile, one sentence that starts with
// `path`.
GgufContents parse_gguf(std::span<const std::byte> bytes, const std::string& path);

// Bytes of a number of this type in a file; 0 for strings, arrays and what does not exist.
size_t gguf_number_bytes(gguf_type type);

}  // namespace lanerope::gguf
