// SPDX-License-Identifier: Apache-2.0
#include "kernels/expert_ffn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/thread_pool.h"
#include "tests/kernels/ggml_reference.h"

namespace lanerope::kernels {
namespace {

constexpr int32_t n_embd = 256;
constexpr int32_t n_ffn = 96;  // no multiple of 64: some forms are padded
constexpr int32_t n_expert = 6;
constexpr int32_t n_used = 2;
constexpr float epsilon = 1e-5F;

// The experts of one layer as a file has them, and packed.
struct Experts {
  std::vector<FileMatrix> gate = {};
  std::vector<FileMatrix> up = {};
  std::vector<FileMatrix> down = {};
  std::vector<float> gate_up_bias = {};  // gate, up, gate, up ...
  std::vector<float> down_bias = {};
  std::vector<float> norm = {};  // [n_embd]
};

class ExpertFfn : public testing::TestWithParam<ggml_type> {
 protected:
  std::vector<float> normals(size_t n, float scale = 1) {
    std::vector<float> values(n);
    for (float& v : values) v = normal_(random_) * scale;
    return values;
  }

  FileMatrix matrix(int64_t n_in, int64_t n_out) {
    return quantised(GetParam(), n_in, normals(n_in * n_out, 1 / std::sqrt(static_cast<float>(n_in))));
  }

  Experts experts() {
    Experts all{.gate_up_bias = normals(2 * n_expert * n_ffn),
                .down_bias = normals(n_expert * n_embd),
                .norm = normals(n_embd)};
    for (int32_t e = 0; e < n_expert; ++e) {
      all.gate.push_back(matrix(n_embd, n_ffn));
      all.up.push_back(matrix(n_embd, n_ffn));
      all.down.push_back(matrix(n_ffn, n_embd));
    }
    return all;
  }

  static PackedMatrix packed(const std::vector<const FileMatrix*>& matrices) {
    std::vector<PackedMatrix::Source> sources;
    for (const FileMatrix* of : matrices)
      sources.push_back({.type = of->type, .n_out = of->n_out, .data = of->bytes.data()});
    return {matrices.front()->n_in, sources};
  }

  static std::vector<float> run(const Experts& of, Gating gating, const std::vector<float>& x,
                                const std::vector<float>& scores, int n_threads) {
    std::vector<const FileMatrix*> both;
    std::vector<const FileMatrix*> down;
    for (int32_t e = 0; e < n_expert; ++e) {
      both.insert(both.end(), {&of.gate[e], &of.up[e]});
      down.push_back(&of.down[e]);
    }
    const PackedMatrix packed_both = packed(both);
    const PackedMatrix packed_down = packed(down);
    ProductParameters first(packed_both);
    first.gating = gating;
    first.bias = of.gate_up_bias.data();
    first.activations.norm_weight = of.norm.data();
    first.activations.norm_epsilon = epsilon;
    ProductParameters second(packed_down);
    second.bias = of.down_bias.data();
    ExpertWork work(n_expert, n_used);
    ThreadPool pool(n_threads);
    std::vector<float> y(x.size(), NAN);
    expert_ffn({.gate_up = &first, .down = &second, .work = &work, .pool = &pool},
               {.x = x.data(),
                .row_stride = n_embd,
                .scores = {.data = scores.data(),
                           .n_rows = static_cast<int64_t>(scores.size()) / n_expert,
                           .row_stride = n_expert},
                .y = y.data()});
    return y;
  }

  // In double precision, a row after the other.
  static double gated(Gating gating, double gate, double up) {
    if (gating == Gating::silu) return gate / (1 + std::exp(-gate)) * up;
    const double g = std::min(gate, 7.0);
    return g / (1 + std::exp(-1.702 * g)) * (std::clamp(up, -7.0, 7.0) + 1);
  }

