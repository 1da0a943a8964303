// SPDX-License-Identifier: Apache-2.0
#include "train/files/curve_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <limits>
#include <string>
#include <vector>

#include "lanerope/errors.h"
#include "tests/support/temporary_directory.h"
#include "train/files/whole_file.h"

namespace lanerope::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CurvePoint point_at(int64_t step) {
  return {.step = step,
          .tokens = 4096 * step,
          .seconds = 0.1 * static_cast<double>(step),
          .loss = 1.0 / 3.0,
          .learning_rate = 1e-300,
          .tokens_per_second = 12345.678,
          .gradient_norm = std::sqrt(2.0)};
}

std::vector<int64_t> steps_of(const std::string& path) {
  std::vector<int64_t> steps;
  for (const CurvePoint& point : read_curve(path)) steps.push_back(point.step);
  return steps;
}

TEST(CurveLog, NumbersComeBackToTheBit) {
  const support::TemporaryDirectory directory;
  const std::string path = directory.file("curve.jsonl");
  CurvePoint written = point_at(7);
  written.extra = {{"dev accuracy", 0.1}, {"kl", -1e-17}};
  CurveLog(path, 0).append(written);

  const std::vector<CurvePoint> points = read_curve(path);
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].step, 7);
  EXPECT_EQ(points[0].tokens, 7 * 4096);
  EXPECT_EQ(points[0].seconds, written.seconds);
  EXPECT_EQ(points[0].loss, written.loss);
  EXPECT_EQ(points[0].learning_rate, written.learning_rate);
  EXPECT_EQ(points[0].tokens_per_second, written.tokens_per_second);
  EXPECT_EQ(points[0].gradient_norm, written.gradient_norm);
  EXPECT_EQ(points[0].extra, written.extra);
}

TEST(CurveLog, ALossThatIsNoNumberIsKeptAsSuch) {
  const support::TemporaryDirectory directory;
  const std::string path = directory.file("curve.jsonl");
  CurvePoint diverged = point_at(1);
  diverged.loss = std::numeric_limits<double>::quiet_NaN();
  diverged.gradient_norm = std::numeric_limits<double>::infinity();
  CurveLog(path, 0).append(diverged);
  EXPECT_TRUE(std::isnan(read_curve(path).at(0).loss));
  EXPECT_TRUE(std::isnan(read_curve(path).at(0).gradient_norm));
}

TEST(CurveLog, DropsStepsBehindTheCheckpoint) {
  const support::TemporaryDirectory directory;
  const std::string path = directory.file("curve.jsonl");
  {
    CurveLog log(path, 0);
    for (int64_t step = 1; step <= 5; ++step) log.append(point_at(step));
    // Readable while it is written.
    EXPECT_THAT(steps_of(path), ElementsAre(1, 2, 3, 4, 5));
  }
  CurveLog(path, 3).append(point_at(4));
  EXPECT_THAT(steps_of(path), ElementsAre(1, 2, 3, 4));
  const CurveLog anew(path, 0);
  EXPECT_THAT(steps_of(path), ElementsAre());
}

TEST(CurveLog, DropsALastLineThatWasCutOff) {
  const support::TemporaryDirectory directory;
  const std::string path = directory.file("curve.jsonl");
  {
    CurveLog log(path, 0);
    for (int64_t step = 1; step <= 2; ++step) log.append(point_at(step));
  }
  const std::string whole = read_whole_file(path);
  const size_t first_line = whole.find('\n') + 1;
  for (size_t size = first_line; size < whole.size(); ++size) {
    write_whole_file(path, whole.substr(0, size));
    ASSERT_THAT(steps_of(path), ElementsAre(1)) << "cut off after " << size << " bytes";
  }
  CurveLog(path, 2).append(point_at(2));
  EXPECT_EQ(read_whole_file(path), whole);
}

TEST(CurveLog, RefusesAWholeLineThatIsNoPoint) {
  const support::TemporaryDirectory directory;
  const std::string path = directory.file("curve.jsonl");
  CurveLog(path, 0).append(point_at(1));
  const std::string whole = read_whole_file(path);
  for (const std::string bad : {"", "{", "[1]", "{\"step\": 2}", "{\"step\": 2, \"tokens\": \"3\"}"}) {
    write_whole_file(path, std::string(whole).append(bad).append("\n").append(whole));
    try {
      read_curve(path);
      FAIL() << "accepted " << bad;
    } catch (const BadFile& error) {
      EXPECT_THAT(error.what(), HasSubstr("line 2"));
    }
  }
  EXPECT_THROW(read_curve(directory.file("none")), SystemError);
  EXPECT_THROW(CurveLog(directory.file("none/curve.jsonl"), 0), SystemError);
}

// A limit on the size of files stands for the full disk.
TEST(CurveLog, AFullDiskLeavesNoPartOfALine) {
  const support::TemporaryDirectory directory;
  const std::string path = directory.file("curve.jsonl");
  CurveLog log(path, 0);
  log.append(point_at(1));
  const std::string whole = read_whole_file(path);

  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = whole.size() + 10;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(log.append(point_at(2)), SystemError);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  (void)std::signal(SIGXFSZ, handler);

  EXPECT_EQ(read_whole_file(path), whole);
  log.append(point_at(2));
  EXPECT_THAT(steps_of(path), ElementsAre(1, 2));
}

}  // namespace
}  // namespace lanerope::train
