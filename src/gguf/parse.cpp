// SPDX-License-Identifier: Apache-2.0
#include "gguf/parse.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "lanerope/errors.h"
#include "text/utf8.h"  // quoted

namespace lanerope::gguf {

static_assert(std::endian::native == std::endian::little,
              "GGUF files are read in place, and are little-endian");

namespace {

constexpr uint64_t longest_key = 65535;
constexpr uint32_t smallest_alignment = 8;
constexpr uint32_t largest_alignment = 1U << 20;

// What follows is never trusted: a cursor that refuses to leave the file.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  [[noreturn]] void damaged(const std::string& what) const {
    throw BadFile(path_ + " is damaged: " + what + "; get or convert the file again");
  }

  std::span<const std::byte> take(uint64_t size, const std::string& what) {
    if (size > left()) damaged(what + " reaches beyond the end of the file");
    const auto taken = bytes_.subspan(at_, size);
    at_ += size;
    return taken;
  }

  template <typename T>
  T number(const std::string& what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  std::string_view string(const std::string& what) {
    const auto length = number<uint64_t>(what);
    const auto text = take(length, what);
    return {reinterpret_cast<const char*>(text.data()), text.size()};
  }

  // How many things follow, each of which takes at least `smallest` bytes.
  uint64_t count(uint64_t smallest, const std::string& what) {
    const auto claimed = number<uint64_t>(what);
    if (claimed > left() / smallest) damaged(what + " is larger than the file can hold");
    return claimed;
  }

  size_t at() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  std::span<const std::byte> bytes_;
  const std::string& path_;
  size_t at_ = 0;
};

void read_magic_and_version(Reader& reader) {
  if (reader.left() < 4 || std::memcmp(reader.take(4, "the magic").data(), GGUF_MAGIC, 4) != 0) {
    throw BadFile(reader.path() + " is not a GGUF file; convert the model to GGUF first");
  }
  const auto version = reader.number<uint32_t>("the version");
  if (version == 2 || version == 3) return;
  if ((version & 0xffffU) == 0) {
    throw BadFile(reader.path() + " is a big-endian GGUF file; convert the model to little-endian GGUF");
  }
  throw BadFile(reader.path() + " is GGUF version " + std::to_string(version) +
                ", and versions 2 and 3 are read; convert the model again");
}

Value read_value(Reader& reader, std::string_view key) {
  const std::string what = "the value of " + text::quoted(key);
  Value value;
  auto type = reader.number<uint32_t>(what);
  if (type == GGUF_TYPE_ARRAY) {
    value.array = true;
    type = reader.number<uint32_t>(what);
    if (type == GGUF_TYPE_ARRAY) reader.damaged(what + " is an array of arrays");
  }
  if (type >= GGUF_TYPE_COUNT) reader.damaged(what + " has the unknown type " + std::to_string(type));
  value.type = static_cast<gguf_type>(type);

  const size_t number_bytes = gguf_number_bytes(value.type);
  if (value.array) value.count = reader.count(number_bytes > 0 ? number_bytes : sizeof(uint64_t), what);
  if (number_bytes > 0) {
    value.bytes = reader.take(value.count * number_bytes, what);
  } else {
    const size_t begin = reader.at();
    for (uint64_t i = 0; i < value.count; ++i) reader.string(what);
    value.bytes = reader.bytes().subspan(begin, reader.at() - begin);
  }
  return value;
}

void read_metadata(Reader& reader, uint64_t count, GgufContents& contents) {
  for (uint64_t i = 0; i < count; ++i) {
    const auto key = reader.string("key " + std::to_string(i));
    if (key.empty() || key.size() > longest_key) {
      reader.damaged("key " + std::to_string(i) + " has a length of " + std::to_string(key.size()) +
                     " bytes");
    }
    if (!contents.metadata.emplace(key, read_value(reader, key)).second) {
      reader.damaged("the key " + text::quoted(key) + " is there twice");
    }
  }
}

uint32_t read_alignment(const Reader& reader, const GgufContents& contents) {
  const auto found = contents.metadata.find(GGUF_KEY_GENERAL_ALIGNMENT);
  if (found == contents.metadata.end()) return GGUF_DEFAULT_ALIGNMENT;
  const Value& value = found->second;
  uint32_t alignment = 0;
  if (value.type == GGUF_TYPE_UINT32 && !value.array)
    std::memcpy(&alignment, value.bytes.data(), sizeof(alignment));
  if (!std::has_single_bit(alignment) || alignment < smallest_alignment || alignment > largest_alignment) {
    reader.damaged("general.alignment is not a 32-bit power of two from 8 to 1048576");
  }
  return alignment;
}

// Where a tensor's data begin, counted from the start of the data section, is all that TensorInfo has no room
// for.
struct Placed {
  TensorInfo info;
  uint64_t offset = 0;
};

size_t data_bytes(const Reader& reader, const TensorInfo& tensor) {
  const std::string what = "tensor " + text::quoted(tensor.name);
  const int64_t block = ggml_blck_size(tensor.type);
  if (tensor.ne[0] % block != 0) {
    reader.damaged(what + " has rows of " + std::to_string(tensor.ne[0]) + " elements, no multiple of the " +
                   std::to_string(block) + " of its type " + ggml_type_name(tensor.type));
  }
  int64_t elements = 1;
  for (const int64_t extent : tensor.ne) {
    if (__builtin_mul_overflow(elements, extent, &elements))
      reader.damaged("the size of " + what + " overflows");
  }
  size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<size_t>(elements / block), ggml_type_size(tensor.type), &bytes)) {
    reader.damaged("the size of " + what + " overflows");
  }
  return bytes;
}

