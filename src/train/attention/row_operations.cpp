// SPDX-License-Identifier: Apache-2.0
#include "train/attention/row_operations.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "train/attention/row_kernel.h"

namespace lanerope::train {

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows whose sums are added up on their own; not a matter of how many threads there are.
constexpr int64_t chunk_rows = 256;

bool ours(const Tensor& x) {
  return x.is_cpu() && x.scalar_type() == torch::kFloat32;
}

template <typename Run>
void for_each_chunk(int64_t n_rows, const Run& run) {
  const int64_t n_chunks = (n_rows + chunk_rows - 1) / chunk_rows;
  at::parallel_for(0, n_chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      run(c, RowRange{.begin = c * chunk_rows, .end = std::min(n_rows, (c + 1) * chunk_rows)});
    }
  });
}

class RmsNorm : public torch::autograd::Function<RmsNorm> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x_in, const Tensor& weight_in,
                        double epsilon) {
    const Tensor x = x_in.contiguous();            // (..., width)
    const Tensor weight = weight_in.contiguous();  // (width)
    const int64_t n_rows = x.numel() / x.size(-1);
    const Tensor inverse = torch::empty({n_rows}, x.options());
    const Tensor out = torch::empty_like(x);
    const RmsNormRows rows{.width = x.size(-1),
                           .epsilon = static_cast<float>(epsilon),
                           .x = x.data_ptr<float>(),
                           .weight = weight.data_ptr<float>(),
                           .inverse = inverse.data_ptr<float>(),
                           .out = out.data_ptr<float>()};
    for_each_chunk(n_rows, [&](int64_t, RowRange range) { rms_norm_forward(rows, range); });
    context->save_for_backward({x, weight, inverse});
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& d_outs) {
    const variable_list saved = context->get_saved_variables();
    const Tensor& x = saved[0];
    const int64_t width = x.size(-1);
    const int64_t n_rows = x.numel() / width;
    const Tensor d_out = d_outs[0].contiguous();
    const Tensor d_x = torch::empty_like(x);
    const Tensor d_weights = torch::zeros({(n_rows + chunk_rows - 1) / chunk_rows, width}, x.options());
    const RmsNormRows rows{.width = width,
                           .x = x.data_ptr<float>(),
                           .weight = saved[1].data_ptr<float>(),
                           .inverse = saved[2].data_ptr<float>(),
                           .d_out = d_out.data_ptr<float>(),
                           .d_x = d_x.data_ptr<float>()};
    for_each_chunk(n_rows, [&](int64_t chunk, RowRange range) {
      RmsNormRows own = rows;
      own.d_weight = d_weights.data_ptr<float>() + chunk * width;
      rms_norm_backward(own, range);
    });
    return {d_x, d_weights.sum(0), Tensor()};
  }
};

class Swiglu : public torch::autograd::Function<Swiglu> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& gate_up_in, torch::ScalarType kept) {
    const Tensor gate_up = gate_up_in.contiguous();  // (n_tokens, 2 * n_ffn)
    const int64_t width = gate_up.size(1) / 2;
    const Tensor out = torch::empty({gate_up.size(0), width}, gate_up.options());
    const SwigluRows rows{.width = width, .gate_up = gate_up.data_ptr<float>(), .out = out.data_ptr<float>()};
    for_each_chunk(gate_up.size(0), [&](int64_t, RowRange range) { swiglu_forward(rows, range); });
    if (gate_up_in.requires_grad()) context->save_for_backward({gate_up.to(kept)});
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& d_outs) {
    const variable_list saved = context->get_saved_variables();
    const Tensor gate_up = saved[0].to(torch::kFloat32);
    const Tensor d_out = d_outs[0].contiguous();
    const Tensor d_gate_up = torch::empty_like(gate_up);
    const SwigluRows rows{.width = gate_up.size(1) / 2,
                          .gate_up = gate_up.data_ptr<float>(),
                          .d_out = d_out.data_ptr<float>(),
                          .d_gate_up = d_gate_up.data_ptr<float>()};
    for_each_chunk(gate_up.size(0), [&](int64_t, RowRange range) { swiglu_backward(rows, range); });
    return {d_gate_up, Tensor()};
  }
};

