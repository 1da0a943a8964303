// SPDX-License-Identifier: Apache-2.0
// The typed getters of File.
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "gguf/file.h"
#include "lanerope/errors.h"
#include "text/utf8.h"  // quoted

namespace lanerope::gguf {

namespace {

// Nothing where the value is of another kind or does not fit.
template <typename T, typename Stored>
std::optional<T> convert(const std::byte* at) {
  Stored value;
  std::memcpy(&value, at, sizeof(value));
  if constexpr (std::is_floating_point_v<T> && std::is_floating_point_v<Stored>) {
    const auto converted = static_cast<T>(value);
    return std::isfinite(converted) ? std::optional(converted) : std::nullopt;
  } else if constexpr (std::is_integral_v<T> && std::is_integral_v<Stored>) {
    return std::in_range<T>(value) ? std::optional(static_cast<T>(value)) : std::nullopt;
  } else {
    return std::nullopt;
  }
}

template <typename T>
std::optional<T> number(gguf_type type, const std::byte* at) {
  switch (type) {
    case GGUF_TYPE_UINT8:
      return convert<T, uint8_t>(at);
    case GGUF_TYPE_INT8:
      return convert<T, int8_t>(at);
    case GGUF_TYPE_UINT16:
      return convert<T, uint16_t>(at);
    case GGUF_TYPE_INT16:
      return convert<T, int16_t>(at);
    case GGUF_TYPE_UINT32:
      return convert<T, uint32_t>(at);
    case GGUF_TYPE_INT32:
      return convert<T, int32_t>(at);
    case GGUF_TYPE_UINT64:
      return convert<T, uint64_t>(at);
    case GGUF_TYPE_INT64:
      return convert<T, int64_t>(at);
    case GGUF_TYPE_FLOAT32:
      return convert<T, float>(at);
    case GGUF_TYPE_FLOAT64:
      return convert<T, double>(at);
    default:
      return std::nullopt;
  }
}

std::optional<bool> boolean(gguf_type type, const std::byte* at) {
  const auto value = std::to_integer<unsigned>(*at);
  if (type != GGUF_TYPE_BOOL || value > 1) return std::nullopt;
  return value == 1;
}

// The string at `at`, of which the parser has seen that it is whole. `at` moves behind it.
std::string_view string(const std::byte*& at) {
  uint64_t length = 0;
  std::memcpy(&length, at, sizeof(length));
  const auto* text = reinterpret_cast<const char*>(at + sizeof(length));
  at += sizeof(length) + length;
  return {text, length};
}

template <typename T>
constexpr bool is_string = std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>;

template <typename T>
struct Read {
  static std::optional<T> from(const Value& value) {
    if (value.array) return std::nullopt;
    if constexpr (is_string<T>) {
      const std::byte* at = value.bytes.data();
      return value.type == GGUF_TYPE_STRING ? std::optional(T(string(at))) : std::nullopt;
    } else if constexpr (std::is_same_v<T, bool>) {
      return boolean(value.type, value.bytes.data());
    } else {
      return number<T>(value.type, value.bytes.data());
    }
  }
};

template <typename Element>
struct Read<std::vector<Element>> {
  static std::optional<std::vector<Element>> from(const Value& value) {
    const size_t stride = gguf_number_bytes(value.type);
    if (!value.array || is_string<Element> != (value.type == GGUF_TYPE_STRING)) return std::nullopt;
    std::vector<Element> elements;
    elements.reserve(value.count);
    const std::byte* at = value.bytes.data();
    for (uint64_t i = 0; i < value.count; ++i) {
      if constexpr (is_string<Element>) {
        elements.emplace_back(string(at));
      } else {
        const auto element = number<Element>(value.type, at);
        if (!element) return std::nullopt;
        elements.push_back(*element);
        at += stride;
      }
    }
    return elements;
  }
};

template <typename T>
std::string expected() {
  if constexpr (is_string<T>)
    return "a string";
  else if constexpr (std::is_same_v<T, bool>)
    return "true or false";
  else if constexpr (std::is_integral_v<T>)
    return "an integer of " + std::to_string(8 * sizeof(T)) + " bits";
  else if constexpr (std::is_floating_point_v<T>)
    return "a finite floating-point number";
  else if constexpr (is_string<typename T::value_type>)
    return "an array of strings";
  else if constexpr (std::is_integral_v<typename T::value_type>)
    return "an array of integers";
  else
    return "an array of finite floating-point numbers";
}

}  // namespace

template <typename T>
std::optional<T> File::find(std::string_view key) const {
  const Value* value = find_value(key);
  if (value == nullptr) return std::nullopt;
  auto result = Read<T>::from(*value);
  if (!result) {
    throw BadFile(path_ + " is damaged: the value of " + text::quoted(key) + " is not " + expected<T>() +
                  "; get or convert the file again");
  }
  return result;
}

template <typename T>
T File::get(std::string_view key) const {
  auto value = find<T>(key);
  if (!value) throw BadFile(path_ + " has no key " + text::quoted(key) + "; get or convert the file again");
  return std::move(*value);
}

template bool File::get(std::string_view) const;
template int8_t File::get(std::string_view) const;
template uint8_t File::get(std::string_view) const;
template int16_t File::get(std::string_view) const;
template uint16_t File::get(std::string_view) const;
template int32_t File::get(std::string_view) const;
template uint32_t File::get(std::string_view) const;
template int64_t File::get(std::string_view) const;
template uint64_t File::get(std::string_view) const;
template float File::get(std::string_view) const;
template double File::get(std::string_view) const;
template std::string File::get(std::string_view) const;
template std::string_view File::get(std::string_view) const;
template std::vector<uint8_t> File::get(std::string_view) const;
template std::vector<int32_t> File::get(std::string_view) const;
template std::vector<uint32_t> File::get(std::string_view) const;
template std::vector<int64_t> File::get(std::string_view) const;
template std::vector<float> File::get(std::string_view) const;
template std::vector<double> File::get(std::string_view) const;
template std::vector<std::string> File::get(std::string_view) const;
template std::vector<std::string_view> File::get(std::string_view) const;

template std::optional<bool> File::find(std::string_view) const;
template std::optional<int8_t> File::find(std::string_view) const;
template std::optional<uint8_t> File::find(std::string_view) const;
template std::optional<int16_t> File::find(std::string_view) const;
template std::optional<uint16_t> File::find(std::string_view) const;
template std::optional<int32_t> File::find(std::string_view) const;
template std::optional<uint32_t> File::find(std::string_view) const;
template std::optional<int64_t> File::find(std::string_view) const;
template std::optional<uint64_t> File::find(std::string_view) const;
template std::optional<float> File::find(std::string_view) const;
template std::optional<double> File::find(std::string_view) const;
template std::optional<std::string> File::find(std::string_view) const;
template std::optional<std::string_view> File::find(std::string_view) const;
template std::optional<std::vector<uint8_t>> File::find(std::string_view) const;
template std::optional<std::vector<int32_t>> File::find(std::string_view) const;
template std::optional<std::vector<uint32_t>> File::find(std::string_view) const;
template std::optional<std::vector<int64_t>> File::find(std::string_view) const;
template std::optional<std::vector<float>> File::find(std::string_view) const;
template std::optional<std::vector<double>> File::find(std::string_view) const;
template std::optional<std::vector<std::string>> File::find(std::string_view) const;
template std::optional<std::vector<std::string_view>> File::find(std::string_view) const;

}  // namespace lanerope::gguf
