// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <ggml.h>

#include "kernels/activations.h"

namespace lanerope::kernels {

// The weights of one linear, or of several over the same input joined one below the other (q, k, v; gate,
// up), in the order in which the product reads them (tile_format.h). Values are those of the file, to the
// bit. Owns its memory; immutable, so that any number of threads may use it.
class PackedMatrix {
 public:
  // Types that have a form of their own are put into it; others stay as they are in the file, and so would
  // any other type on demand.
  enum class Form { best, as_in_file };
  // One linear as it lies in a GGUF file: rows of n_in weights. Read during construction only.
  struct Source {
    ggml_type type;
    int64_t n_out;
    const void* data;
    Form form = Form::best;
  };
  // Rows [first_row, first_row + n_out) of the product: of one type.
  struct Part {
    ggml_type type;
    int64_t first_row;
    int64_t n_out;
    size_t offset;      // of its first tile
    size_t tile_bytes;  // tile_rows rows; the last tile is filled with zeros
    Form form;
  };

  static bool supports(ggml_type type, int64_t n_in);
  // Whether linears of these types can be one product: they must want their columns in one form.
  static bool joins(ggml_type a, ggml_type b);
  static ActivationForm column_form(ggml_type type);

  // Packs on the threads of the pool, or on this one without.
  PackedMatrix(int64_t n_in, std::span<const Source> sources, ThreadPool* pool = nullptr);
  static PackedMatrix pack(ggml_type type, int64_t n_in, int64_t n_out, const void* data);

  int64_t n_in() const { return n_in_; }
  int64_t n_out() const { return n_out_; }
  ActivationForm form() const { return form_; }
  size_t bytes() const { return bytes_; }
  std::span<const Part> parts() const { return parts_; }
  const std::byte* tile(const Part& part, int64_t t) const {
    return memory_.get() + part.offset + static_cast<size_t>(t) * part.tile_bytes;
  }

 private:
  struct Release {
    size_t bytes;
    void operator()(std::byte* memory) const;
  };
  int64_t n_in_ = 0;
  int64_t n_out_ = 0;
  ActivationForm form_ = ActivationForm::f32;
  size_t bytes_ = 0;
  std::vector<Part> parts_;
  std::unique_ptr<std::byte, Release> memory_;
};

}  // namespace lanerope::kernels
