// SPDX-License-Identifier: Apache-2.0
#include <csv.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "eval/row_file.h"
#include "lanerope/errors.h"

namespace lanerope::eval {

namespace {

struct Table {
  std::vector<std::vector<std::string>> rows = {};
  std::vector<std::string> row = {};
};

void take_field(void* field, size_t length, void* table) {
  const char* text = static_cast<const char*>(field);
  static_cast<Table*>(table)->row.emplace_back(text == nullptr ? "" : text, text == nullptr ? 0 : length);
}

void end_row(int /*character*/, void* table) {
  Table& made = *static_cast<Table*>(table);
  made.rows.push_back(std::exchange(made.row, {}));
}

Table parse(std::string_view text, const std::string& file) {
  csv_parser parser;
  csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
  const std::unique_ptr<csv_parser, decltype(&csv_free)> freed(&parser, csv_free);
  if (file.find(".tsv") != std::string::npos) csv_set_delim(&parser, CSV_TAB);
  Table table;
  const bool whole =
      csv_parse(&parser, text.data(), text.size(), take_field, end_row, &table) == text.size() &&
      csv_fini(&parser, take_field, end_row, &table) == 0;
  if (!whole) {
    throw BadFile(file + ", row " + std::to_string(table.rows.size() + 1) + ": " +
                  csv_strerror(csv_error(&parser)) + "; quotes in a quoted field are written twice");
  }
  return table;
}

// MMLU's own files have no names: question, four choices, letter.
bool is_nameless_choices(const std::vector<std::string>& row) {
  return row.size() == 6 && row[5].size() == 1 && row[5][0] >= 'A' && row[5][0] <= 'D';
}

}  // namespace

std::vector<Row> rows_of_csv(std::string_view text, const std::string& file, int64_t limit) {
  const Table table = parse(text, file);
  if (table.rows.empty()) throw InvalidRequest(file + " is empty; give a file that holds questions");
  std::vector<std::string> names = table.rows[0];
  size_t first = 1;
  if (is_nameless_choices(names)) {
    names = {"question", "A", "B", "C", "D", "answer"};
    first = 0;
  }
  std::vector<Row> rows;
  for (size_t i = first; i < table.rows.size(); ++i) {
    if (limit > 0 && std::ssize(rows) >= limit) break;
    const std::vector<std::string>& cells = table.rows[i];
    if (cells.size() == 1 && cells[0].empty()) continue;
    Row row{.fields = nlohmann::json::object(), .where = file + ", row " + std::to_string(i + 1)};
    if (cells.size() > names.size()) {
      throw BadFile(row.where + " has " + std::to_string(cells.size()) + " fields, and the first row names " +
                    std::to_string(names.size()) + "; put text that holds commas into quotes");
    }
    for (size_t c = 0; c < cells.size(); ++c) row.fields[names[c]] = cells[c];
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace lanerope::eval
