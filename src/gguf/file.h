// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gguf/mapped_file.h"
#include "gguf/parse.h"

namespace lanerope::gguf {

// A GGUF file, or a set that was split into several, mapped read-only and checked (parse_gguf says what is
// checked). Immutable: any number of threads may read. Views and tensor data live as long as the object,
// moves included.
class File {
 public:
  // `path` is a GGUF file, or the first one (-00001-of-0000K.gguf) of a split set, whose others lie beside
  // it. Throws SystemError when a file cannot be opened and BadFile when one is not as it should be.
  explicit File(const std::string& path);

  // The same for a single file that is in memory already, aligned to 8 bytes, not owned; `name` is for
  // messages.
  static File view(std::span<const std::byte> bytes, std::string name);

  // A metadata value. T is bool, std::string, std::string_view, an integer, float or double, or a std::vector
  // of one of them (std::vector<bool> excepted). Integers convert to any width that holds the value, float
  // and double to each other. find gives nothing where the key is absent; get throws BadFile there. Both
  // throw BadFile when the value has another type, does not fit into T, or is not finite.
  template <typename T>
  T get(std::string_view key) const;
  template <typename T>
  std::optional<T> find(std::string_view key) const;
  bool has(std::string_view key) const { return metadata_.contains(key); }
  // The keys, sorted.
  std::vector<std::string_view> keys() const;
  // The value as it lies in the file, or nullptr.
  const Value* find_value(std::string_view key) const;

  // All tensors, file by file, in the order of the files.
  std::span<const TensorInfo> tensors() const { return tensors_; }
  // nullptr where there is none of this name.
  const TensorInfo* find_tensor(std::string_view name) const;
  // Throws BadFile where there is none of this name.
  const TensorInfo& tensor(std::string_view name) const;

  // As given to the constructor.
  const std::string& path() const { return path_; }
  int32_t n_shards() const { return static_cast<int32_t>(shards_.size()); }
  // The bytes of one file of the set, as TensorInfo::shard counts them. A mapped file starts at a page
  // boundary.
  std::span<const std::byte> shard(int32_t index) const { return shards_[index]; }
  // Of all files together.
  size_t bytes() const;
  // The tensor was copied and its place in the mapped file need not stay in memory. It may still be read.
  void forget(const TensorInfo& tensor) const;

 private:
  File() = default;
  void add_shard(std::span<const std::byte> bytes, const std::string& path);
  void open_other_shards(int32_t count);
  void check_shard(const GgufContents& contents, const std::string& path) const;
  void index_tensors();

  std::string path_;
  std::vector<MappedFile> files_;
  std::vector<std::span<const std::byte>> shards_;
  std::unordered_map<std::string_view, Value> metadata_;  // of the first file
  std::vector<TensorInfo> tensors_;
  std::unordered_map<std::string_view, size_t> by_name_;  // index into tensors_
};

}  // namespace lanerope::gguf
