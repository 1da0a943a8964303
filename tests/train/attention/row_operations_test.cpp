// SPDX-License-Identifier: Apache-2.0
#include "train/attention/row_operations.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <functional>

namespace lanerope::train {
namespace {

using Inputs = std::vector<torch::Tensor>;
using Operation = std::function<torch::Tensor(const Inputs&)>;

struct Passes {
  torch::Tensor out;
  Inputs gradients;
};

Passes passes(const Operation& operation, const Inputs& inputs, const torch::Tensor& d_out) {
  Inputs leaves;
  for (const torch::Tensor& t : inputs) {
    leaves.push_back(t.detach().to(d_out.scalar_type()).clone().set_requires_grad(true));
  }
  Passes result{.out = operation(leaves), .gradients = {}};
  result.out.backward(d_out);
  for (const torch::Tensor& leaf : leaves) result.gradients.push_back(leaf.grad());
  return result;
}

void expect_close(const torch::Tensor& got, const torch::Tensor& expected, double tolerance) {
  ASSERT_EQ(got.sizes(), expected.sizes());
  const double scale = 1.0 + expected.abs().max().item<double>();
  EXPECT_LE((got.to(torch::kFloat64) - expected).abs().max().item<double>(), tolerance * scale);
}

// Kernel in single precision against a formula in double, value and gradients.
void expect_formula(const Operation& operation, const Operation& formula, const Inputs& inputs) {
  const torch::Tensor d_out = torch::randn_like(operation(inputs));
  const Passes got = passes(operation, inputs, d_out);
  const Passes expected = passes(formula, inputs, d_out.to(torch::kFloat64));
  expect_close(got.out, expected.out, 1e-6);
  for (size_t i = 0; i < inputs.size(); ++i) {
    SCOPED_TRACE(i);
    expect_close(got.gradients[i], expected.gradients[i], 3e-6);
  }
}

// The gradient along random directions against differences of the operation in double.
void expect_differences(const Operation& operation, const Inputs& inputs) {
  Inputs at;
  for (const torch::Tensor& t : inputs) at.push_back(t.to(torch::kFloat64));
  const torch::Tensor d_out = torch::randn_like(operation(at));
  const Passes exact = passes(operation, at, d_out);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const torch::Tensor direction = torch::randn_like(at[i]);
    const auto along = [&](double distance) {
      Inputs moved = at;
      moved[i] = at[i] + distance * direction;
      return (operation(moved) * d_out).sum().item<double>();
    };
    const double slope = (along(1e-5) - along(-1e-5)) / 2e-5;
    EXPECT_NEAR(slope, (exact.gradients[i] * direction).sum().item<double>(), 1e-6 * (1 + std::abs(slope)))
        << i;
  }
}

class RowOperationsTest : public ::testing::Test {
 protected:
  void SetUp() override { torch::manual_seed(3); }
};

TEST_F(RowOperationsTest, RmsNorm) {
  const Operation operation = [](const Inputs& in) { return rms_norm(in[0], in[1], 1e-3); };
  const Operation formula = [](const Inputs& in) {
    return in[0] / (in[0].square().mean(-1, true) + 1e-3).sqrt() * in[1];
  };
  for (const int64_t width : {1, 7, 16, 40, 128, 300}) {
    expect_formula(operation, formula, {torch::randn({700, width}), torch::randn({width})});
  }
  expect_formula(operation, formula, {torch::randn({30, 4, 32}), torch::randn({32})});
  expect_differences(operation, {torch::randn({9, 12}), torch::randn({12})});
}

TEST_F(RowOperationsTest, Swiglu) {
  const Operation operation = [](const Inputs& in) { return swiglu(in[0]); };
  const Operation formula = [](const Inputs& in) {
    const auto n = in[0].size(1) / 2;
    const torch::Tensor gate = in[0].slice(1, 0, n);
    return gate / (1 + (-gate).exp()) * in[0].slice(1, n);
  };
  for (const int64_t width : {1, 5, 16, 344, 512}) {
    expect_formula(operation, formula, {4 * torch::randn({300, 2 * width})});
  }
  expect_differences(operation, {torch::randn({9, 12})});
  const torch::Tensor far = torch::tensor({{1e4F, -1e4F, 0.0F, 1.0F, 1.0F, 1.0F}});
  EXPECT_TRUE(torch::equal(swiglu(far), torch::tensor({{1e4F, 0.0F, 0.0F}})));
}

TEST_F(RowOperationsTest, SwigluKeepsWhatItReadInTheTypeThatIsAsked) {
  const Operation halved = [](const Inputs& in) { return swiglu(in[0], torch::kBFloat16); };
  const Operation whole = [](const Inputs& in) { return swiglu(in[0]); };
  const torch::Tensor gate_up = torch::randn({30, 24});
  const torch::Tensor d_out = torch::randn({30, 12});
  const Passes got = passes(halved, {gate_up}, d_out);
  EXPECT_TRUE(torch::equal(got.out, swiglu(gate_up))) << "the way there is as exact as ever";
  const torch::Tensor rounded = gate_up.to(torch::kBFloat16).to(torch::kFloat32);
  EXPECT_TRUE(torch::equal(got.gradients[0], passes(whole, {rounded}, d_out).gradients[0]));
}

TEST_F(RowOperationsTest, RotatePairs) {
  // The angle is the second input, so that its gradient is compared too.
  const Operation operation = [](const Inputs& in) {
    return rotate_pairs(in[0], {.angle = in[1], .cos = in[1].detach().cos(), .sin = in[1].detach().sin()});
  };
  const Operation formula = [](const Inputs& in) {
    const auto half = in[1].size(1);
    const torch::Tensor rotated = torch::complex(in[0].slice(2, 0, half), in[0].slice(2, half)) *
                                  torch::polar(torch::ones_like(in[1]), in[1]).unsqueeze(1);
    return torch::cat({torch::real(rotated), torch::imag(rotated)}, 2);
  };
  for (const int64_t head_dim : {2, 16, 32, 40, 64, 128}) {
    expect_formula(operation, formula,
                   {torch::randn({270, 4, head_dim}), 3 * torch::randn({270, head_dim / 2})});
  }
  expect_differences(operation, {torch::randn({9, 3, 12}), torch::randn({9, 6})});
}

TEST_F(RowOperationsTest, RotatePairsTakesViewsAndNoAngle) {
  const torch::Tensor all = torch::randn({50, 8 * 32}).set_requires_grad(true);
  const torch::Tensor angle = torch::randn({50, 16});
  const PairAngles angles{.angle = {}, .cos = angle.cos(), .sin = angle.sin()};
  const torch::Tensor out = rotate_pairs(all.slice(1, 64, 192).view({50, 4, 32}), angles);
  EXPECT_TRUE(torch::equal(out, rotate_pairs(all.slice(1, 64, 192).contiguous().view({50, 4, 32}), angles)));
  out.backward(torch::ones_like(out));
  const PairAngles back{.angle = {}, .cos = angle.cos(), .sin = -angle.sin()};
  const torch::Tensor expected = rotate_pairs(torch::ones({50, 4, 32}), back).view({50, 128});
  EXPECT_TRUE(torch::allclose(all.grad().slice(1, 64, 192), expected));
}

TEST_F(RowOperationsTest, ThreadsDoNotChangeABit) {
  const Inputs inputs{torch::randn({3000, 96}), torch::randn({96})};
  const torch::Tensor d_out = torch::randn({3000, 96});
  const Operation operation = [](const Inputs& in) { return rms_norm(in[0], in[1], 1e-6); };
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Passes one = passes(operation, inputs, d_out);
  at::set_num_threads(3);
  const Passes three = passes(operation, inputs, d_out);
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(one.out, three.out));
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(torch::equal(one.gradients[i], three.gradients[i]));
}

}  // namespace
}  // namespace lanerope::train
