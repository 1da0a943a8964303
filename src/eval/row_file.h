// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::eval {

// One row of a file of people's: an object, whatever the file's format.
struct Row {
  nlohmann::json fields = {};
  std::string where = {};  // "test.jsonl, line 3"
};

// Reads a file as it is: JSON Lines, JSON (a list of objects, an object that holds one list of them, or one
// object), CSV or TSV with names in its first line, Parquet; each of them packed with gzip or not. A folder
// is all such files below it, by name. What a file is follows from its content, and for CSV from its name. At
// most `limit` rows; 0: all. Throws SystemError where a file cannot be read, BadFile naming file and line
// where one is of another kind.
std::vector<Row> read_rows(const std::string& path, int64_t limit);

// The formats alone, from a file's content.
std::vector<Row> rows_of_json(std::string_view text, const std::string& file, int64_t limit);
std::vector<Row> rows_of_csv(std::string_view text, const std::string& file, int64_t limit);
// Throws InvalidRequest where this was built without Parquet.
bool reads_parquet();
std::vector<Row> rows_of_parquet(const std::string& bytes, const std::string& file, int64_t limit);

}  // namespace lanerope::eval
