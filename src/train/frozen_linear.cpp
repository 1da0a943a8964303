// SPDX-License-Identifier: Apache-2.0
#include "train/frozen_linear.h"

#include <torch/torch.h>

#include <algorithm>
#include <cassert>

namespace lanerope::train {

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr size_t most_pairs = 3;  // attn_q, attn_k, attn_v

// libtorch's functions take no undefined tensors: one without elements stands for none.
bool is_there(const Tensor& tensor) {
  return tensor.numel() > 0;
}
Tensor or_none(const Tensor& tensor) {
  return tensor.defined() ? tensor : torch::empty({0});
}

class Product : public torch::autograd::Function<Product> {
 public:
  // `a` holds A of all pairs, one after the other; of b there are as many as pairs.
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const Tensor& gate, const Tensor& a, const Tensor& b0, const Tensor& b1,
                        const Tensor& b2, const std::vector<int64_t>& first_rows, double scale) {
    const auto type = weight.scalar_type();
    const Tensor input = x.to(type);                              // (n, n_in)
    Tensor y = torch::linear(input, weight).to(torch::kFloat32);  // (n, n_out)
    if (is_there(bias)) y.add_(bias);
    context->saved_data["scale"] = scale;
    context->saved_data["first_rows"] = first_rows;
    context->saved_data["has_a"] = is_there(a);
    if (!is_there(a)) {
      context->save_for_backward({weight});
      return y;
    }
    const Tensor low_a = a.to(type);
    Tensor inner = torch::linear(input, low_a);  // (n, sum of ranks)
    if (is_there(gate)) inner = inner * gate.to(type);
    variable_list saved = {weight, input, inner, low_a, gate};
    int64_t first_rank = 0;
    for (const Tensor* b : {&b0, &b1, &b2}) {
      if (!is_there(*b)) break;
      const Tensor low_b = b->to(type);
      const Tensor part = torch::linear(inner.narrow(1, first_rank, b->size(1)), low_b);  // (n, n_out of it)
      y.narrow(1, first_rows[saved.size() - 5], b->size(0)).add_(part, scale);
      first_rank += b->size(1);
      saved.push_back(low_b);
    }
    context->save_for_backward(saved);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& d_outs) {
    const variable_list saved = context->get_saved_variables();
    const Tensor& weight = saved[0];
    const Tensor d_y = d_outs[0].to(weight.scalar_type()).contiguous();  // (n, n_out)
    Tensor d_x = torch::mm(d_y, weight);                                 // (n, n_in)
    variable_list result(10);
    if (!context->saved_data["has_a"].toBool()) {
      result[0] = d_x.to(torch::kFloat32);
      return result;
    }
    const double scale = context->saved_data["scale"].toDouble();
    const std::vector<int64_t> first_rows = context->saved_data["first_rows"].toIntVector();
    const Tensor& input = saved[1];
    const Tensor& inner = saved[2];
    const Tensor& a = saved[3];
    const Tensor& gate = saved[4];
    Tensor d_inner = torch::empty_like(inner);
    int64_t first_rank = 0;
    for (size_t i = 5; i < saved.size(); ++i) {
      const Tensor& b = saved[i];
      const int64_t rank = b.size(1);
      const Tensor d_part = d_y.narrow(1, first_rows[i - 5], b.size(0));
      d_inner.narrow(1, first_rank, rank).copy_(torch::mm(d_part, b));
      result[i] = torch::mm(d_part.t(), inner.narrow(1, first_rank, rank)).to(torch::kFloat32).mul_(scale);
      first_rank += rank;
    }
    d_inner.mul_(scale);
    if (is_there(gate)) d_inner.mul_(gate.to(d_inner.scalar_type()));
    result[4] = torch::mm(d_inner.t(), input).to(torch::kFloat32);
    result[0] = d_x.addmm_(d_inner, a).to(torch::kFloat32);
    return result;
  }
};

class TargetLogProbabilities : public torch::autograd::Function<TargetLogProbabilities> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& head, const Tensor& targets,
                        double scale, bool with_gradient) {
    constexpr int64_t chunk = 256;
    const int64_t n = x.size(0);
    const Tensor out = torch::empty({n}, x.options().dtype(torch::kFloat32));
    const Tensor slope = with_gradient ? torch::empty_like(x, torch::kFloat32) : Tensor();  // d out / d x
    for (int64_t first = 0; first < n; first += chunk) {
      const int64_t count = std::min(chunk, n - first);
      const Tensor input = x.narrow(0, first, count).to(head.scalar_type());
      const Tensor wanted = targets.narrow(0, first, count).unsqueeze(1);  // (count, 1)
      Tensor logits = torch::linear(input, head).to(torch::kFloat32);      // (count, n_vocab)
      if (scale != 1) logits.mul_(scale);
      const Tensor log_sum = torch::logsumexp(logits, 1, /*keepdim=*/true);  // (count, 1)
      out.narrow(0, first, count).copy_((logits.gather(1, wanted) - log_sum).squeeze(1));
      if (!with_gradient) continue;
      logits.sub_(log_sum).exp_();  // probabilities
      const Tensor mean = torch::mm(logits.to(head.scalar_type()), head).to(torch::kFloat32);
      const Tensor rows = head.index_select(0, wanted.squeeze(1)).to(torch::kFloat32);
      slope.narrow(0, first, count).copy_((rows - mean) * scale);
    }
    if (with_gradient) context->save_for_backward({slope});
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& d_outs) {
    const Tensor slope = context->get_saved_variables()[0];
    return {slope * d_outs[0].unsqueeze(1), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor frozen_linear(const Tensor& x, const FrozenLinear& linear) {
  assert(linear.pairs.size() <= most_pairs);
  std::vector<Tensor> all_a;
  std::vector<Tensor> all_b(most_pairs);
  std::vector<int64_t> first_rows;
  for (const LowRankPair& pair : linear.pairs) {
    all_b[all_a.size()] = pair.b;
    all_a.push_back(pair.a);
    first_rows.push_back(pair.first_row);
  }
  const Tensor a = all_a.empty() ? torch::empty({0}) : all_a.size() == 1 ? all_a[0] : torch::cat(all_a);
  return Product::apply(x, linear.weight, or_none(linear.bias), or_none(linear.gate), a, or_none(all_b[0]),
                        or_none(all_b[1]), or_none(all_b[2]), first_rows, linear.scale);
}

Tensor target_log_probabilities(const Tensor& x, const Tensor& head, const Tensor& targets,
                                double logit_scale) {
  const bool with_gradient = torch::GradMode::is_enabled() && x.requires_grad();
  return TargetLogProbabilities::apply(x, head, targets, logit_scale, with_gradient);
}

}  // namespace lanerope::train
