// SPDX-License-Identifier: Apache-2.0
#include "gguf/writer.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <system_error>
#include <utility>

#include "lanerope/errors.h"

namespace lanerope::gguf {

Writer::Writer(std::string path)
    : path_(std::move(path)), partial_path_(path_ + ".part"), metadata_(gguf_init_empty()) {
  file_ = std::fopen(partial_path_.c_str(), "wb");
  if (file_ == nullptr) refuse();
}

Writer::~Writer() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::remove(partial_path_.c_str());
}

void Writer::refuse() const {
  throw SystemError(path_ + " cannot be written: " + std::generic_category().message(errno) +
                    "; free some space or write elsewhere");
}

void Writer::set(const std::string& key, std::string_view value) {
  gguf_set_val_str(metadata_.get(), key.c_str(), std::string(value).c_str());
}

void Writer::set(const std::string& key, bool value) {
  gguf_set_val_bool(metadata_.get(), key.c_str(), value);
}

void Writer::set(const std::string& key, uint16_t value) {
  gguf_set_val_u16(metadata_.get(), key.c_str(), value);
}

void Writer::set(const std::string& key, int32_t value) {
  gguf_set_val_i32(metadata_.get(), key.c_str(), value);
}

void Writer::set(const std::string& key, uint32_t value) {
  gguf_set_val_u32(metadata_.get(), key.c_str(), value);
}

void Writer::set(const std::string& key, float value) {
  gguf_set_val_f32(metadata_.get(), key.c_str(), value);
}

void Writer::set(const std::string& key, std::span<const float> values) {
  gguf_set_arr_data(metadata_.get(), key.c_str(), GGUF_TYPE_FLOAT32, values.data(), values.size());
}

void Writer::set(const std::string& key, std::span<const int32_t> values) {
  gguf_set_arr_data(metadata_.get(), key.c_str(), GGUF_TYPE_INT32, values.data(), values.size());
}

void Writer::set(const std::string& key, std::span<const std::string> values) {
  std::vector<const char*> pointers;
  pointers.reserve(values.size());
  for (const std::string& value : values) pointers.push_back(value.c_str());
  gguf_set_arr_str(metadata_.get(), key.c_str(), pointers.data(), pointers.size());
}

void Writer::add_tensor(const std::string& name, ggml_type type, std::span<const int64_t> ne) {
  assert(!name.empty() && name.size() < GGML_MAX_NAME && !ne.empty() && ne.size() <= GGML_MAX_DIMS);
  assert(ne[0] % ggml_blck_size(type) == 0);
  assert(std::ranges::none_of(tensors_, [&](const Tensor& other) { return other.name == name; }));
  Tensor tensor{
      .name = name, .type = type, .ne = {1, 1, 1, 1}, .n_dims = static_cast<int>(ne.size()), .bytes = 0};
  std::ranges::copy(ne, tensor.ne.begin());
  tensor.bytes = ggml_row_size(type, tensor.ne[0]) * tensor.ne[1] * tensor.ne[2] * tensor.ne[3];
  tensors_.push_back(std::move(tensor));
}

void Writer::begin() {
  const ggml_init_params parameters{
      .mem_size = ggml_tensor_overhead() * (tensors_.size() + 1), .mem_buffer = nullptr, .no_alloc = true};
  const std::unique_ptr<ggml_context, decltype(&ggml_free)> shapes(ggml_init(parameters), &ggml_free);
  for (const Tensor& tensor : tensors_) {
    ggml_tensor* shape = ggml_new_tensor(shapes.get(), tensor.type, tensor.n_dims, tensor.ne.data());
    ggml_set_name(shape, tensor.name.c_str());
    gguf_add_tensor(metadata_.get(), shape);
  }
  std::vector<std::byte> header(gguf_get_meta_size(metadata_.get()));
  gguf_get_meta_data(metadata_.get(), header.data());
  put(header);
}

void Writer::write(std::span<const std::byte> data) {
  assert(tensor_ < tensors_.size() && written_ + data.size() <= tensors_[tensor_].bytes);
  put(data);
  written_ += data.size();
  if (written_ < tensors_[tensor_].bytes) return;
  constexpr std::array<std::byte, GGUF_DEFAULT_ALIGNMENT> zeros{};
  put(std::span(zeros).first(GGML_PAD(written_, GGUF_DEFAULT_ALIGNMENT) - written_));
  ++tensor_;
  written_ = 0;
}

void Writer::finish() {
  assert(tensor_ == tensors_.size() && written_ == 0);
  const bool closed = std::fflush(file_) == 0 && std::fclose(std::exchange(file_, nullptr)) == 0;
  if (closed && std::rename(partial_path_.c_str(), path_.c_str()) == 0) return;
  const int reason = errno;
  if (file_ == nullptr) std::remove(partial_path_.c_str());
  errno = reason;
  refuse();
}

void Writer::put(std::span<const std::byte> data) {
  if (data.empty()) return;
  if (std::fwrite(data.data(), 1, data.size(), file_) != data.size()) refuse();
}

}  // namespace lanerope::gguf
