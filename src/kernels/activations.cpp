// SPDX-License-Identifier: Apache-2.0
#include "kernels/activations.h"

#include "kernels/low_rank.h"
#include "kernels/thread_pool.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activations.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/highway.h>

#include "kernels/mean_square-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<float, 16> df;
const hn::RebindToSigned<decltype(df)> di32;
using F = hn::Vec<decltype(df)>;
constexpr size_t vector_size = hn::MaxLanes(df);

// One column's place in its panel.
struct Place {
  std::byte* panel;
  int column;   // in the panel
  int columns;  // of the panel
};

// Quantises `n` values (a multiple of 32) to int8 with one scale and writes them into the panel.
void quantise_block(const float* values, int64_t n, int64_t first, const Place& place,
                    const ActivationLayout& layout) {
  F top = hn::Zero(df);
  for (int64_t i = 0; i < n; i += vector_size) top = hn::Max(top, hn::Abs(hn::Load(df, values + i)));
  const float most = hn::ReduceMax(df, top);
  // Below this 127 / most overflows; such a block is nothing beside any bias.
  const bool zero = !(most > 1e-36F);
  const F inverse = hn::Set(df, zero ? 0.0F : 127.0F / most);

  const int64_t c = place.column;
  const int64_t columns = place.columns;
  int32_t sum16[16];
  auto* quants = reinterpret_cast<int8_t*>(place.panel + c * layout.values_bytes() + first);
  const hn::Rebind<int8_t, decltype(df)> di8;
  for (int64_t i = 0; i < n; i += 16) {
    auto sum = hn::Zero(di32);
    for (int64_t j = 0; j < 16; j += vector_size) {
      const auto q = hn::NearestInt(hn::Mul(hn::Load(df, values + i + j), inverse));
      hn::StoreU(hn::DemoteTo(di8, q), di8, quants + i + j);
      sum = hn::Add(sum, q);
    }
    sum16[i / 16] = hn::ReduceSum(di32, sum);
  }

  auto* scales = reinterpret_cast<float*>(place.panel + layout.scales() * columns);
  scales[first / n * columns + c] = zero ? 0.0F : most / 127.0F;
  auto* sums = reinterpret_cast<int32_t*>(place.panel + layout.sums() * columns);
  if (layout.form == ActivationForm::blocks_of_32) {
    sums[first / 32 * columns + c] = -(sum16[0] + sum16[1]);
    return;
  }
  auto* mins = reinterpret_cast<float*>(place.panel + layout.mins() * columns);
  for (int64_t b = 0; b < 16; ++b) sums[(first / 16 + b) * columns + c] = -32 * sum16[b];
  for (int64_t b = 0; b < 8; ++b) {
    mins[(first / 32 + b) * columns + c] = static_cast<float>(sum16[2 * b] + sum16[2 * b + 1]);
  }
}

// 256 inputs of a column, of which some may be missing at the end.
void read_inputs(const ActivationParameters& parameters, const float* x, int64_t first, int64_t present,
                 float norm, float* values) {
  if (parameters.norm_weight == nullptr) {
    std::memcpy(values, x + first, present * sizeof(float));
  } else {
    for (int64_t i = 0; i < present; ++i) values[i] = x[first + i] * norm * parameters.norm_weight[first + i];
  }
  std::fill(values + present, values + LowRank::chunk, 0.0F);
}

// Writes `size` inputs of a column from `first` on.
void write_inputs(const float* values, int64_t size, int64_t first, const Place& place,
                  const ActivationLayout& layout) {
  if (layout.form == ActivationForm::f32) {
    auto* out = reinterpret_cast<float*>(place.panel) + first * place.columns + place.column;
    for (int64_t i = 0; i < size; ++i) out[i * place.columns] = values[i];
    return;
  }
  for (int64_t i = 0; i < size; i += layout.block())
    quantise_block(values + i, layout.block(), first + i, place, layout);
}

