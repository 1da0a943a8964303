// SPDX-License-Identifier: Apache-2.0
#include "eval/row_file.h"
#include "lanerope/errors.h"

namespace lanerope::eval {

bool reads_parquet() {
  return false;
}

std::vector<Row> rows_of_parquet(const std::string& /*bytes*/, const std::string& file, int64_t /*limit*/) {
  throw InvalidRequest(file +
                       " is Parquet, which this lanerope was built without (script/test-parquet builds one "
                       "with Apache Arrow's library, "
                       "build/parquet/bin/lanerope); build that, or make JSON Lines of the file, as in "
                       "python3 -c \"import pandas; pandas.read_parquet('" +
                       file + "').to_json('questions.jsonl', orient='records', lines=True)\"");
}

}  // namespace lanerope::eval
