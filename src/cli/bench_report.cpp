// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_report.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cli/format.h"
#include "cli/output.h"

namespace lanerope::cli {

namespace {

using Json = nlohmann::ordered_json;

// Of `row` over the first row of the same prompt that is like what is asked for; 0 if there is none.
template <typename Row, typename Like>
double ratio(const std::vector<Row>& rows, const Row& row, Like like) {
  for (const Row& other : rows) {
    if (other.prompt == row.prompt && like(other)) {
      return row.tokens_per_second / other.tokens_per_second;
    }
  }
  return 0;
}

struct Ratios {
  double baseline = 0;     // over the same on the back end of --baseline
  double independent = 0;  // over the same lanes when they do not see one another
  double bare = 0;         // over the same without adapters
};

Ratios ratios(const BenchRows& rows, const DecodeRow& row, const std::string& baseline) {
  const auto over = [&](const std::string& back_end, const std::string& coupling, int32_t adapters) {
    if (back_end == row.back_end && coupling == row.coupling && adapters == row.adapters) return 0.0;
    return ratio(rows.decode, row, [&](const DecodeRow& other) {
      return other.lanes == row.lanes && other.back_end == back_end && other.coupling == coupling &&
             other.adapters == adapters;
    });
  };
  return {.baseline = over(baseline, row.coupling, row.adapters),
          .independent = over(row.back_end, "independent", row.adapters),
          .bare = over(row.back_end, row.coupling, 0)};
}

// Prompts that are read with adapters over those without.
double ratio_to_bare(const BenchRows& rows, const PrefillRow& row) {
  if (row.adapters == 0) return 0;
  return ratio(rows.prefill, row, [&](const PrefillRow& other) {
    return other.back_end == row.back_end && other.adapters == 0;
  });
}

double share(double value, double ceiling) {
  return ceiling > 0 ? value / ceiling : 0;
}
std::string share_text(double value, double ceiling) {
  return ceiling > 0 ? with_digits(100 * value / ceiling, 0) + " %" : "";
}
std::string ratio_text(double value) {
  return value > 0 ? with_digits(value, 2) : "";
}

// A column that is left out where it would say nothing.
struct Column {
  std::string title;
  bool shown = true;
};

class Columns {
 public:
  explicit Columns(std::vector<Column> columns) : columns_(std::move(columns)) {
    std::vector<std::string> titles;
    for (const Column& column : columns_) titles.push_back(column.title);
    add(std::move(titles));
  }
  void add(std::vector<std::string> cells) {
    std::vector<std::string>& row = rows_.emplace_back();
    for (size_t i = 0; i < cells.size(); ++i) {
      if (columns_[i].shown) row.push_back(std::move(cells[i]));
    }
  }
  std::string text() const { return table_text(rows_); }

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

std::string adapters_text(int32_t n) {
  return n > 0 ? std::to_string(n) : "none";
}

std::string title(const ProfileRow& row) {
  const std::string with = row.adapters > 0 ? ", with adapters" : "";
  if (row.lanes == 0) return row.back_end + ", prompt of " + std::to_string(row.prompt) + with;
  return row.back_end + ", " + row.coupling + ", " + std::to_string(row.lanes) +
         (row.lanes == 1 ? " lane" : " lanes") + " after " + std::to_string(row.prompt) + with;
}

double seconds_of(const ProfileRow& row) {
  double seconds = 0;
  for (const OperationTime& time : row.operations) seconds += time.seconds;
  return seconds / row.steps;
}

}  // namespace

std::string machine_text(const MachineLimits& machine, const ModelInfo& model) {
  std::string text = machine.cpu.empty() ? "this machine" : machine.cpu;
  text += ", " + std::to_string(model.threads) + (model.threads == 1 ? " thread" : " threads") + ": reads " +
          with_digits(machine.read_bytes_per_second / 1e9, 1) + " GB/s";
  if (machine.int8_macs_per_second > 0) {
    text += ", " + with_digits(machine.int8_macs_per_second / 1e9, 0) + " GMAC/s in 8 bits";
  }
  return text;
}

void print_tables(const BenchRows& rows, const MachineLimits& machine, const std::string& baseline) {
  const bool adapted =
      std::ranges::any_of(rows.prefill, [](const PrefillRow& row) { return row.adapters > 0; });
  Columns prefill({{"prefill"},
                   {"prompt"},
                   {"adapters", adapted},
                   {"seconds"},
                   {"tokens/s"},
                   {"arithmetic"},
                   {"/none", adapted}});
  for (const PrefillRow& row : rows.prefill) {
    prefill.add({row.back_end, std::to_string(row.prompt), adapters_text(row.adapters),
                 with_digits(row.seconds, 2), with_digits(row.tokens_per_second, 1),
                 share_text(row.macs_per_second, machine.int8_macs_per_second),
                 ratio_text(ratio_to_bare(rows, row))});
  }
  Columns decode({{"decode"},
                  {"coupling"},
                  {"prompt"},
                  {"lanes"},
                  {"adapters", adapted},
                  {"ms/step"},
                  {"tokens/s"},
                  {"KV"},
                  {"memory"},
                  {"arithmetic"},
                  {"nodes"},
                  {"builds"},
                  {"back"},
                  {"/independent"},
                  {"/none", adapted},
                  {"/" + baseline, !baseline.empty()}});
  for (const DecodeRow& row : rows.decode) {
    const Ratios over = ratios(rows, row, baseline);
    decode.add({row.back_end, row.coupling, std::to_string(row.prompt), std::to_string(row.lanes),
                adapters_text(row.adapters), with_digits(row.seconds_per_step * 1e3, 2),
                with_digits(row.tokens_per_second, 1), bytes_text(static_cast<double>(row.kv_bytes)),
                share_text(row.bytes_per_second, machine.read_bytes_per_second),
                share_text(row.macs_per_second, machine.int8_macs_per_second),
                std::to_string(row.graph_nodes), std::to_string(row.graph_builds),
                row.device_bytes > 0 ? bytes_text(row.device_bytes) : "", ratio_text(over.independent),
                ratio_text(over.bare), ratio_text(over.baseline)});
  }
  print_out("\n" + prefill.text() + "\n" + decode.text());
}

// What is timed one by one takes a little longer than a step by itself; what is left of the step is not in
// operations: sampling, events, the layout of attention.
void print_profiles(const std::vector<ProfileRow>& profiles) {
  for (const ProfileRow& row : profiles) {
    const double total = seconds_of(row);
    std::vector<std::vector<std::string>> table = {{title(row), "calls", "us", "share"}};
    for (const OperationTime& time : row.operations) {
      const double seconds = time.seconds / row.steps;
      table.push_back({time.operation, std::to_string(time.calls / row.steps), with_digits(seconds * 1e6, 1),
                       share_text(seconds, total)});
    }
    table.push_back({"all operations, timed one by one", "", with_digits(total * 1e6, 1), ""});
    table.push_back({"the step, not timed inside", "", with_digits(row.seconds_per_step * 1e6, 1), ""});
    print_out("\n" + table_text(table));
  }
}

nlohmann::ordered_json to_json(const BenchRows& rows, const MachineLimits& machine,
                               const std::string& baseline) {
  Json prefill = Json::array();
  for (const PrefillRow& row : rows.prefill) {
    prefill.push_back({{"back_end", row.back_end},
                       {"path", row.back_end},
                       {"prompt", row.prompt},
                       {"adapters", row.adapters},
                       {"seconds", row.seconds},
                       {"tokens_per_second", row.tokens_per_second},
                       {"arithmetic_share", share(row.macs_per_second, machine.int8_macs_per_second)}});
    if (const double bare = ratio_to_bare(rows, row); bare > 0) prefill.back()["over_none"] = bare;
  }
  Json decode = Json::array();
  for (const DecodeRow& row : rows.decode) {
    const Ratios over = ratios(rows, row, baseline);
    Json entry = {{"back_end", row.back_end},
                  {"path", row.back_end},
                  {"coupling", row.coupling},
                  {"prompt", row.prompt},
                  {"lanes", row.lanes},
                  {"adapters", row.adapters},
                  {"ms_per_step", row.seconds_per_step * 1e3},
                  {"tokens_per_second", row.tokens_per_second},
                  {"kv_bytes", row.kv_bytes},
                  {"graph_nodes", row.graph_nodes},
                  {"graph_builds", row.graph_builds},
                  {"device_bytes", row.device_bytes},
                  {"memory_share", share(row.bytes_per_second, machine.read_bytes_per_second)},
                  {"arithmetic_share", share(row.macs_per_second, machine.int8_macs_per_second)}};
    if (over.independent > 0) entry["over_independent"] = over.independent;
    if (over.bare > 0) entry["over_none"] = over.bare;
    if (over.baseline > 0) entry["over_baseline"] = over.baseline;
    decode.push_back(std::move(entry));
  }
  Json result = {{"prefill", std::move(prefill)}, {"decode", std::move(decode)}};
  for (const ProfileRow& row : rows.profiles) {
    Json operations = Json::array();
    for (const OperationTime& time : row.operations) {
      operations.push_back({{"operation", time.operation},
                            {"calls", time.calls / row.steps},
                            {"ms", time.seconds / row.steps * 1e3}});
    }
    result["profiles"].push_back({{"back_end", row.back_end},
                                  {"coupling", row.coupling},
                                  {"prompt", row.prompt},
                                  {"lanes", row.lanes},
                                  {"adapters", row.adapters},
                                  {"ms_per_step", row.seconds_per_step * 1e3},
                                  {"operations", std::move(operations)}});
  }
  return result;
}

}  // namespace lanerope::cli
