// SPDX-License-Identifier: Apache-2.0
#include "tools/random_tensor.h"

#include <algorithm>
#include <thread>

#include "gguf/writer.h"

namespace lanerope::tools {

namespace {

constexpr int64_t slab_elements = int64_t{1} << 23;

// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014): every input gives an independent-looking output.
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

uint64_t stream_of(const std::string& name, uint64_t seed) {
  uint64_t state = mix(seed);
  for (const char c : name) state = mix(state ^ static_cast<unsigned char>(c));
  return state;
}

// The sum of four uniform numbers, brought to mean 0 and deviation 1.
float bell(uint64_t bits) {
  const auto sum = static_cast<int32_t>((bits & 0xffffU) + ((bits >> 16U) & 0xffffU) +
                                        ((bits >> 32U) & 0xffffU) + (bits >> 48U));
  constexpr float deviation = 37837.2F;  // sqrt(4 * 65536^2 / 12)
  return static_cast<float>(sum - 131070) / deviation;
}

struct Slab {
  std::vector<float> values;
  std::vector<std::byte> encoded;
};

}  // namespace

void random_values(const RandomTensor& tensor, uint64_t seed, int64_t begin, std::span<float> out) {
  if (!tensor.values.empty()) {
    std::copy_n(tensor.values.begin() + begin, out.size(), out.begin());
    return;
  }
  const uint64_t stream = stream_of(tensor.name, seed);
  const int64_t row = tensor.ne[0];
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t at = begin + static_cast<int64_t>(i);
    const float scale = tensor.row_scale.empty() ? 1.0F : tensor.row_scale[at / row];
    out[i] = tensor.mean + scale * tensor.deviation * bell(mix(stream + static_cast<uint64_t>(at)));
  }
}

void write_random_tensor(gguf::Writer& writer, const RandomTensor& tensor, uint64_t seed, int threads) {
  const int64_t row = tensor.ne[0];
  int64_t rows = 1;
  for (size_t d = 1; d < tensor.ne.size(); ++d) rows *= tensor.ne[d];
  const int64_t rows_a_slab = std::clamp<int64_t>(slab_elements / row, 1, rows);
  const size_t row_bytes = ggml_row_size(tensor.type, row);
  // Some types insist on being told how important each column is.
  const std::vector<float> importance(ggml_quantize_requires_imatrix(tensor.type) ? row : 0, 1.0F);

  Slab slab{.values = std::vector<float>(rows_a_slab * row),
            .encoded = std::vector<std::byte>(rows_a_slab * row_bytes)};
  for (int64_t first = 0; first < rows; first += rows_a_slab) {
    const int64_t n = std::min(rows_a_slab, rows - first);
    const auto encode = [&](int64_t begin, int64_t end) {
      if (begin >= end) return;
      const std::span<float> values = std::span(slab.values).subspan(begin * row, (end - begin) * row);
      random_values(tensor, seed, (first + begin) * row, values);
      ggml_quantize_chunk(tensor.type, values.data(), slab.encoded.data() + begin * row_bytes, 0, end - begin,
                          row, importance.empty() ? nullptr : importance.data());
    };
    {
      std::vector<std::jthread> workers;
      for (int t = 1; t < threads; ++t) workers.emplace_back(encode, n * t / threads, n * (t + 1) / threads);
      encode(0, n / threads);
    }
    writer.write(std::span(slab.encoded).first(n * row_bytes));
  }
}

ggml_type type_for_row(ggml_type wanted, int64_t row) {
  if (row % ggml_blck_size(wanted) == 0) return wanted;
  return row % ggml_blck_size(GGML_TYPE_Q8_0) == 0 ? GGML_TYPE_Q8_0 : GGML_TYPE_F16;
}

}  // namespace lanerope::tools
