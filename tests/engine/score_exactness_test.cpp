// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "tests/reference/model_facts.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

// On the ggml path a product's rounding depends on how many rows go through it at once (f32 sums in another
// order); on the kernels' path a row is computed alike whatever is beside it.
constexpr double ggml_rounding = 2e-5;
// The same attention over segments that are cut elsewhere: sums of f32 in another order.
constexpr double other_segments = 1e-5;
// Two orders of feeding the same trace: keys and values are rounded to f16, all else is f32.
constexpr double f16_cells = 2e-3;

const std::vector<Coupling>& couplings() {
  static const std::vector<Coupling> all = {
      {.kind = CouplingKind::independent},
      {.kind = CouplingKind::lanerope},
      {.kind = CouplingKind::lanerope, .init = OmegaInit::gt},
      {.kind = CouplingKind::lanerope, .init = OmegaInit::ntk},
      {.kind = CouplingKind::lanerope, .init = OmegaInit::ntk_by_parts},
      {.kind = CouplingKind::lanerope,
       .init = OmegaInit::gt,
       .visibility = Visibility::strict,
       .prompt_lane = PromptLane::first},
      {.kind = CouplingKind::groupthink},
      {.kind = CouplingKind::groupthink, .visibility = Visibility::interleaved, .topology = Topology::ring},
      {.kind = CouplingKind::groupthink, .topology = Topology::tree, .window = 3},
      {.kind = CouplingKind::lanerope, .init = OmegaInit::gt, .topology = Topology::blocks, .block = 2},
      {.kind = CouplingKind::lanerope,
       .init = OmegaInit::gt,
       .prompt_lane = PromptLane::first,
       .far_lanes = FarLanes::clamped,
       .trained_lanes = 2},
      {.kind = CouplingKind::lanerope,
       .init = OmegaInit::gt,
       .far_lanes = FarLanes::wrapped,
       .trained_lanes = 3},
      {.kind = CouplingKind::lanerope,
       .init = OmegaInit::gt,
       .far_lanes = FarLanes::interpolated,
       .trained_lanes = 2},
      {.kind = CouplingKind::hogwild},
      {.kind = CouplingKind::hogwild, .visibility = Visibility::strict, .window = 4},
  };
  return all;
}

std::string title_of(const Coupling& c) {
  return std::string(name(c.kind)) + " " + std::string(name(c.init)) + " " + std::string(name(c.visibility)) +
         " " + std::string(name(c.topology)) + " window " + std::to_string(c.window);
}

struct Case {
  BackEnd back_end;
  const char* type;
  const char* architecture = "qwen2";
};

tools::RandomModel model_of(const Case& c) {
  tools::RandomModel model{
      .architecture = c.architecture, .n_layer = 2, .width = 64, .n_ffn = 96, .n_vocab = 259, .window = 8};
  if (std::string(c.type) == "q4_k_m") model.width = model.n_ffn = 256;
  model.type = c.type;
  return model;
}

class ScoreExactness : public testing::TestWithParam<Case> {
 protected:
  std::shared_ptr<const Model> model = support::load_model(model_of(GetParam()), GetParam().back_end);

  Engine engine(int32_t batch_rows = 512) const {
    return {model, {.kv_cells = 4096, .batch_rows = batch_rows, .keep_prefixes = false}};
  }
  // An angle that differs in its last bits moves a query; products of quantised weights round it to 8 bits.
  double rounded_products() const { return GetParam().type[0] == 'q' ? 1e-2 : f16_cells; }
  bool exact() const { return GetParam().back_end == BackEnd::kernels; }

  // To the bit, or on the ggml path to rounding.
  void expect_same(const support::AllLogits& a, const support::AllLogits& b, const std::string& what) const {
    if (exact()) {
      EXPECT_TRUE(a == b) << what << ": off by " << support::relative_difference(a, b);
    } else {
      EXPECT_LT(support::relative_difference(a, b), ggml_rounding) << what;
    }
  }
};

