// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>

#include <ggml.h>

#include "kernels/thread_pool.h"

namespace lanerope::kernels {

// Rows of floats that may lie apart in memory, as those of a joined product do.
struct StridedRows {
  const float* data = nullptr;  // [n, n_rows]
  int64_t stride = 0;           // floats from a row to the next
};

// Of f32 [n, n_rows]; none of null.
inline StridedRows rows_of(const ggml_tensor* x) {
  if (x == nullptr) return {};
  assert(x->type == GGML_TYPE_F32 && x->nb[0] == sizeof(float));
  return {.data = static_cast<const float*>(x->data),
          .stride = static_cast<int64_t>(x->nb[1] / sizeof(float))};
}

struct RowRange {
  int64_t begin = 0;
  int64_t end = 0;
};

// Calls body(RowRange) for all of `n_rows` rows of `width` floats, on the pool's threads if there is a pool
// and it is worth their while.
template <typename Body>
void for_rows(ThreadPool* pool, int64_t n_rows, int64_t width, const Body& body) {
  // Below this it is done before another thread has heard of it.
  constexpr int64_t worth_sharing = 32768;
  if (pool == nullptr || n_rows * width < worth_sharing) return body(RowRange{0, n_rows});
  const int64_t together = std::max<int64_t>(1, worth_sharing / 4 / width);
  pool->run((n_rows + together - 1) / together, [&](const Tickets& tickets) {
    for (int64_t ticket; (ticket = tickets.take()) >= 0;)
      body(RowRange{ticket * together, std::min((ticket + 1) * together, n_rows)});
  });
}

}  // namespace lanerope::kernels
