// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ggml.h>
#include <hwy/aligned_allocator.h>

#include "kernels/packed_matrix.h"

namespace lanerope::kernels {

// Corrections of low rank (LoRA) to the linears that one product joins: y_p += s_a B (A x), for each adapter
// a and part p of the matrix, where s_a is the adapter's scale of that column. A x is made while the columns
// of the product are prepared and B's share while its tiles are, so that corrections cost no operation of
// their own. A column's result depends on the adapters that are on for it, and on nothing else.
class LowRank {
 public:
  struct Half {
    ggml_type type = GGML_TYPE_F32;
    const void* data = nullptr;
  };
  // One pair as it lies in an adapter's file. Read during construction only.
  struct Pair {
    int32_t adapter = 0;
    int32_t part = 0;  // of the matrix
    float scale = 1;
    int64_t rank = 0;
    Half a = {};  // [n_in, rank]
    Half b = {};  // [rank, n_out of the part]
  };

  // Types that a half may have: f32, f16, bf16, and what ggml converts to floats.
  static bool supports(ggml_type type);

  LowRank(const PackedMatrix& matrix, std::span<const Pair> pairs);

  static constexpr int rank_step = 16;  // ranks are filled up with zeros to a multiple
  static constexpr int chunk = 256;     // inputs that are summed on their own

  struct Term {
    int32_t adapter;
    int32_t part;
    float scale;
    int64_t rank;   // filled up
    int64_t first;  // its place among the ranks of all terms
    ggml_type down_type;
    hwy::AlignedFreeUniquePtr<std::byte[]> down;  // A, [16, chunk, rank / 16, chunks]
    PackedMatrix up;                              // B
  };
  std::span<const Term> terms() const { return terms_; }
  int64_t ranks() const { return ranks_; }  // of all terms
  int64_t chunks() const { return chunks_; }
  int32_t n_adapters() const { return n_adapters_; }  // whose scales a column has, at least
  size_t bytes() const { return bytes_; }

  // What it needs behind the prepared columns, for each of them: A x of all terms, f32 in panels as prepared
  // columns of each term, and the sums of all chunks that it is made of.
  size_t column_bytes() const { return (1 + chunks_) * ranks_ * sizeof(float); }

 private:
  std::vector<Term> terms_;
  int64_t ranks_ = 0;
  int64_t chunks_ = 0;
  int32_t n_adapters_ = 0;
  size_t bytes_ = 0;
};

// Scales of the adapters: [n_adapters, n_columns].
struct AdapterScales {
  const float* of = nullptr;
  int64_t n_adapters = 0;

  float at(int64_t column, int32_t adapter) const { return of[column * n_adapters + adapter]; }
  AdapterScales from(int64_t column) const { return {of + column * n_adapters, n_adapters}; }
};

// The corrections of some columns: what prepare_activations() leaves behind them, and product() reads.
struct Corrections {
  const LowRank* of = nullptr;  // null: none
  AdapterScales scales = {};
  float* memory = nullptr;  // [n_columns * column_bytes()]
  int64_t n_columns = 0;

  bool on(const LowRank::Term& term, int64_t first, int n) const;  // for any of n columns
  float* low(const LowRank::Term& term) const { return memory + term.first * n_columns; }
  // The sums of one chunk for a panel that begins at column `first`: [ranks, columns of the panel].
  float* partial(int64_t first, int64_t columns, int64_t index) const {
    return memory + of->ranks() * (n_columns + first * of->chunks() + columns * index);
  }
};

// Those that an operation of a graph made, see prepare_activations(); none where it was given no scales.
Corrections corrections_of(const ActivationParameters& parameters, const ggml_tensor* prepared, int64_t n_in);

// A x of one chunk for the columns of a panel, of which `first` is the first.
struct DownJob {
  const float* values = nullptr;  // [chunk, columns], filled up with zeros
  int64_t first = 0;
  int columns = 0;    // up to 8
  int64_t index = 0;  // of the chunk
};
void add_down(const Corrections& corrections, const DownJob& job);

// Adds the chunks up; for all columns, on this thread, when all chunks of all panels are there.
void finish_down(const Corrections& corrections);

// Adds B's share of a tile.
struct UpJob {
  int32_t part = 0;
  int64_t tile = 0;
  int64_t first = 0;     // column, a multiple of 8
  int columns = 0;       // up to 64
  float* out = nullptr;  // [tile_rows, columns]
};
void add_up(const Corrections& corrections, const UpJob& job);
void fetch_up(const Corrections& corrections, const UpJob& job);  // asks for the memory that add_up will read

}  // namespace lanerope::kernels
