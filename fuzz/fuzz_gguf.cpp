// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstring>
#include <vector>

#include "gguf/file.h"
#include "gguf/finite.h"
#include "lanerope/errors.h"

using namespace lanerope;

namespace {

// Reads every key as every kind of value, and every byte of every tensor.
void use(const gguf::File& file) {
  for (const auto key : file.keys()) {
    const auto attempt = [&](auto kind) {
      try {
        file.get<decltype(kind)>(key);
      } catch (const BadFile&) {
        // Most kinds are wrong; what matters is that nothing else happens.
      }
    };
    attempt(bool());
    attempt(int8_t());
    attempt(uint64_t());
    attempt(float());
    attempt(std::string_view());
    attempt(std::vector<int32_t>());
    attempt(std::vector<float>());
    attempt(std::vector<std::string>());
  }
  unsigned sum = 0;
  for (const auto& tensor : file.tensors()) {
    sum += file.find_tensor(tensor.name) == &tensor;
    for (size_t i = 0; i < tensor.bytes; ++i) sum += std::to_integer<unsigned>(tensor.data[i]);
    sum += gguf::all_finite(tensor);
  }
  volatile unsigned sink = sum;
  static_cast<void>(sink);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    use(gguf::File::view({reinterpret_cast<const std::byte*>(data), size}, "fuzz.gguf"));
  } catch (const BadFile&) {
    return 0;
  }
  return 0;
}
