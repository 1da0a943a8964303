// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

// The tiny model that script/demo runs on until one is trained, its four lanes decoding greedily. Its weights
// are the same everywhere to the bit, and with these questions every token is ahead of the next by 0.06 or
// more, so that rounding does not show.
class GoldenText : public testing::TestWithParam<BackEnd> {
 protected:
  std::vector<std::string> decode(CouplingKind kind, const char* question) const {
    Engine engine(model, {.kv_cells = 4096});
    const Message message{.role = "user", .content = question};
    CouplingChoice coupling{.kind = kind};
    if (kind == CouplingKind::lanerope) coupling.init = OmegaInit::rope;
    const support::GroupRun run =
        support::run_group(engine, {.prompt = {.messages = {message}},
                                    .lanes = 4,
                                    .budget = 24,
                                    .coupling = coupling,
                                    .tag = "<lane{k}>",
                                    .lane_texts = {" I think", " The sum", " First", " Wait,"},
                                    .sampling = {.temperature = 0},
                                    .ignore_end = true});
    std::vector<std::string> texts;
    for (const LaneResult& lane : run.result.lanes) texts.push_back(lane.text);
    EXPECT_EQ(run.result.clock, 23);
    return texts;
  }

  std::shared_ptr<const Model> model = support::load_model(tools::preset_model("tiny"), GetParam());
};

using Texts = std::vector<std::string>;

TEST_P(GoldenText, OfFourLanesStaysAsItIs) {
  EXPECT_EQ(decode(CouplingKind::lanerope, "What is two plus two?"),
            (Texts{" I think we three from follow line three known first can find all first can more",
                   " The sum no and point and point and point given three known next laneThe sum",
                   " First and point and point given three known next laneThe sum",
                   " Wait, twice left so the wait reasonThe sum no line can"}));
  EXPECT_EQ(decode(CouplingKind::groupthink, "Tell me a word."),
            (Texts{" I think three known next laneThe from given three known next laneThe next lane",
                   " The sum no and point and point given three laneThe line three known next the",
                   " First point and point and point and point and point given three",
                   " Wait, twice can again all can count point given three known next"}));
  EXPECT_EQ(decode(CouplingKind::hogwild, "Tell me a word."),
            (Texts{" I think three known again and point given three known from can count follow can count",
                   " The sum no and point twice can again all can again all can again from can",
                   " First yes two find next lane three known from can count follow",
                   " Wait, twice can again and point twice again all given three known"}));
  EXPECT_EQ(decode(CouplingKind::independent, "Tell me a word."),
            (Texts{" I think the sum no and point given three known from follow line three known next",
                   " The sum no and point and point given three known next the point given three known",
                   " First three known follow laneThe from follow line three known next",
                   " Wait, twice can count is is is is is is is four"}));
}

INSTANTIATE_TEST_SUITE_P(Paths, GoldenText, testing::Values(BackEnd::ggml, BackEnd::kernels),
                         [](const auto& param_info) { return std::string(name(param_info.param)); });

}  // namespace
}  // namespace lanerope::engine
