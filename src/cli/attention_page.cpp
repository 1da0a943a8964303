// SPDX-License-Identifier: Apache-2.0
#include "cli/attention_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "cli/attention_page_template.h"
#include "cli/summary.h"

namespace lanerope::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

size_t shares_per_row(const AttentionRecord& record) {
  return static_cast<size_t>(1 + record.n_lanes) * record.n_head * record.n_layer;
}

std::span<const float> row_shares(const AttentionRecord& record, size_t row) {
  const size_t size = shares_per_row(record);
  return std::span(record.shares).subspan(row * size, size);
}

// A byte holds the square root of a share: exact to 0.4 % of the whole near 1, and to 0.04 % near 0.01.
uint8_t coded(float share) {
  return static_cast<uint8_t>(std::lround(std::sqrt(std::clamp(share, 0.0F, 1.0F)) * 255.0F));
}

class Base64Writer {
 public:
  explicit Base64Writer(std::ostream& out) : out_(out) {}

  void put(uint8_t byte) {
    bits_ = bits_ << 8 | byte;
    if (++bytes_ == 3) flush();
  }

  void finish() {
    if (bytes_ == 0) return;
    const int padding = 3 - bytes_;
    bits_ <<= 8 * padding;
    bytes_ = 3;
    flush(padding);
  }

 private:
  void flush(int padding = 0) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::array<char, 4> text;
    for (int i = 0; i < 4; ++i) text[i] = digits[bits_ >> (18 - 6 * i) & 63];
    for (int i = 0; i < padding; ++i) text[3 - i] = '=';
    out_.write(text.data(), text.size());
    bits_ = 0;
    bytes_ = 0;
  }

  std::ostream& out_;
  uint32_t bits_ = 0;
  int bytes_ = 0;
};

Json page_data(const AttentionReport& report, const std::vector<size_t>& rows, int32_t stride) {
  const AttentionRecord& record = report.record;
  Json lanes = Json::array();
  for (int32_t lane = 0; lane < record.n_lanes; ++lane) {
    const LaneResult& result = report.result->lanes[lane];
    lanes.push_back({{"steps", steps_of(result)},
                     {"finish", finish_text(result.finish)},
                     {"tokens", report.pieces[lane]}});
  }
  Json row_list = Json::array();
  for (const size_t row : rows) row_list.push_back({record.rows[row].lane, record.rows[row].step});
  return {{"model", report.model},
          {"coupling", report.coupling},
          {"layers", record.n_layer},
          {"heads", record.n_head},
          {"lanes", record.n_lanes},
          {"prompt_tokens", report.result->prompt_tokens},
          {"selected", report.result->selected},
          {"stride", stride},
          {"rows", std::move(row_list)},
          {"texts", std::move(lanes)}};
}

// Text of a model must not end the script element that it stands in.
std::string inside_script(std::string json) {
  std::string safe;
  safe.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string inside_title(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '<' || c == '&') {
      safe += c == '<' ? "&lt;" : "&amp;";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

void write_attention_json(const AttentionReport& report, std::ostream& out) {
  const AttentionRecord& record = report.record;
  Json lanes = Json::array();
  for (size_t lane = 0; lane < report.result->lanes.size(); ++lane) {
    const LaneResult& result = report.result->lanes[lane];
    lanes.push_back(
        {{"start_step", result.start_step}, {"tokens", result.tokens}, {"pieces", report.pieces[lane]}});
    for (const Sleep& sleep : result.sleeps)
      lanes.back()["sleeps"].push_back({{"token", sleep.token}, {"steps", sleep.steps}});
  }
  Json head = {{"version", 1},
               {"model", report.model},
               {"coupling", report.coupling},
               {"n_layer", record.n_layer},
               {"n_head", record.n_head},
               {"n_lanes", record.n_lanes},
               {"prompt_tokens", report.result->prompt_tokens},
               {"layout", "shares of a row: [layer][head][the prompt, then each lane]"},
               {"lanes", std::move(lanes)}};
  std::string text = dump(head);
  text.pop_back();
  out << text << ",\"rows\":[";
  for (size_t row = 0; row < record.rows.size() && out; ++row) {
    const std::span<const float> shares = row_shares(record, row);
    out << (row > 0 ? ",\n" : "\n") << "{\"lane\":" << record.rows[row].lane
        << ",\"step\":" << record.rows[row].step << ",\"shares\":[";
    size_t at = 0;
    for (int32_t layer = 0; layer < record.n_layer; ++layer) {
      out << (layer > 0 ? ",[" : "[");
      for (int32_t h = 0; h < record.n_head; ++h) {
        out << (h > 0 ? ",[" : "[");
        for (int32_t source = 0; source <= record.n_lanes; ++source, ++at) {
          char number[32];
          std::snprintf(number, sizeof number, "%.4g", std::round(shares[at] * 1e4F) / 1e4F);
          out << (source > 0 ? "," : "") << number;
        }
        out << ']';
      }
      out << ']';
    }
    out << "]}";
  }
  out << "\n]}\n";
}

int32_t write_attention_page(const AttentionReport& report, std::ostream& out, const PageLimits& limits) {
  const AttentionRecord& record = report.record;
  const size_t text_bytes = record.rows.size() * shares_per_row(record) / 3 * 4;
  const auto stride =
      static_cast<int32_t>(std::max<size_t>(1, (text_bytes + limits.bytes - 1) / limits.bytes));
  std::vector<size_t> rows;
  for (size_t row = 0; row < record.rows.size(); ++row) {
    if (record.rows[row].step % stride == 0) rows.push_back(row);
  }
  std::string_view page = attention_page_template();
  const auto copy_until = [&](std::string_view mark) {
    const size_t at = page.find(mark);
    out << page.substr(0, at);
    page.remove_prefix(at + mark.size());
  };
  copy_until("{{title}}");
  out << inside_title("lanerope: " + report.model + ", " + std::to_string(record.n_lanes) + " lanes");
  copy_until("{{data}}");
  out << inside_script(dump(page_data(report, rows, stride)));
  copy_until("{{shares}}");
  Base64Writer base64(out);
  for (const size_t row : rows) {
    for (const float share : row_shares(record, row)) base64.put(coded(share));
  }
  base64.finish();
  out << page;
  return stride;
}

}  // namespace lanerope::cli
