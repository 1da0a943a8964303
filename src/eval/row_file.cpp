// SPDX-License-Identifier: Apache-2.0
#include "eval/row_file.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <memory>

#include "lanerope/errors.h"

namespace lanerope::eval {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr size_t most_bytes = size_t{2} << 30;  // unpacked

// The file's bytes, unpacked where they are packed.
std::string bytes_of(const std::string& file) {
  const SystemError unreadable(file + " cannot be read; check the name and its permissions");
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> stream(gzopen(file.c_str(), "rb"), gzclose);
  if (stream == nullptr) throw unreadable;
  gzbuffer(stream.get(), 1 << 17);
  std::string bytes;
  std::array<char, 1 << 16> part;
  while (true) {
    const int got = gzread(stream.get(), part.data(), part.size());
    if (got <= 0) {
      int code = Z_OK;
      gzerror(stream.get(), &code);
      if (code == Z_OK || code == Z_STREAM_END) break;
      if (code == Z_ERRNO) throw unreadable;
      throw BadFile(file + " is packed with gzip and damaged; fetch it again");
    }
    bytes.append(part.data(), static_cast<size_t>(got));
    if (bytes.size() > most_bytes) throw BadFile(file + " has more than 2 GiB; give a part of it");
  }
  return bytes;
}

// What lies deeper than anybody's questions is dropped, since it would be gone through by recursion.
Json parsed(std::string_view text) {
  constexpr int deepest = 64;
  return Json::parse(text, [](int depth, Json::parse_event_t, Json&) { return depth < deepest; }, false);
}

// "test.csv" of "test.csv.gz", in small letters.
std::string extension_of(const std::string& file) {
  fs::path path(file);
  if (path.extension() == ".gz") path = path.stem();
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

std::vector<Row> rows_of_file(const std::string& file, int64_t limit) {
  std::string bytes = bytes_of(file);
  if (bytes.starts_with("PAR1")) return rows_of_parquet(bytes, file, limit);
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);  // the mark that Windows puts before UTF-8
  const std::string extension = extension_of(file);
  if (extension == ".csv" || extension == ".tsv") return rows_of_csv(bytes, file, limit);
  return rows_of_json(bytes, file, limit);
}

std::vector<std::string> files_below(const std::string& folder) {
  constexpr std::array<std::string_view, 5> known = {".json", ".jsonl", ".csv", ".tsv", ".parquet"};
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() &&
        std::ranges::find(known, extension_of(entry.path().string())) != known.end())
      files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  if (files.empty())
    throw InvalidRequest(folder + " holds no JSON, JSON Lines, CSV or Parquet file; give one that does");
  return files;
}

std::string first_line(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find('\n', begin) - begin));
}

std::vector<Row> rows_of_lines(std::string_view text, const std::string& file, int64_t limit) {
  std::vector<Row> rows;
  int64_t number = 0;
  while (!text.empty() && (limit == 0 || std::ssize(rows) < limit)) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Row row{.fields = parsed(line), .where = file + ", line " + std::to_string(number)};
    if (!row.fields.is_object())
      throw BadFile(row.where + " is not a JSON object; write one question a line");
    rows.push_back(std::move(row));
  }
  return rows;
}

bool is_list_of_objects(const Json& json) {
  return json.is_array() && !json.empty() &&
         std::ranges::all_of(json, [](const Json& item) { return item.is_object(); });
}

std::vector<Row> rows_of_list(const Json& list, const std::string& file, int64_t limit) {
  std::vector<Row> rows;
  for (const Json& item : list) {
    if (limit > 0 && std::ssize(rows) >= limit) break;
    Row row{.fields = item, .where = file + ", row " + std::to_string(rows.size() + 1)};
    // The data sets' server of the hub wraps each row.
    if (item.contains("row") && item["row"].is_object()) row.fields = item["row"];
    rows.push_back(std::move(row));
  }
  return rows;
}

// The list of rows that an object is made for: all that it holds, or what stands under a usual name.
const Json* list_in(const Json& object) {
  constexpr std::array<std::string_view, 12> names = {"data",     "rows",      "questions", "examples",
                                                      "problems", "items",     "test",      "validation",
                                                      "train",    "instances", "samples",   "records"};
  for (const auto& [name, value] : object.items()) {
    if (is_list_of_objects(value) && (object.size() == 1 || std::ranges::find(names, name) != names.end()))
      return &value;
  }
  return nullptr;
}

}  // namespace

std::vector<Row> rows_of_json(std::string_view text, const std::string& file, int64_t limit) {
  const std::string line = first_line(text);
  if (line.empty()) throw InvalidRequest(file + " is empty; give a file that holds questions");
  const Json json = parsed(text);
  if (is_list_of_objects(json)) return rows_of_list(json, file, limit);
  if (json.is_object()) {
    if (const Json* list = list_in(json)) return rows_of_list(*list, file, limit);
    return {{.fields = json, .where = file + ", line 1"}};
  }
  if (line.front() == '{') return rows_of_lines(text, file, limit);
  throw BadFile(file +
                " is neither JSON, JSON Lines nor Parquet, and its name does not end in .csv or .tsv; give "
                "one of these");
}

std::vector<Row> read_rows(const std::string& path, int64_t limit) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return rows_of_file(path, limit);
  std::vector<Row> rows;
  for (const std::string& file : files_below(path)) {
    const int64_t left = limit > 0 ? limit - std::ssize(rows) : 0;
    if (limit > 0 && left <= 0) break;
    std::vector<Row> more = rows_of_file(file, left);
    std::ranges::move(more, std::back_inserter(rows));
  }
  return rows;
}

}  // namespace lanerope::eval
