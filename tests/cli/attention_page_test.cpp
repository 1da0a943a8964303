// SPDX-License-Identifier: Apache-2.0
#include "cli/attention_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

namespace lanerope::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Two lanes of `steps` steps, two layers of three heads; shares are told apart by where they stand.
AttentionReport report(int32_t steps) {
  AttentionReport report{.record = {.n_layer = 2, .n_head = 3, .n_lanes = 2, .rows = {}, .shares = {}},
                         .model = "a <model> & more",
                         .coupling = "lanerope",
                         .pieces = {},
                         .result = nullptr};
  GroupResult result{.selected = 1, .prompt_tokens = 5};
  for (int32_t lane = 0; lane < 2; ++lane) {
    result.lanes.push_back({.tokens = std::vector<TokenId>(static_cast<size_t>(steps), 7)});
    report.pieces.emplace_back(static_cast<size_t>(steps), "</script>\xc3");
  }
  report.result = std::make_shared<GroupResult>(std::move(result));
  for (int32_t step = 0; step < steps; ++step) {
    for (int32_t lane = 0; lane < 2; ++lane) {
      report.record.rows.push_back({.lane = lane, .step = step});
      for (int32_t head = 0; head < 6; ++head) {
        const float own = 0.1F * static_cast<float>(head + 1);
        const float other = 0.01F * static_cast<float>(lane + 1);
        report.record.shares.push_back(1 - own - other);
        report.record.shares.push_back(lane == 0 ? own : other);
        report.record.shares.push_back(lane == 0 ? other : own);
      }
    }
  }
  return report;
}

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const size_t start = text.find(before) + before.size();
  return text.substr(start, text.find(after, start) - start);
}

std::vector<uint8_t> base64_bytes(const std::string& text) {
  std::vector<uint8_t> bytes;
  uint32_t bits = 0;
  int n = 0;
  for (const char c : text) {
    if (c == '=') break;
    const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bits = bits << 6 | static_cast<uint32_t>(digits.find(c));
    n += 6;
    if (n >= 8) bytes.push_back(static_cast<uint8_t>(bits >> (n -= 8)));
  }
  return bytes;
}

TEST(AttentionPage, HoldsEveryShare) {
  const AttentionReport given = report(4);
  std::ostringstream out;
  EXPECT_EQ(write_attention_page(given, out), 1);
  const std::vector<uint8_t> bytes =
      base64_bytes(between(out.str(), "<script id=\"shares\" type=\"text/plain\">", "</script>"));
  ASSERT_EQ(bytes.size(), given.record.shares.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_NEAR(std::pow(bytes[i] / 255.0, 2), given.record.shares[i], 0.004);
  }
}

TEST(AttentionPage, NeedsNothingButItselfAndLeavesNoMark) {
  std::ostringstream out;
  write_attention_page(report(2), out);
  const std::string page = out.str();
  EXPECT_THAT(page, ::testing::StartsWith("<!doctype html>"));
  EXPECT_THAT(page, ::testing::EndsWith("</html>\n"));
  for (const char* mark : {"{{", "http:", "https:", "src=", "<link", "@import"})
    EXPECT_THAT(page, Not(HasSubstr(mark)));
}

TEST(AttentionPage, TextOfTheLanesCannotEndTheScript) {
  std::ostringstream out;
  write_attention_page(report(2), out);
  const std::string json = between(out.str(), "<script id=\"data\" type=\"application/json\">", "</script>");
  const nlohmann::json data = nlohmann::json::parse(json);
  EXPECT_EQ(data["texts"][0]["tokens"][0], "</script>\xef\xbf\xbd");
  EXPECT_EQ(data["selected"], 1);
  EXPECT_THAT(out.str(), HasSubstr("a &lt;model> &amp; more"));
}

TEST(AttentionPage, StepsAreThinnedOutToStayUsable) {
  std::ostringstream whole;
  write_attention_page(report(100), whole);
  std::ostringstream thin;
  // 200 rows of 18 shares are 4800 characters.
  EXPECT_EQ(write_attention_page(report(100), thin, {.bytes = 1300}), 4);
  const nlohmann::json data = nlohmann::json::parse(
      between(thin.str(), "<script id=\"data\" type=\"application/json\">", "</script>"));
  EXPECT_EQ(data["stride"], 4);
  EXPECT_EQ(data["rows"].size(), 2 * 25);
  EXPECT_LT(thin.str().size(), whole.str().size());
}

TEST(AttentionJson, IsIndexedByLayerHeadAndSource) {
  const AttentionReport given = report(3);
  std::ostringstream out;
  write_attention_json(given, out);
  const nlohmann::json json = nlohmann::json::parse(out.str());
  ASSERT_EQ(json["rows"].size(), 6);
  EXPECT_EQ(json["rows"][3]["lane"], 1);
  EXPECT_EQ(json["rows"][3]["step"], 1);
  // Lane 1, layer 1, head 2: itself 0.6, lane 0 0.02.
  EXPECT_NEAR(json["rows"][3]["shares"][1][2][2].get<double>(), 0.6, 1e-6);
  EXPECT_NEAR(json["rows"][3]["shares"][1][2][1].get<double>(), 0.02, 1e-6);
  EXPECT_EQ(json["prompt_tokens"], 5);
}

}  // namespace
}  // namespace lanerope::cli
