// SPDX-License-Identifier: Apache-2.0
#include "lanerope/inspect.h"

#include <algorithm>
#include <cstdio>

#include "arch/config_keys.h"
#include "gguf/file.h"
#include "model/adapter.h"
#include "model/kv_pool.h"
#include "model/loaded_model.h"

namespace lanerope {

namespace {

constexpr size_t longest_value = 160;  // bytes of text shown
constexpr size_t shown_elements = 8;

std::string shortened(std::string text) {
  if (text.size() <= longest_value) return text;
  size_t end = longest_value;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return text.substr(0, end) + "...";
}

bool is_real(gguf_type type) {
  return type == GGUF_TYPE_FLOAT32 || type == GGUF_TYPE_FLOAT64;
}

std::string number_text(double value) {
  std::string text(32, '\0');
  text.resize(static_cast<size_t>(std::snprintf(text.data(), text.size(), "%.7g", value)));
  return text;
}

template <typename T, typename ToText>
std::string list_text(const std::vector<T>& values, ToText to_text) {
  std::string text = "[";
  for (size_t i = 0; i < std::min(values.size(), shown_elements); ++i) {
    text += (i > 0 ? ", " : "") + to_text(values[i]);
  }
  return text + (values.size() > shown_elements ? ", ...]" : "]");
}

std::string value_text(const gguf::File& file, std::string_view key, const gguf::Value& value) {
  const auto quote = [](const std::string& text) { return "\"" + shortened(text) + "\""; };
  const auto integer = [](int64_t number) { return std::to_string(number); };
  if (value.type == GGUF_TYPE_STRING) {
    return value.array ? list_text(file.get<std::vector<std::string>>(key), quote)
                       : shortened(file.get<std::string>(key));
  }
  if (value.type == GGUF_TYPE_BOOL) {
    return value.array ? "[...]" : (file.get<bool>(key) ? "true" : "false");
  }
  if (is_real(value.type)) {
    return value.array ? list_text(file.get<std::vector<double>>(key), number_text)
                       : number_text(file.get<double>(key));
  }
  return value.array ? list_text(file.get<std::vector<int64_t>>(key), integer)
                     : integer(file.get<int64_t>(key));
}

FileKey describe_key(const gguf::File& file, std::string_view key) {
  const gguf::Value& value = *file.find_value(key);
  const std::string type = gguf_type_name(value.type);
  return {.key = std::string(key),
          .type = value.array ? "array of " + type : type,
          .value = value_text(file, key, value),
          .count = value.count};
}

FileTensor describe_tensor(const gguf::TensorInfo& info) {
  FileTensor tensor{.name = info.name, .type = ggml_type_name(info.type), .shape = {}, .bytes = info.bytes};
  tensor.shape.assign(info.ne.begin(), info.ne.end());
  while (tensor.shape.size() > 1 && tensor.shape.back() == 1) tensor.shape.pop_back();
  return tensor;
}

}  // namespace

FileDescription describe_file(const std::string& path) {
  const gguf::File file(path);
  FileDescription result{.file = path, .shards = file.n_shards(), .bytes = file.bytes()};
  for (const std::string_view key : file.keys()) result.keys.push_back(describe_key(file, key));
  std::ranges::sort(result.keys, {}, &FileKey::key);
  for (const gguf::TensorInfo& info : file.tensors()) result.tensors.push_back(describe_tensor(info));
  if (file.find<std::string>("general.type").value_or("model") == "adapter") {
    result.adapter = model::read_adapter_info(file);
  } else {
    result.model = model::describe_model(file, arch::read_config(file));
    model::describe_template(*result.model, file);
  }
  return result;
}

size_t bytes_per_cell(const ModelInfo& model, KvType kv_type) {
  arch::ModelConfig config;
  config.layers.assign(model.n_layer,
                       {.attention = {.n_head_kv = model.n_head_kv, .head_dim = model.head_dim}});
  return model::kv_bytes_per_cell(config, kv_type);
}

}  // namespace lanerope
