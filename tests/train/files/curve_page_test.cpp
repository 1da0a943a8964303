// SPDX-License-Identifier: Apache-2.0
#include "train/files/curve_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"
#include "train/files/whole_file.h"

namespace lanerope::train {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string page_of(const std::vector<NamedCurve>& curves, CurvePageLimits limits = {}) {
  std::ostringstream out;
  write_curve_page(curves, out, limits);
  return out.str();
}

// What the script of the page reads.
json data_of(const std::string& page) {
  const std::string mark = R"(<script id="data" type="application/json">)";
  const size_t begin = page.find(mark) + mark.size();
  return json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

std::vector<CurvePoint> falling_loss(int64_t steps) {
  std::vector<CurvePoint> points;
  for (int64_t step = 1; step <= steps; ++step) {
    points.push_back({.step = step, .tokens = 10 * step, .loss = static_cast<double>(steps - step)});
  }
  return points;
}

TEST(CurvePage, HoldsEveryRunUnderItsName) {
  const json data = data_of(page_of({{.name = "a", .points = falling_loss(3)}, {.name = "b", .points = {}}}));
  ASSERT_EQ(data.size(), 2u);
  EXPECT_EQ(data[0]["name"], "a");
  EXPECT_EQ(data[0]["series"][0]["step"], json({1, 2, 3}));
  EXPECT_EQ(data[0]["series"][0]["tokens"], json({10, 20, 30}));
  EXPECT_EQ(data[0]["series"][0]["values"]["loss"], json({2, 1, 0}));
  EXPECT_EQ(data[1]["name"], "b");
  EXPECT_EQ(data[1]["series"][0]["values"]["loss"], json::array());
}

TEST(CurvePage, LongRunsAreMeansOfNeighbours) {
  std::vector<CurvePoint> points = falling_loss(10);
  points[4].extra = {{"kl", 0.5}};
  points[6].extra = {{"kl", 0.25}};
  const json run = data_of(page_of({{.name = "a", .points = points}}, {.points = 4}))[0];
  EXPECT_EQ(run["stride"], 3);
  EXPECT_EQ(run["series"][0]["step"], json({3, 6, 9, 10}));
  EXPECT_EQ(run["series"][0]["values"]["loss"], json({8, 5, 2, 0}));
  EXPECT_EQ(run["series"][1]["step"], json({5, 7}));
  EXPECT_EQ(run["series"][1]["values"]["kl"], json({0.5, 0.25}));
}

TEST(CurvePage, WhatIsNoNumberIsAGap) {
  std::vector<CurvePoint> points = falling_loss(2);
  points[1].loss = std::numeric_limits<double>::infinity();
  EXPECT_EQ(data_of(page_of({{.name = "a", .points = points}}))[0]["series"][0]["values"]["loss"],
            json({1, nullptr}));
}

TEST(CurvePage, NamesCannotEndTheScriptAndNothingComesFromTheNetwork) {
  const std::string page = page_of({{.name = "</script><b>", .points = falling_loss(1)}});
  EXPECT_EQ(data_of(page)[0]["name"], "</script><b>");
  EXPECT_THAT(page, Not(HasSubstr("</script><b>")));
  for (const char* outside : {"http:", "https:", "src=", "href=", "@import", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
}

TEST(CurvePage, ALogIsCalledLikeItsFolder) {
  const support::TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() / "open");
  const std::string log = directory.file("open/curve.jsonl");
  CurveLog(log, 0).append(falling_loss(1)[0]);
  const CurveLogName names[] = {{.path = log}, {.path = log, .name = "again"}};
  write_curve_page_file(directory.file("page.html"), names);
  const json data = data_of(read_whole_file(directory.file("page.html")));
  EXPECT_EQ(data[0]["name"], "open");
  EXPECT_EQ(data[1]["name"], "again");
}

}  // namespace
}  // namespace lanerope::train