  static std::vector<double> exact(const Experts& of, Gating gating, const std::vector<float>& x,
                                   const std::vector<float>& scores) {
    std::vector<double> y(x.size());
    for (size_t row = 0; row < x.size() / n_embd; ++row) {
      const float* in = x.data() + row * n_embd;
      double squares = 0;
      for (int32_t i = 0; i < n_embd; ++i) squares += double{in[i]} * in[i];
      std::vector<double> normed(n_embd);
      for (int32_t i = 0; i < n_embd; ++i)
        normed[i] = in[i] / std::sqrt(squares / n_embd + epsilon) * of.norm[i];

      const float* score = scores.data() + row * n_expert;
      std::vector<int32_t> order(n_expert);
      std::iota(order.begin(), order.end(), 0);
      std::ranges::sort(order, [&](int32_t a, int32_t b) { return score[a] > score[b]; });
      double total = 0;
      for (int32_t i = 0; i < n_used; ++i) total += std::exp(score[order[i]]);
      for (int32_t i = 0; i < n_used; ++i) {
        const int32_t e = order[i];
        const std::vector<double> gate = times(of.gate[e], normed, of.gate_up_bias.data() + 2 * e * n_ffn);
        std::vector<double> h = times(of.up[e], normed, of.gate_up_bias.data() + (2 * e + 1) * n_ffn);
        for (int32_t k = 0; k < n_ffn; ++k) h[k] = gated(gating, gate[k], h[k]);
        const std::vector<double> out = times(of.down[e], h, of.down_bias.data() + e * n_embd);
        for (int32_t k = 0; k < n_embd; ++k) y[row * n_embd + k] += std::exp(score[e]) / total * out[k];
      }
    }
    return y;
  }

  static std::vector<double> times(const FileMatrix& w, const std::vector<double>& x, const float* bias) {
    std::vector<double> y(w.n_out);
    for (int64_t row = 0; row < w.n_out; ++row) {
      y[row] = bias[row];
      for (int64_t i = 0; i < w.n_in; ++i) y[row] += w.values[row * w.n_in + i] * x[i];
    }
    return y;
  }

  std::mt19937 random_{3};
  std::normal_distribution<float> normal_;
};

TEST_P(ExpertFfn, IsTheWeightedSumOfWhatARowsExpertsMakeOfIt) {
  for (const auto& [gating, n_rows, size_of_norm] : {std::tuple<Gating, size_t, float>{Gating::silu, 1, 1},
                                                     {Gating::silu, 3, 1},
                                                     {Gating::silu, 17, 1},
                                                     {Gating::clamped_silu, 9, 6},
                                                     {Gating::clamped_silu, 9, 100}}) {
    Experts of = experts();
    for (float& weight : of.norm) weight *= size_of_norm;
    const std::vector<float> x = normals(n_rows * n_embd);
    const std::vector<float> scores = normals(n_rows * n_expert, 2);
    const std::vector<double> expected = exact(of, gating, x, scores);
    double size = 0;
    for (const double v : expected) size = std::max(size, std::abs(v));
    // Quantised types round their columns to 8 bits, and where the gate's clamp begins that tells most.
    const double rounding = gating == Gating::silu ? 6e-3 : 1.2e-2;
    const bool rounds =
        ggml_is_quantized(GetParam()) && PackedMatrix::column_form(GetParam()) != ActivationForm::f32;
    for_each_instruction_set([&](const char*) {
      EXPECT_LT(root_mean_square(expected, run(of, gating, x, scores, 2)), size * (rounds ? rounding : 1e-6))
          << n_rows << " rows";
    });
  }
}

// The last group of rows has more columns of one expert than a product takes at once.
TEST_P(ExpertFfn, GivesARowTheSameBitsWhateverElseIsInTheBatch) {
  const Experts of = experts();
  constexpr size_t n_rows = 150;
  const std::vector<float> x = normals(n_rows * n_embd);
  std::vector<float> scores = normals(n_rows * n_expert, 2);
  for (size_t row = 20; row < n_rows; ++row) scores[row * n_expert + 4] += 10;
  for_each_instruction_set([&](const char*) {
    const std::vector<float> all = run(of, Gating::silu, x, scores, 2);
    for (const auto& [first, n] : {std::pair<size_t, size_t>{0, 1}, {7, 1}, {7, 9}, {15, 20}, {100, 1}}) {
      const std::vector<float> some =
          run(of, Gating::silu, {x.begin() + first * n_embd, x.begin() + (first + n) * n_embd},
              {scores.begin() + first * n_expert, scores.begin() + (first + n) * n_expert}, 1);
      EXPECT_TRUE(std::ranges::equal(some, std::span(all).subspan(first * n_embd, n * n_embd)))
          << n << " rows from " << first << " on";
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Types, ExpertFfn,
                         testing::Values(GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_Q8_0, GGML_TYPE_MXFP4),
                         [](const auto& of) { return std::string(ggml_type_name(of.param)); });

}  // namespace
}  // namespace lanerope::kernels
