// SPDX-License-Identifier: Apache-2.0
#include "gguf/file.h"

#include <algorithm>
#include <cstdio>

#include "lanerope/errors.h"
#include "text/utf8.h"  // quoted

namespace lanerope::gguf {

namespace {

// "-00002-of-00005.gguf"
std::string split_ending(int32_t number, int32_t count) {
  char text[32];
  std::snprintf(text, sizeof(text), "-%05d-of-%05d.gguf", number, count);
  return text;
}

}  // namespace

File::File(const std::string& path) : path_(path) {
  files_.emplace_back(path);
  add_shard(files_.back().bytes(), path);
  const auto count = find<int32_t>("split.count").value_or(1);
  if (count > 1) open_other_shards(count);
  index_tensors();
}

File File::view(std::span<const std::byte> bytes, std::string name) {
  File file;
  file.path_ = std::move(name);
  file.add_shard(bytes, file.path_);
  if (file.find<int32_t>("split.count").value_or(1) > 1) {
    throw BadFile(file.path_ +
                  " is one shard of a split set, which cannot be read from memory; give its path");
  }
  file.index_tensors();
  return file;
}

void File::add_shard(std::span<const std::byte> bytes, const std::string& path) {
  GgufContents contents = parse_gguf(bytes, path);
  if (shards_.empty()) {
    metadata_ = std::move(contents.metadata);
  } else {
    check_shard(contents, path);
  }
  for (TensorInfo& tensor : contents.tensors) {
    tensor.shard = static_cast<int32_t>(shards_.size());
    tensors_.push_back(std::move(tensor));
  }
  shards_.push_back(bytes);
}

void File::open_other_shards(int32_t count) {
  constexpr int32_t most_shards = 99999;  // what the five digits hold
  const auto number = find<int32_t>("split.no").value_or(0);
  if (count > most_shards || number < 0 || number >= count) {
    throw BadFile(path_ + " is damaged: it claims to be shard " + std::to_string(number) + " of " +
                  std::to_string(count) + "; get or convert the file again");
  }
  const std::string ending = split_ending(number + 1, count);
  if (!path_.ends_with(ending)) {
    throw BadFile(path_ + " is one shard of a split set and its name does not end in " + ending +
                  "; name it so again");
  }
  const std::string stem = path_.substr(0, path_.size() - ending.size());
  if (number != 0) {
    throw BadFile(path_ + " is not the first shard of its split set; give " + stem + split_ending(1, count));
  }
  for (int32_t i = 2; i <= count; ++i) {
    const std::string path = stem + split_ending(i, count);
    files_.emplace_back(path);
    add_shard(files_.back().bytes(), path);
  }
  const auto claimed = find<int64_t>("split.tensors.count");
  if (claimed && *claimed != static_cast<int64_t>(tensors_.size())) {
    throw BadFile(path_ + " and its other shards hold " + std::to_string(tensors_.size()) +
                  " tensors, not the " + std::to_string(*claimed) + " that it claims; get all shards again");
  }
}

void File::check_shard(const GgufContents& contents, const std::string& path) const {
  File shard;
  shard.path_ = path;
  shard.metadata_ = contents.metadata;
  const auto expected = static_cast<int64_t>(shards_.size());
  if (shard.find<int64_t>("split.no") != expected ||
      shard.find<int64_t>("split.count") != find<int64_t>("split.count")) {
    throw BadFile(path + " is not shard " + std::to_string(expected + 1) + " of the split set of " + path_ +
                  "; get all shards again");
  }
}

void File::index_tensors() {
  by_name_.reserve(tensors_.size());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (by_name_.emplace(tensors_[i].name, i).second) continue;
    throw BadFile(path_ + " is damaged: tensor " + text::quoted(tensors_[i].name) +
                  " is in two of its shards; get all shards again");
  }
}

std::vector<std::string_view> File::keys() const {
  std::vector<std::string_view> names;
  names.reserve(metadata_.size());
  for (const auto& [key, value] : metadata_) names.push_back(key);
  std::ranges::sort(names);
  return names;
}

const Value* File::find_value(std::string_view key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

const TensorInfo* File::find_tensor(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

const TensorInfo& File::tensor(std::string_view name) const {
  const TensorInfo* found = find_tensor(name);
  if (found == nullptr)
    throw BadFile(path_ + " has no tensor " + text::quoted(name) + "; get or convert the file again");
  return *found;
}

size_t File::bytes() const {
  size_t sum = 0;
  for (const auto shard : shards_) sum += shard.size();
  return sum;
}

void File::forget(const TensorInfo& tensor) const {
  if (!files_.empty()) files_[tensor.shard].forget(tensor.data, tensor.bytes);
}

}  // namespace lanerope::gguf