TEST_P(ScoreExactness, OneLaneIsThePlainModelToTheBit) {
  Engine plain = engine();
  // The plain model: nothing but a prompt. Its last logits are those before the lane's first token.
  const std::vector<TokenId> prompt = support::some_tokens(7, 1);
  const std::vector<TokenId> lane = support::some_tokens(6, 2);
  const support::AllLogits first = support::all_logits(
      plain, {.prompt_tokens = prompt, .lanes = {lane}, .coupling = {.kind = CouplingKind::independent}});
  for (const Coupling& coupling : couplings()) {
    Engine other = engine();
    EXPECT_TRUE(
        support::all_logits(other, {.prompt_tokens = prompt, .lanes = {lane}, .coupling = coupling}) == first)
        << title_of(coupling);
  }
  for (size_t i = 1; i < lane.size(); ++i) {
    std::vector<TokenId> longer = prompt;
    longer.insert(longer.end(), lane.begin(), lane.begin() + static_cast<std::ptrdiff_t>(i));
    Engine fresh = engine();
    const support::AllLogits alone =
        support::all_logits(fresh, {.prompt_tokens = longer, .lanes = {{lane[i]}}});
    // Here the tokens are in one segment and there in two, which are summed one after the other.
    EXPECT_LT(support::relative_difference({{first[0][i]}}, alone), other_segments)
        << i << " tokens as a prompt";
  }
}

TEST_P(ScoreExactness, IndependentLanesAreRunsOfTheirOwn) {
  ScoreRequest request{.prompt_tokens = support::some_tokens(19, 1),
                       .lanes = {support::some_tokens(9, 2), support::some_tokens(4, 3),
                                 support::some_tokens(7, 4), support::some_tokens(1, 5)},
                       .coupling = {.kind = CouplingKind::independent}};
  Engine together = engine();
  const support::AllLogits all = support::all_logits(together, request);
  for (size_t m = 0; m < all.size(); ++m) {
    ScoreRequest one = request;
    one.lanes = {request.lanes[m]};
    Engine alone = engine();
    expect_same({all[m]}, support::all_logits(alone, one), "lane " + std::to_string(m));
  }
}

// Lanes that begin after all others have ended are seen by nobody, and move the others' indices.
TEST_P(ScoreExactness, ShiftingTheLaneIndicesChangesNothing) {
  for (Coupling coupling : couplings()) {
    if (coupling.topology != Topology::all || coupling.prompt_lane == PromptLane::first) continue;
    if (coupling.far_lanes == FarLanes::interpolated) continue;  // the lanes in front count too
    const std::vector<std::vector<TokenId>> lanes = {support::some_tokens(6, 2), support::some_tokens(4, 3),
                                                     support::some_tokens(5, 4)};
    // The same omega whatever the number of lanes is, in layers with a window too.
    if (coupling.init == OmegaInit::ntk) coupling.stride = 1;
    Engine at_zero = engine();
    const ScoreRequest request{
        .prompt_tokens = support::some_tokens(9, 1), .lanes = lanes, .coupling = coupling, .stride = 16};
    const support::AllLogits expected = support::all_logits(at_zero, request);
    for (const size_t shift : {1, 2, 5}) {
      ScoreRequest shifted = request;
      shifted.lanes.insert(shifted.lanes.begin(), shift, {1});
      shifted.start_steps.assign(shift, 20);
      shifted.start_steps.insert(shifted.start_steps.end(), lanes.size(), 0);
      Engine other = engine();
      support::AllLogits logits = support::all_logits(other, shifted);
      logits.erase(logits.begin(), logits.begin() + static_cast<std::ptrdiff_t>(shift));
      expect_same(logits, expected, title_of(coupling) + ", shifted by " + std::to_string(shift));
    }
  }
}

TEST_P(ScoreExactness, OmegaOfStrideThetaIsGroupThink) {
  const std::string file = support::write_model(model_of(GetParam()));
  for (const PromptLane prompt_lane : {PromptLane::own, PromptLane::first}) {
    const int32_t stride = 13;
    Coupling given{.kind = CouplingKind::lanerope, .init = OmegaInit::given, .prompt_lane = prompt_lane};
    for (const double theta : reference::read_facts(gguf::File(file)).theta) {
      given.omega.push_back(static_cast<float>(stride * theta));
    }
    ScoreRequest request{
        .prompt_tokens = support::some_tokens(9, 1),
        .lanes = {support::some_tokens(8, 2), support::some_tokens(5, 3), support::some_tokens(7, 4)},
        .coupling = {.kind = CouplingKind::groupthink, .stride = stride, .prompt_lane = prompt_lane}};
    Engine one = engine();
    const support::AllLogits groupthink = support::all_logits(one, request);
    request.coupling = given;
    Engine two = engine();
    EXPECT_LT(support::relative_difference(support::all_logits(two, request), groupthink),
              rounded_products());
    request.coupling.omega[0] += 0.5F;
    Engine three = engine();
    EXPECT_GT(support::relative_difference(support::all_logits(three, request), groupthink), 1e-3)
        << "omega matters";
  }
}