Placed read_tensor(Reader& reader, uint64_t index) {
  Placed tensor;
  const auto name = reader.string("the name of tensor " + std::to_string(index));
  if (name.empty() || name.size() >= GGML_MAX_NAME || name.find('\0') != std::string_view::npos) {
    reader.damaged("the name of tensor " + std::to_string(index) + ", " + text::quoted(name) +
                   ", is not of 1 to 63 characters");
  }
  tensor.info.name = name;
  const std::string what = "tensor " + text::quoted(name);

  const auto n_dims = reader.number<uint32_t>(what);
  if (n_dims < 1 || n_dims > GGML_MAX_DIMS) {
    reader.damaged(what + " has " + std::to_string(n_dims) + " dimensions, not 1 to 4");
  }
  for (uint32_t dim = 0; dim < n_dims; ++dim) {
    tensor.info.ne[dim] = reader.number<int64_t>(what);
    if (tensor.info.ne[dim] < 1) reader.damaged(what + " has a dimension that is not positive");
  }

  const auto type = reader.number<uint32_t>(what);
  if (type >= GGML_TYPE_COUNT || ggml_blck_size(static_cast<ggml_type>(type)) < 1 ||
      ggml_type_size(static_cast<ggml_type>(type)) < 1) {
    throw BadFile(reader.path() + " holds " + what + " of the unknown type " + std::to_string(type) +
                  "; quantise the model to a type that this ggml knows");
  }
  tensor.info.type = static_cast<ggml_type>(type);
  tensor.info.bytes = data_bytes(reader, tensor.info);
  tensor.offset = reader.number<uint64_t>(what);
  return tensor;
}

void place(const Reader& reader, std::vector<Placed>& tensors, uint32_t alignment) {
  if (tensors.empty()) return;
  const size_t begin = (reader.at() + alignment - 1) / alignment * alignment;
  const size_t size = begin <= reader.bytes().size() ? reader.bytes().size() - begin : 0;
  for (Placed& tensor : tensors) {
    const std::string what = "tensor " + text::quoted(tensor.info.name);
    if (tensor.offset % alignment != 0)
      reader.damaged(what + " is not aligned to " + std::to_string(alignment) + " bytes");
    if (tensor.offset > size || tensor.info.bytes > size - tensor.offset) {
      reader.damaged(what + " reaches beyond the end of the file");
    }
    tensor.info.data = reader.bytes().data() + begin + tensor.offset;
  }

  std::vector<const Placed*> order;
  order.reserve(tensors.size());
  for (const Placed& tensor : tensors) order.push_back(&tensor);
  std::ranges::sort(order, {}, &Placed::offset);
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1]->offset + order[i - 1]->info.bytes > order[i]->offset) {
      reader.damaged("tensors " + text::quoted(order[i - 1]->info.name) + " and " +
                     text::quoted(order[i]->info.name) + " overlap");
    }
  }
}

void refuse_duplicates(const Reader& reader, const std::vector<TensorInfo>& tensors) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const TensorInfo& tensor : tensors) names.push_back(tensor.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) reader.damaged("tensor " + text::quoted(*twice) + " is there twice");
}

}  // namespace

GgufContents parse_gguf(std::span<const std::byte> bytes, const std::string& path) {
  // The least that an entry takes: empty name, one dimension, type and offset; empty key, type and one byte.
  constexpr uint64_t smallest_tensor = 32;
  constexpr uint64_t smallest_entry = 13;

  Reader reader(bytes, path);
  read_magic_and_version(reader);
  const uint64_t n_tensors = reader.count(smallest_tensor, "the number of tensors");
  const uint64_t n_entries = reader.count(smallest_entry, "the number of keys");

  GgufContents contents;
  read_metadata(reader, n_entries, contents);
  const uint32_t alignment = read_alignment(reader, contents);

  std::vector<Placed> tensors;
  tensors.reserve(std::min<uint64_t>(n_tensors, 4096));  // what a header claims is not believed further
  for (uint64_t i = 0; i < n_tensors; ++i) tensors.push_back(read_tensor(reader, i));
  place(reader, tensors, alignment);

  contents.tensors.reserve(tensors.size());
  for (Placed& tensor : tensors) contents.tensors.push_back(std::move(tensor.info));
  refuse_duplicates(reader, contents.tensors);
  return contents;
}

size_t gguf_number_bytes(gguf_type type) {
  switch (type) {
    case GGUF_TYPE_UINT8:
    case GGUF_TYPE_INT8:
    case GGUF_TYPE_BOOL:
      return 1;
    case GGUF_TYPE_UINT16:
    case GGUF_TYPE_INT16:
      return 2;
    case GGUF_TYPE_UINT32:
    case GGUF_TYPE_INT32:
    case GGUF_TYPE_FLOAT32:
      return 4;
    case GGUF_TYPE_UINT64:
    case GGUF_TYPE_INT64:
    case GGUF_TYPE_FLOAT64:
      return 8;
    default:
      return 0;
  }
}

}  // namespace lanerope::gguf
