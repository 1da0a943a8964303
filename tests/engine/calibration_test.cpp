// SPDX-License-Identifier: Apache-2.0
#include "lanerope/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope {
namespace {

using testing::HasSubstr;

const CalibrationCurve of_three_lanes{.lanes = 3, .points = {{0.25, 0.1}, {0.5, 0.3}, {0.75, 0.7}}};

TEST(Calibration, DrawsStraightLinesBetweenPointsAndIsLevelOutside) {
  const auto at = [](double claimed) { return calibrated(of_three_lanes, claimed); };
  EXPECT_DOUBLE_EQ(at(0), 0.1);
  EXPECT_DOUBLE_EQ(at(0.25), 0.1);
  EXPECT_DOUBLE_EQ(at(0.375), 0.2);
  EXPECT_DOUBLE_EQ(at(0.5), 0.3);
  EXPECT_DOUBLE_EQ(at(0.7), 0.62);
  EXPECT_DOUBLE_EQ(at(0.75), 0.7);
  EXPECT_DOUBLE_EQ(at(1), 0.7);
  EXPECT_DOUBLE_EQ(calibrated({.points = {{0.5, 0.4}}}, 0.9), 0.4);
}

std::string file_of(const std::string& text) {
  const std::string file = support::new_file(".json");
  std::ofstream(file) << text;
  return file;
}

TEST(Calibration, GoesThroughItsFile) {
  const CalibrationCurve curve{
      .weight = VoteWeight::self_certainty, .lanes = 8, .points = {{0.1, 0}, {1, 0.875}}};
  const CalibrationCurve back = read_calibration(file_of(to_file_text(curve)));
  EXPECT_EQ(back.select, SelectionKind::vote);
  EXPECT_EQ(back.weight, VoteWeight::self_certainty);
  EXPECT_EQ(back.lanes, 8);
  ASSERT_EQ(back.points.size(), 2U);
  EXPECT_EQ(back.points[1].calibrated, 0.875);
}

TEST(Calibration, RefusesOtherFiles) {
  const auto curve = [](const std::string& points) {
    return "{\"lanerope_calibration\": 1, \"select\": \"vote\", \"vote_weight\": \"equal\", \"lanes\": 4, "
           "\"curve\": " +
           points + "}";
  };
  EXPECT_EQ(read_calibration(file_of(curve("[[0.5, 0.5]]"))).points.size(), 1U);
  for (const std::string& text :
       {std::string("{}"), std::string("no JSON"), std::string("[1]"), curve("[]"), curve("[[0.5]]"),
        curve("[[0.5, 2]]"), curve("[[0.5, 0.5], [0.4, 0.6]]"), curve("[[0.4, 0.6], [0.5, 0.5]]"),
        std::string("{\"lanerope_calibration\": 2}")}) {
    EXPECT_THROW(read_calibration(file_of(text)), BadFile) << text;
  }
  EXPECT_THROW(read_calibration("/nowhere.json"), SystemError);
  EXPECT_THROW(read_calibration("/tmp"), SystemError) << "a folder";
}

class Calibrated : public testing::Test {
 protected:
  static std::shared_ptr<const Model> model() {
    return support::load_model(
        tools::RandomModel{.n_layer = 1, .width = 64, .n_ffn = 96, .n_vocab = 400, .seed = 5},
        BackEnd::kernels);
  }
  static Request request_of(int32_t lanes) {
    Request request{.prompt = {.tokens = {5, 6, 7}}, .lanes = lanes, .budget = 12};
    request.sampling.seed = 4;
    return request;
  }
};

TEST_F(Calibrated, ConfidenceIsThatOfTheCurve) {
  // By logprob, since a random model gives no answers.
  Engine engine(model(), {.kv_cells = 4096});
  Request request = request_of(3);
  request.selection.kind = SelectionKind::logprob;
  const Confidence plain = support::run_group(engine, request).result.confidence;
  EXPECT_EQ(plain.kind, ConfidenceKind::mean_probability);
  CalibrationCurve curve = of_three_lanes;
  curve.select = SelectionKind::logprob;
  curve.points = {{0, 0.5}, {1, 1}};
  request.selection.calibration = std::make_shared<const CalibrationCurve>(curve);
  const Confidence now = support::run_group(engine, request).result.confidence;
  EXPECT_EQ(now.kind, ConfidenceKind::calibrated);
  EXPECT_DOUBLE_EQ(now.value, 0.5 + plain.value / 2);
}

TEST_F(Calibrated, WhereAnotherWayWasTakenTheClaimStaysWhatItIs) {
  Engine engine(model(), {.kv_cells = 4096});
  Request request = request_of(3);
  request.selection.calibration = std::make_shared<const CalibrationCurve>(of_three_lanes);
  const GroupResult result = support::run_group(engine, request).result;
  ASSERT_TRUE(result.votes.empty());
  EXPECT_EQ(result.confidence.kind, ConfidenceKind::mean_probability);
}

TEST_F(Calibrated, AnotherSelectionIsRefusedWhereTheRequestAsksAndLeftAloneByADefault) {
  const auto loaded = model();
  const auto curve = std::make_shared<const CalibrationCurve>(of_three_lanes);
  Request request = request_of(4);
  EXPECT_EQ(resolve(*loaded, request, {.calibration = curve})->selection.calibration, nullptr);
  EXPECT_EQ(resolve(*loaded, request_of(3), {.calibration = curve})->selection.calibration, curve);
  request.selection.calibration = curve;
  try {
    resolve(*loaded, request);
    FAIL() << "four lanes are not three";
  } catch (const InvalidRequest& error) {
    EXPECT_THAT(error.what(), HasSubstr("fitted for selection by vote over 3 lanes"));
    EXPECT_THAT(error.what(), HasSubstr("this is selection by vote over 4 lanes"));
  }
  request.lanes = 3;
  request.selection.weight = VoteWeight::logprob;
  EXPECT_THROW(resolve(*loaded, request), InvalidRequest);
}

}  // namespace
}  // namespace lanerope