// The whole trace at once, and a step at a time as it was decoded.
TEST_P(ScoreExactness, PrefillAndDecodeAgree) {
  for (const int32_t n : {1, 2, 3, 4, 8}) {
    for (const Coupling& coupling : couplings()) {
      ScoreRequest request{.prompt_tokens = support::some_tokens(21, 1), .coupling = coupling};
      for (int32_t m = 0; m < n; ++m) {
        request.lanes.push_back(support::some_tokens(12 - (5 * m) % 9, 10 + m));  // one ends early
        request.start_steps.push_back(m == 2 ? 5 : 0);                            // one is spawned late
      }
      Engine whole = engine(512);
      Engine stepwise = engine(n);
      const double off = support::relative_difference(support::all_logits(stepwise, request),
                                                      support::all_logits(whole, request));
      EXPECT_LT(off, f16_cells) << title_of(coupling) << ", " << n << " lanes";
    }
  }
}

TEST_P(ScoreExactness, ASharedPrefixChangesNothing) {
  const ScoreRequest first{.prompt_tokens = support::some_tokens(40, 1),
                           .lanes = {support::some_tokens(3, 2)}};
  ScoreRequest second = first;
  for (int i = 0; i < 6; ++i) second.prompt_tokens[34 + i] = 5;
  Engine fresh = engine();
  const support::AllLogits expected = support::all_logits(fresh, second);
  Engine keeps(model, {.kv_cells = 4096});
  support::all_logits(keeps, first);
  EXPECT_LT(support::relative_difference(support::all_logits(keeps, second), expected), f16_cells);
  EXPECT_LT(support::relative_difference(support::all_logits(keeps, second), expected), f16_cells)
      << "and again";
}

// Cells of 8 bits: coarser, but the same cells whichever way they were filled.
class SmallCells : public testing::TestWithParam<BackEnd> {};

TEST_P(SmallCells, HoldWhatLargeOnesHoldToTheirRounding) {
  tools::RandomModel small{.n_layer = 2, .width = 64, .n_ffn = 96, .n_vocab = 259};
  const auto model = support::load_model(small, GetParam());
  for (const Coupling& coupling : couplings()) {
    const ScoreRequest request{
        .prompt_tokens = support::some_tokens(21, 1),
        .lanes = {support::some_tokens(12, 10), support::some_tokens(7, 11), support::some_tokens(9, 12)},
        .start_steps = {0, 0, 3},
        .coupling = coupling};
    const auto logits = [&](KvType type, int32_t batch_rows) {
      Engine engine(model,
                    {.kv_cells = 2048, .batch_rows = batch_rows, .kv_type = type, .keep_prefixes = false});
      return support::all_logits(engine, request);
    };
    const support::AllLogits coarse = logits(KvType::q8_0, 512);
    EXPECT_LT(support::relative_difference(coarse, logits(KvType::f16, 512)), 0.1) << title_of(coupling);
    EXPECT_LT(support::relative_difference(logits(KvType::q8_0, 3), coarse), 1e-2) << title_of(coupling);
  }
}

INSTANTIATE_TEST_SUITE_P(BackEnds, SmallCells, testing::Values(BackEnd::kernels, BackEnd::ggml),
                         [](const auto& param_info) { return std::string(name(param_info.param)); });

INSTANTIATE_TEST_SUITE_P(
    Paths, ScoreExactness,
    testing::Values(Case{BackEnd::ggml, "f32"}, Case{BackEnd::kernels, "f32"}, Case{BackEnd::kernels, "f16"},
                    Case{BackEnd::kernels, "q8_0"}, Case{BackEnd::kernels, "q4_0"},
                    Case{BackEnd::kernels, "q4_k_m"}, Case{BackEnd::kernels, "f16", "gemma2"},
                    Case{BackEnd::kernels, "q8_0", "qwen3moe"}, Case{BackEnd::kernels, "q8_0", "gpt-oss"}),
    [](const auto& param_info) {
      const Case& of = param_info.param;
      return support::test_name(std::string(name(of.back_end)) + "_" + of.type + "_" + of.architecture);
    });

}  // namespace
}  // namespace lanerope::engine
