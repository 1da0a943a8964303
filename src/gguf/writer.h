// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ggml.h>
#include <gguf.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::gguf {

// Writes a GGUF file, tensor by tensor, so that no more than one piece of a tensor need be in memory: first
// all keys and all tensors' shapes, then begin(), then the data in the same order, then finish(). The file
// appears under its name only in finish(); until then it is `path`.part, which a writer that is destroyed
// before removes. Not for several threads at once. Every function throws SystemError when the disk refuses.
class Writer {
 public:
  explicit Writer(std::string path);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Before begin(). Keys must not be empty; a later value replaces an earlier one.
  void set(const std::string& key, std::string_view value);
  void set(const std::string& key, const char* value) { set(key, std::string_view(value)); }
  void set(const std::string& key, bool value);
  void set(const std::string& key, uint16_t value);
  void set(const std::string& key, int32_t value);
  void set(const std::string& key, uint32_t value);
  void set(const std::string& key, float value);
  void set(const std::string& key, std::span<const float> values);
  void set(const std::string& key, std::span<const int32_t> values);
  void set(const std::string& key, std::span<const std::string> values);

  // Before begin(). Names are unique, of 1 to 63 characters; ne holds 1 to 4 dimensions, of which the first
  // is a multiple of the type's block.
  void add_tensor(const std::string& name, ggml_type type, std::span<const int64_t> ne);

  void begin();
  // The next bytes of the tensor whose turn it is; a piece never holds more than one tensor's data.
  void write(std::span<const std::byte> data);
  // Asserts that every tensor was written whole.
  void finish();

 private:
  struct Tensor {
    std::string name;
    ggml_type type;
    std::array<int64_t, 4> ne;
    int n_dims;
    size_t bytes;
  };
  struct Free {
    void operator()(gguf_context* context) const { gguf_free(context); }
  };

  void put(std::span<const std::byte> data);
  [[noreturn]] void refuse() const;

  std::string path_;
  std::string partial_path_;
  std::unique_ptr<gguf_context, Free> metadata_;
  std::vector<Tensor> tensors_;
  std::FILE* file_ = nullptr;
  size_t tensor_ = 0;   // whose turn it is
  size_t written_ = 0;  // bytes of it
};

}  // namespace lanerope::gguf
