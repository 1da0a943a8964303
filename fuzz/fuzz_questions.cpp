// SPDX-License-Identifier: Apache-2.0
// A file of questions, as JSON or as CSV, or a line of an evaluation's records.
#include <cstdint>
#include <string_view>

#include "eval/eval_record.h"
#include "eval/question_reader.h"
#include "eval/row_file.h"
#include "lanerope/errors.h"

namespace {

void read(std::vector<lanerope::eval::Row> (*rows_of)(std::string_view, const std::string&, int64_t),
          std::string_view text) {
  try {
    for (const lanerope::eval::Row& row : rows_of(text, "file.tsv", 0)) {
      try {
        read_row(row, {}, {});
      } catch (const lanerope::BadFile&) {
        continue;
      }
    }
  } catch (const lanerope::BadFile&) {
    return;
  } catch (const lanerope::InvalidRequest&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  read(lanerope::eval::rows_of_json, text);
  read(lanerope::eval::rows_of_csv, text);
  lanerope::eval::parse_record(text);
  return 0;
}
