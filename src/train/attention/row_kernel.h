// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lanerope::train {

// Rows [begin, end); what a pointer names is [n_rows, ...], the last dimension fastest.
struct RowRange {
  int64_t begin = 0;
  int64_t end = 0;
};

struct RmsNormRows {
  int64_t width = 0;
  float epsilon = 0.0F;
  const float* x = nullptr;       // [n_rows, width]
  const float* weight = nullptr;  // [width]
  float* inverse = nullptr;       // [n_rows] of the root mean square; written forward, read backward
  float* out = nullptr;           // [n_rows, width] forward
  const float* d_out = nullptr;   // [n_rows, width] backward
  float* d_x = nullptr;           // [n_rows, width] backward
  float* d_weight = nullptr;      // [width] backward: added to
};
void rms_norm_forward(const RmsNormRows&, RowRange);
void rms_norm_backward(const RmsNormRows&, RowRange);

struct SwigluRows {
  int64_t width = 0;               // n_ffn
  const float* gate_up = nullptr;  // [n_rows, 2 * width]
  float* out = nullptr;            // [n_rows, width] forward
  const float* d_out = nullptr;    // [n_rows, width] backward
  float* d_gate_up = nullptr;      // [n_rows, 2 * width] backward
};
void swiglu_forward(const SwigluRows&, RowRange);
void swiglu_backward(const SwigluRows&, RowRange);

struct RotateRows {
  int64_t n_head = 0;
  int64_t head_dim = 0;
  int64_t x_stride = 0;          // from row to row of x; other tensors have no gaps
  const float* cos = nullptr;    // [n_rows, head_dim / 2]
  const float* sin = nullptr;    // [n_rows, head_dim / 2]
  const float* x = nullptr;      // [n_rows, n_head, head_dim] forward, and backward with d_angle
  float* out = nullptr;          // [n_rows, n_head, head_dim] forward
  const float* d_out = nullptr;  // [n_rows, n_head, head_dim] backward
  float* d_x = nullptr;          // [n_rows, n_head, head_dim] backward
  float* d_angle = nullptr;      // [n_rows, head_dim / 2] backward, may be null
};
void rotate_forward(const RotateRows&, RowRange);
void rotate_backward(const RotateRows&, RowRange);

}  // namespace lanerope::train
