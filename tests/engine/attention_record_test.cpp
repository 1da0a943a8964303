// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/reference/joint_trace.h"
#include "tests/reference/plain_transformer.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

using reference::ModelFacts;
using reference::PlainTransformer;
using reference::Relation;
using reference::Trace;
using reference::TraceToken;

using Vector = std::vector<double>;

// The soft-max of one token's scores in the first layer of a llama, by the definitions: [n_head][n_tokens].
class FirstLayer {
 public:
  FirstLayer(const reference::PlainTransformer& model, const reference::Trace& trace)
      : model_(model), tokens_(reference::flatten(trace)), relations_(reference::relations(trace)) {}

  std::vector<Vector> shares(size_t query) const {
    const reference::ModelFacts& facts = model_.facts;
    const Vector q = product(tokens_[query].id, "blk.0.attn_q.weight");
    std::vector<Vector> result(facts.n_head, Vector(tokens_.size()));
    for (int64_t head = 0; head < facts.n_head; ++head) {
      double total = 0;
      for (size_t key = 0; key < tokens_.size(); ++key) {
        if (!relations_[query][key].visible) continue;
        const Vector k = product(tokens_[key].id, "blk.0.attn_k.weight");
        const int64_t shared = head * facts.n_head_kv / facts.n_head;
        total += result[head][key] =
            std::exp(score(q.data() + head * facts.head_dim, k.data() + shared * facts.head_dim,
                           relations_[query][key].token_offset) /
                     std::sqrt(static_cast<double>(facts.head_dim)));
      }
      for (double& share : result[head]) share /= total;
    }
    return result;
  }

 private:
  Vector product(int32_t token, const std::string& name) const {
    const auto width = static_cast<size_t>(model_.facts.width);
    const double* x = model_.weights.at("token_embd.weight").data() + token * width;
    const Vector& norm = model_.weights.at("blk.0.attn_norm.weight");
    double squares = 0;
    for (size_t i = 0; i < width; ++i) squares += x[i] * x[i];
    const double scale = 1 / std::sqrt(squares / static_cast<double>(width) + model_.facts.epsilon);
    const Vector& weight = model_.weights.at(name);
    Vector y(weight.size() / width);
    for (size_t row = 0; row < y.size(); ++row) {
      for (size_t i = 0; i < width; ++i) y[row] += weight[row * width + i] * x[i] * scale * norm[i];
    }
    return y;
  }

  double score(const double* q, const double* k, double distance) const {
    double sum = 0;
    for (size_t t = 0; t < model_.facts.theta.size(); ++t) {
      const auto a = model_.facts.first(static_cast<int64_t>(t));
      const auto b = model_.facts.second(static_cast<int64_t>(t));
      const double angle = model_.facts.theta[t] * distance;
      sum += (q[a] * k[a] + q[b] * k[b]) * std::cos(angle) + (q[a] * k[b] - q[b] * k[a]) * std::sin(angle);
    }
    return sum;
  }

  const reference::PlainTransformer& model_;
  std::vector<reference::TraceToken> tokens_;
  std::vector<std::vector<reference::Relation>> relations_;
};

class AttentionRecords : public testing::TestWithParam<BackEnd> {
 protected:
  std::string file = support::write_model({.architecture = "llama",
                                           .n_layer = 2,
                                           .width = 64,
                                           .n_head = 4,
                                           .n_head_kv = 2,
                                           .head_dim = 16,
                                           .n_ffn = 64});
  std::shared_ptr<const Model> model = support::load_model(file, GetParam());

  static Request request(CouplingKind kind) {
    return {.prompt = {.tokens = support::some_tokens(9, 1)},
            .lanes = 3,
            .budget = 8,
            .coupling = {.kind = kind},
            .tag = "",
            .sampling = {.temperature = 1, .seed = 3},
            .ignore_end = true,
            .attention = AttentionRecording::mass};
  }
};

TEST_P(AttentionRecords, AreTheReferencesSoftMax) {
  const reference::PlainTransformer plain(file);
  for (const CouplingKind kind :
       {CouplingKind::independent, CouplingKind::groupthink, CouplingKind::hogwild}) {
    Engine engine(model, {.kv_cells = 2048});
    support::Runner runner(engine);
    const GroupId id = engine.submit(request(kind));
    Request beside = request(kind);
    beside.attention = AttentionRecording::none;
    beside.lanes = 5;
    for (int i = 0; i < 3; ++i) runner.step();
    engine.submit(beside);
    runner.finish();
    const AttentionRecord record = engine.take_attention(id);
    ASSERT_EQ(record.n_lanes, 3);
    ASSERT_EQ(record.n_head, 4);
    ASSERT_EQ(record.n_layer, 2);
    ASSERT_EQ(record.rows.size(), 3U * 7) << "the last tokens were not fed";
    const size_t slots = 4;
    ASSERT_EQ(record.shares.size(), slots * 4 * 2 * record.rows.size());

    reference::Trace trace{
        .prompt = support::some_tokens(9, 1), .lanes = {}, .coupling = {.kind = kind}, .stride = 8};
    for (const LaneResult& lane : runner.run(id).result.lanes) trace.lanes.push_back({.tokens = lane.tokens});
    const FirstLayer reference(plain, trace);
    const std::vector<reference::TraceToken> tokens = reference::flatten(trace);
    for (size_t row = 0; row < record.rows.size(); ++row) {
      const auto [lane, step] = record.rows[row];
      const auto expected = reference.shares(9 + 8 * lane + step);
      for (size_t head = 0; head < 4; ++head) {
        const float* first = record.shares.data() + (row * 2 * 4 + head) * slots;
        const float* second = first + 4 * slots;
        Vector mass(slots);
        for (size_t key = 0; key < tokens.size(); ++key) mass[tokens[key].lane + 1] += expected[head][key];
        float sum = 0;
        float sum_of_second = 0;
        for (size_t slot = 0; slot < slots; ++slot) {
          EXPECT_NEAR(first[slot], mass[slot], 2e-3) << name(kind) << ", lane " << lane << ", step " << step;
          sum += first[slot];
          sum_of_second += second[slot];
        }
        EXPECT_NEAR(sum, 1, 1e-4);
        EXPECT_NEAR(sum_of_second, 1, 1e-4);
      }
    }
    EXPECT_TRUE(engine.take_attention(id).rows.empty()) << "it was taken";
  }
}

TEST_P(AttentionRecords, ChangeNothingOfWhatIsSaid) {
  Engine engine(model, {.kv_cells = 2048, .keep_prefixes = false});
  Request watched = request(CouplingKind::lanerope);
  const support::GroupRun one = support::run_group(engine, watched);
  watched.attention = AttentionRecording::none;
  const support::GroupRun other = support::run_group(engine, watched);
  for (int32_t m = 0; m < 3; ++m) EXPECT_EQ(one.tokens(m), other.tokens(m));
}

INSTANTIATE_TEST_SUITE_P(Paths, AttentionRecords, testing::Values(BackEnd::ggml, BackEnd::kernels),
                         [](const auto& param_info) { return std::string(name(param_info.param)); });

}  // namespace
}  // namespace lanerope::engine