class RotatePairs : public torch::autograd::Function<RotatePairs> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x_in, const Tensor& angle,
                        const Tensor& cos_in, const Tensor& sin_in) {
    const bool rows_whole = x_in.stride(2) == 1 && x_in.stride(1) == x_in.size(2);
    const Tensor x = rows_whole ? x_in : x_in.contiguous();  // (n_tokens, n_head, head_dim)
    const Tensor cos = cos_in.contiguous();                  // (n_tokens, head_dim / 2)
    const Tensor sin = sin_in.contiguous();                  // (n_tokens, head_dim / 2)
    const Tensor out = torch::empty(x.sizes(), x.options());
    RotateRows rows = rows_of(x, cos, sin);
    rows.x = x.data_ptr<float>();
    rows.out = out.data_ptr<float>();
    for_each_chunk(x.size(0), [&](int64_t, RowRange range) { rotate_forward(rows, range); });
    const bool learned = angle.requires_grad();
    context->saved_data["learned"] = learned;
    context->save_for_backward({cos, sin, learned ? x : Tensor()});
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& d_outs) {
    const variable_list saved = context->get_saved_variables();
    const bool learned = context->saved_data["learned"].toBool();
    const Tensor d_out = d_outs[0].contiguous();
    const Tensor d_x = torch::empty_like(d_out);
    const Tensor d_angle = learned ? torch::empty_like(saved[0]) : Tensor();  // (n_tokens, head_dim / 2)
    RotateRows rows = rows_of(learned ? saved[2] : d_out, saved[0], saved[1]);
    rows.d_out = d_out.data_ptr<float>();
    rows.d_x = d_x.data_ptr<float>();
    if (learned) {
      rows.x = saved[2].data_ptr<float>();
      rows.d_angle = d_angle.data_ptr<float>();
    }
    for_each_chunk(d_out.size(0), [&](int64_t, RowRange range) { rotate_backward(rows, range); });
    return {d_x, d_angle, Tensor(), Tensor()};
  }

 private:
  static RotateRows rows_of(const Tensor& x, const Tensor& cos, const Tensor& sin) {
    return {.n_head = x.size(1),
            .head_dim = x.size(2),
            .x_stride = x.stride(0),
            .cos = cos.data_ptr<float>(),
            .sin = sin.data_ptr<float>()};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weight, double epsilon) {
  TORCH_CHECK(weight.dim() == 1 && x.size(-1) == weight.size(0),
              "The weight of a norm must be as long as the rows that it scales.");
  if (ours(x) && ours(weight)) return RmsNorm::apply(x, weight, epsilon);
  return at::rms_norm(x, {x.size(-1)}, weight, epsilon);
}

Tensor swiglu(const Tensor& gate_up, torch::ScalarType kept) {
  TORCH_CHECK(gate_up.dim() == 2 && gate_up.size(1) % 2 == 0, "Gate and up must lie side by side in rows.");
  if (ours(gate_up)) return Swiglu::apply(gate_up, kept);
  const auto halves = gate_up.chunk(2, 1);
  return at::silu(halves[0]) * halves[1];
}

Tensor rotate_pairs(const Tensor& x, const PairAngles& angles) {
  TORCH_CHECK(x.dim() == 3 && x.size(2) % 2 == 0, "What is rotated must be (n_tokens, n_head, head_dim).");
  for (const Tensor& t : {angles.cos, angles.sin}) {
    TORCH_CHECK(t.dim() == 2 && t.size(0) == x.size(0) && 2 * t.size(1) == x.size(2),
                "Cosines and sines must be (n_tokens, head_dim / 2).");
  }
  const bool learned = angles.angle.defined() && angles.angle.requires_grad();
  if (ours(x) && ours(angles.cos) && ours(angles.sin)) {
    // Functions take no undefined tensors.
    return RotatePairs::apply(x, learned ? angles.angle : angles.cos, angles.cos, angles.sin);
  }
  const Tensor cos = (learned ? angles.angle.cos() : angles.cos).unsqueeze(1);
  const Tensor sin = (learned ? angles.angle.sin() : angles.sin).unsqueeze(1);
  const auto halves = x.chunk(2, 2);
  return torch::cat({halves[0] * cos - halves[1] * sin, halves[0] * sin + halves[1] * cos}, 2);
}

}  // namespace lanerope::train
