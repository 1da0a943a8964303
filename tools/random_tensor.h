// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ggml.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gguf/writer.h"

namespace lanerope::tools {

// A tensor of random numbers, bell-shaped, that depend on the seed, the name and the place in the tensor
// alone: not on the type, the order of writing or the number of threads.
struct RandomTensor {
  std::string name;
  ggml_type type = GGML_TYPE_F32;
  std::vector<int64_t> ne;  // one to three dimensions
  float mean = 0;
  float deviation = 1;
  std::vector<float> row_scale = {};  // [rows], or empty: multiplies each row
  std::vector<float> values = {};     // these instead of random ones, where not empty
};

// Numbers [begin, begin + out.size()) of the tensor, rows one after the other.
void random_values(const RandomTensor& tensor, uint64_t seed, int64_t begin, std::span<float> out);

// Quantises the tensor with ggml a slab of rows at a time and appends it to `writer`. At most about 64 MiB of
// memory.
void write_random_tensor(gguf::Writer& writer, const RandomTensor& tensor, uint64_t seed, int threads);

// `wanted`, or where its blocks do not divide rows of `row` elements q8_0 or else f16.
ggml_type type_for_row(ggml_type wanted, int64_t row);

}  // namespace lanerope::tools
