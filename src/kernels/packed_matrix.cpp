// SPDX-License-Identifier: Apache-2.0
#include "kernels/packed_matrix.h"

#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <new>

#include "kernels/pack_tiles.h"
#include "kernels/thread_pool.h"

namespace lanerope::kernels {
namespace {

constexpr size_t huge_page = size_t{2} << 20;

size_t round_up(size_t value, size_t step) {
  return (value + step - 1) / step * step;
}

const TileShape& shape_of(ggml_type type, PackedMatrix::Form form) {
  const TileShape* shape = form == PackedMatrix::Form::best ? tile_shape(type) : tile_shape_of_file(type);
  assert(shape != nullptr);
  return *shape;
}

int64_t tile_count(const PackedMatrix::Part& part) {
  return (part.n_out + tile_rows - 1) / tile_rows;
}

}  // namespace

void PackedMatrix::Release::operator()(std::byte* memory) const {
  if (bytes >= huge_page) {
    munmap(memory, bytes);
  } else {
    ::operator delete(memory, std::align_val_t{64});
  }
}

bool PackedMatrix::supports(ggml_type type, int64_t n_in) {
  const TileShape* shape = tile_shape(type);
  return shape != nullptr && n_in > 0 && n_in % shape->file_block == 0;
}

bool PackedMatrix::joins(ggml_type a, ggml_type b) {
  return tile_shape(a) != nullptr && tile_shape(b) != nullptr && column_form(a) == column_form(b);
}

ActivationForm PackedMatrix::column_form(ggml_type type) {
  const TileShape* shape = tile_shape(type);
  assert(shape != nullptr);
  return shape->form;
}

PackedMatrix::PackedMatrix(int64_t n_in, std::span<const Source> sources, ThreadPool* pool) : n_in_(n_in) {
  assert(!sources.empty());
  form_ = shape_of(sources.front().type, sources.front().form).form;
  for (const Source& source : sources) {
    const TileShape& shape = shape_of(source.type, source.form);
    assert(n_in % shape.file_block == 0 && shape.form == form_);
    const size_t tile_bytes = round_up(n_in, shape.block) / shape.block * shape.block_bytes;
    parts_.push_back({source.type, n_out_, source.n_out, bytes_, tile_bytes, source.form});
    n_out_ += source.n_out;
    bytes_ += tile_count(parts_.back()) * tile_bytes;
  }

  std::byte* memory = nullptr;
  if (bytes_ >= huge_page) {
    void* mapped = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    madvise(mapped, bytes_, MADV_HUGEPAGE);
    memory = static_cast<std::byte*>(mapped);
  } else {
    memory = static_cast<std::byte*>(::operator new(bytes_, std::align_val_t{64}));
  }
  memory_ = std::unique_ptr<std::byte, Release>(memory, Release{bytes_});

  ThreadPool alone(1);
  for (size_t p = 0; p < parts_.size(); ++p) {
    const Part& part = parts_[p];
    const TileShape& shape = shape_of(part.type, part.form);
    const auto* data = static_cast<const std::byte*>(sources[p].data);
    const size_t row_bytes = ggml_row_size(part.type, n_in);
    (pool != nullptr ? *pool : alone).run(tile_count(part), [&](const Tickets& tickets) {
      for (int64_t t; (t = tickets.take()) >= 0;) {
        const int64_t row = t * tile_rows;
        const int rows = static_cast<int>(std::min<int64_t>(tile_rows, part.n_out - row));
        shape.pack({data + row * row_bytes, row_bytes, n_in, rows},
                   memory + part.offset + t * part.tile_bytes);
      }
    });
  }
}

PackedMatrix PackedMatrix::pack(ggml_type type, int64_t n_in, int64_t n_out, const void* data) {
  const Source source{.type = type, .n_out = n_out, .data = data};
  return PackedMatrix(n_in, {&source, 1});
}

}  // namespace lanerope::kernels
