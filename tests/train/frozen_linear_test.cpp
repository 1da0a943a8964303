// SPDX-License-Identifier: Apache-2.0
// Against the same formulas left to libtorch's own gradients.
#include "train/frozen_linear.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace lanerope::train {
namespace {

using torch::Tensor;

constexpr int64_t n = 37;
constexpr int64_t n_in = 24;

double largest(const Tensor& difference) {
  return difference.abs().max().item<double>();
}

// Inputs and pairs that want gradients, of their own in each call.
struct Case {
  explicit Case(bool with_gate, bool with_bias) {
    torch::manual_seed(1);
    x = torch::randn({n, n_in}).set_requires_grad(true);
    product.weight = torch::randn({30, n_in});
    if (with_bias) product.bias = torch::randn({30});
    if (with_gate) product.gate = (torch::rand({n, 1}) > 0.5).to(torch::kFloat32);
    product.scale = 1.5;
    // The linear in the middle, of outputs 10 to 17, has no pair.
    product.pairs = {{.a = learning({4, n_in}), .b = learning({10, 4}), .first_row = 0},
                     {.a = learning({3, n_in}), .b = learning({12, 3}), .first_row = 18}};
    wanted = torch::randn({n, 30});
  }
  static Tensor learning(std::vector<int64_t> sizes) { return torch::randn(sizes).set_requires_grad(true); }

  Tensor x;
  FrozenLinear product;
  Tensor wanted;  // what the gradient of y is
};

Tensor by_formula(const Case& c) {
  Tensor y = torch::matmul(c.x, c.product.weight.t());
  if (c.product.bias.defined()) y = y + c.product.bias;
  std::vector<Tensor> columns = y.split({10, 8, 12}, 1);
  for (const LowRankPair& pair : c.product.pairs) {
    Tensor inner = torch::matmul(c.x, pair.a.t());
    if (c.product.gate.defined()) inner = inner * c.product.gate;
    Tensor& column = columns[pair.first_row == 0 ? 0 : 2];
    column = column + c.product.scale * torch::matmul(inner, pair.b.t());
  }
  return torch::cat(columns, 1);
}

std::vector<Tensor> gradients(const Case& c) {
  std::vector<Tensor> all = {c.x.grad()};
  for (const LowRankPair& pair : c.product.pairs) {
    all.push_back(pair.a.grad());
    all.push_back(pair.b.grad());
  }
  return all;
}

TEST(FrozenLinear, IsTheProductAndItsGradients) {
  for (const bool with_gate : {false, true}) {
    const Case ours(with_gate, !with_gate);
    const Case theirs(with_gate, !with_gate);
    const Tensor y = frozen_linear(ours.x, ours.product);
    const Tensor y_formula = by_formula(theirs);
    EXPECT_LT(largest(y - y_formula), 1e-4);
    (y * ours.wanted).sum().backward();
    (y_formula * theirs.wanted).sum().backward();
    const std::vector<Tensor> a = gradients(ours);
    const std::vector<Tensor> b = gradients(theirs);
    for (size_t i = 0; i < a.size(); ++i) EXPECT_LT(largest(a[i] - b[i]), 1e-3) << "gradient " << i;
  }
}

TEST(FrozenLinear, WithoutPairsIsAPlainProduct) {
  Case c(false, false);
  c.product.pairs.clear();
  const Tensor y = frozen_linear(c.x, c.product);
  EXPECT_LT(largest(y - torch::matmul(c.x, c.product.weight.t())), 1e-4);
  (y * c.wanted).sum().backward();
  EXPECT_LT(largest(c.x.grad() - torch::matmul(c.wanted, c.product.weight)), 1e-4);
}

TEST(FrozenLinear, InBf16IsAsFarOffAsBf16Rounds) {
  Case half(true, true);
  half.product.weight = half.product.weight.to(torch::kBFloat16);
  const Case whole(true, true);
  const Tensor y = frozen_linear(half.x, half.product);
  EXPECT_EQ(y.scalar_type(), torch::kFloat32);
  const Tensor reference = by_formula(whole);
  EXPECT_LT(largest(y - reference), 0.02 * largest(reference));
  (y * half.wanted).sum().backward();
  (reference * whole.wanted).sum().backward();
  const std::vector<Tensor> a = gradients(half);
  const std::vector<Tensor> b = gradients(whole);
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_LT(largest(a[i] - b[i]), 0.03 * largest(b[i])) << "gradient " << i;
}

TEST(TargetLogProbabilities, AreThoseOfTheLogitsWithTheirGradient) {
  torch::manual_seed(2);
  constexpr int64_t rows = 600;  // more than are taken at a time
  const Tensor head = torch::randn({50, n_in});
  const Tensor targets = torch::randint(0, 50, {rows}, torch::kInt64);
  const Tensor weights = torch::randn({rows});
  const Tensor x = torch::randn({rows, n_in}).set_requires_grad(true);
  const Tensor other = x.detach().clone().set_requires_grad(true);
  const Tensor ours = target_log_probabilities(x, head, targets, 0.7);
  const Tensor all = torch::log_softmax(0.7 * torch::matmul(other, head.t()), -1);
  const Tensor theirs = all.gather(1, targets.unsqueeze(1)).squeeze(1);
  EXPECT_LT(largest(ours - theirs), 1e-4);
  (ours * weights).sum().backward();
  (theirs * weights).sum().backward();
  EXPECT_LT(largest(x.grad() - other.grad()), 1e-4);
  const torch::NoGradGuard no_gradients;
  EXPECT_LT(largest(target_log_probabilities(x, head, targets, 0.7) - theirs), 1e-4);
}

}  // namespace
}  // namespace lanerope::train