// Threads share the inputs, not the columns, whose values lie side by side.
void prepare(const ActivationParameters& parameters, const ColumnJob& job) {
  const ActivationLayout layout(parameters.form, job.n_in);
  const int64_t chunks = (layout.n_in + LowRank::chunk - 1) / LowRank::chunk;
  const int64_t begin = chunks * job.thread / job.n_threads;
  const int64_t end = chunks * (job.thread + 1) / job.n_threads;
  if (begin == end) return;

  // Some columns of a panel at a time.
  constexpr int together = ActivationLayout::float_panel;
  HWY_ALIGN float values[together * LowRank::chunk];
  for (int64_t column = 0; column < job.n_columns; column += together) {
    const auto columns = static_cast<int>(std::min<int64_t>(together, job.n_columns - column));
    const float* x[together] = {};
    for (int c = 0; c < columns; ++c) {
      const int64_t at = job.columns != nullptr ? job.columns[column + c] : column + c;
      x[c] = job.x + at * job.column_stride;
    }
    const int64_t panel = column / layout.panel_columns() * layout.panel_columns();
    Place place{job.prepared + panel * layout.column_bytes(), static_cast<int>(column - panel),
                static_cast<int>(std::min<int64_t>(layout.panel_columns(), job.n_columns - panel))};
    float norms[together] = {};
    for (int c = 0; c < columns && parameters.norm_weight != nullptr; ++c) {
      norms[c] = 1.0F / std::sqrt(mean_square(x[c], job.n_in) + parameters.norm_epsilon);
    }
    for (int64_t k = begin; k < end; ++k) {
      const int64_t first = k * LowRank::chunk;
      const int64_t size = std::min<int64_t>(LowRank::chunk, layout.n_in - first);
      const int64_t present = std::clamp<int64_t>(job.n_in - first, 0, size);
      for (int c = 0; c < columns; ++c) {
        float* of_column = values + c * LowRank::chunk;
        read_inputs(parameters, x[c], first, present, norms[c], of_column);
        write_inputs(of_column, size, first, {place.panel, place.column + c, place.columns}, layout);
      }
      if (job.corrections != nullptr)
        add_down(*job.corrections, {values, job.first_column + column, columns, k});
    }
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(prepare);

ActivationLayout::ActivationLayout(ActivationForm column_form, int64_t inputs) : form(column_form) {
  const int64_t step = form == ActivationForm::f32 ? 16 : form == ActivationForm::blocks_of_32 ? 64 : 256;
  n_in = (inputs + step - 1) / step * step;
}

int64_t ActivationLayout::block() const {
  return form == ActivationForm::blocks_of_256 ? 256 : 32;
}

size_t ActivationLayout::values_bytes() const {
  return form == ActivationForm::f32 ? n_in * sizeof(float) : n_in / 128 * 128 + 64;
}

size_t ActivationLayout::sums() const {
  return scales() + n_in / block() * sizeof(float);
}

size_t ActivationLayout::mins() const {
  return sums() + n_in / (form == ActivationForm::blocks_of_32 ? 32 : 16) * sizeof(int32_t);
}

size_t ActivationLayout::column_bytes() const {
  switch (form) {
    case ActivationForm::f32:
      return values_bytes();
    case ActivationForm::blocks_of_32:
      return mins();
    case ActivationForm::blocks_of_256:
      return mins() + n_in / 32 * sizeof(float);
  }
  return 0;
}

void prepare_activations(const ActivationParameters& parameters, const ColumnJob& job) {
  HWY_DYNAMIC_DISPATCH(prepare)(parameters, job);
}

namespace {

// Cuts the columns into panels and these, where there are few, into runs of inputs.
void prepare_on_pool(const ActivationParameters& parameters, const ColumnJob& job) {
  const ActivationLayout layout(parameters.form, job.n_in);
  const int64_t width = layout.panel_columns();
  ThreadPool& pool = *parameters.pool;
  const int64_t panels = (job.n_columns + width - 1) / width;
  const int64_t chunks = (layout.n_in + LowRank::chunk - 1) / LowRank::chunk;
  const int64_t runs = std::clamp<int64_t>((2 * pool.n_threads() + panels - 1) / panels, 1, chunks);
  pool.run(panels * runs, [&](const Tickets& tickets) {
    ColumnJob share = job;
    share.n_threads = static_cast<int>(runs);
    for (int64_t ticket; (ticket = tickets.take()) >= 0;) {
      const int64_t first = ticket / runs * width;
      share.x = job.x + first * job.column_stride;
      share.n_columns = std::min(width, job.n_columns - first);
      share.prepared = job.prepared + first * layout.column_bytes();
      share.first_column = first;
      share.thread = static_cast<int>(ticket % runs);
      prepare_activations(parameters, share);
    }
  });
}

void run_prepare(ggml_tensor* prepared, int thread, int n_threads, void* data) {
  const ggml_tensor* from = prepared->src[0];
  assert(from->nb[0] == sizeof(float));
  const auto& parameters = *static_cast<const ActivationParameters*>(data);
  ColumnJob job{.x = static_cast<const float*>(from->data),
                .n_in = from->ne[0],
                .n_columns = from->ne[1],
                .column_stride = static_cast<int64_t>(from->nb[1] / sizeof(float)),
                .prepared = static_cast<std::byte*>(prepared->data),
                .thread = thread,
                .n_threads = n_threads};
  int64_t work = job.n_in * job.n_columns;
  const Corrections corrections = corrections_of(parameters, prepared, job.n_in);
  if (corrections.of != nullptr) {
    job.corrections = &corrections;
    // For one column most of it is reading the adapters' weights.
    work += job.n_in * corrections.of->ranks() * (8 + job.n_columns) / 8;
  }
  // Below this it is done before another thread has heard of it.
  constexpr int64_t worth_sharing = 32768;
  if (parameters.pool == nullptr || work < worth_sharing) {
    prepare_activations(parameters, job);
  } else {
    prepare_on_pool(parameters, job);
  }
  if (corrections.of != nullptr) finish_down(corrections);
}

}  // namespace

Corrections corrections_of(const ActivationParameters& parameters, const ggml_tensor* prepared,
                           int64_t n_in) {
  const ggml_tensor* scales = prepared->src[1];
  if (scales == nullptr) return {};
  const ActivationLayout layout(parameters.form, n_in);
  auto* memory = static_cast<std::byte*>(prepared->data) + layout.column_bytes() * prepared->ne[1];
  return {.of = parameters.low_rank,
          .scales = {static_cast<const float*>(scales->data), scales->ne[0]},
          .memory = reinterpret_cast<float*>(memory),
          .n_columns = prepared->ne[1]};
}

ggml_tensor* prepare_activations(ggml_context* context, const ActivationParameters* parameters,
                                 ggml_tensor* x, ggml_tensor* scales) {
  assert(x->type == GGML_TYPE_F32);
  const ActivationLayout layout(parameters->form, x->ne[0]);
  size_t column_bytes = layout.column_bytes();
  if (scales != nullptr) {
    assert(parameters->pool != nullptr && parameters->low_rank != nullptr && ggml_is_contiguous(scales));
    assert(scales->ne[0] >= parameters->low_rank->n_adapters() && scales->ne[1] == x->ne[1]);
    column_bytes += parameters->low_rank->column_bytes();
  }
  ggml_tensor* arguments[] = {x, scales};
  return ggml_custom_4d(context, GGML_TYPE_I8, static_cast<int64_t>(column_bytes), x->ne[1], 1, 1, arguments,
                        scales != nullptr ? 2 : 1, run_prepare,
                        parameters->pool != nullptr ? 1 : GGML_N_TASKS_MAX,
                        const_cast<ActivationParameters*>(parameters));
}

}  // namespace lanerope::kernels
#endif
