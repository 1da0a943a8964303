// SPDX-License-Identifier: Apache-2.0
#include "eval/row_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "lanerope/errors.h"
#include "tests/support/random_models.h"

namespace lanerope::eval {
namespace {

using testing::HasSubstr;

std::string file_of(const std::string& text, const std::string& extension) {
  const std::string file = support::new_file(extension);
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

std::vector<std::string> values(const std::vector<Row>& rows, const std::string& key) {
  std::vector<std::string> list;
  for (const Row& row : rows) list.push_back(row.fields.value(key, "(none)"));
  return list;
}

const std::vector<std::string> one_two = {"one", "two"};

TEST(RowFile, ReadsJsonInAllItsShapes) {
  for (const std::string text :
       {"{\"q\": \"one\"}\n\n{\"q\": \"two\"}\n", "{\"q\": \"one\"}\r\n{\"q\": \"two\"}",
        "[{\"q\": \"one\"}, {\"q\": \"two\"}]", "\xEF\xBB\xBF[\n{\"q\": \"one\"},\n{\"q\": \"two\"}\n]\n",
        "{\"version\": 2, \"data\": [{\"q\": \"one\"}, {\"q\": \"two\"}]}",
        "{\n \"rows\": [{\"row_idx\": 0, \"row\": {\"q\": \"one\"}},\n {\"row_idx\": 1, \"row\": {\"q\": "
        "\"two\"}}]\n}"}) {
    EXPECT_EQ(values(read_rows(file_of(text, ".json"), 0), "q"), one_two) << text;
    EXPECT_EQ(read_rows(file_of(text, ".whatever"), 1).size(), 1U);
  }
  EXPECT_EQ(read_rows(file_of("{\n\"q\": \"alone\"\n}", ".json"), 0).size(), 1U);
}

TEST(RowFile, ReadsCsvWithQuotesCommasAndLineBreaks) {
  const auto rows =
      read_rows(file_of("q,answer\n\"one, \"\"quoted\"\"\nand more\",7\nplain, 8 \n\nlast,9", ".csv"), 0);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].fields["q"], "one, \"quoted\"\nand more");
  EXPECT_EQ(rows[1].fields["answer"], "8");
  EXPECT_EQ(rows[2].fields["q"], "last");
  EXPECT_THAT(rows[2].where, HasSubstr(", row 4"));
  EXPECT_EQ(values(read_rows(file_of("a\tq\n1\tone\n2\ttwo\n", ".tsv"), 0), "q"), one_two);
}

TEST(RowFile, ReadsMmlusFilesWithoutNames) {
  const auto rows = read_rows(file_of("How many?,1,2,3,4,B\n\"Who, then?\",a,b,c,d,D\n", ".csv"), 0);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].fields["question"], "Who, then?");
  EXPECT_EQ(rows[1].fields["C"], "c");
  EXPECT_EQ(rows[0].fields["answer"], "B");
}

TEST(RowFile, UnpacksGzip) {
  for (const char* extension : {".jsonl.gz", ".gz"}) {
    const std::string file = support::new_file(extension);
    const gzFile packed = gzopen(file.c_str(), "wb");
    gzputs(packed, "{\"q\": \"one\"}\n{\"q\": \"two\"}\n");
    gzclose(packed);
    EXPECT_EQ(values(read_rows(file, 0), "q"), one_two);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 6);
    EXPECT_THROW(read_rows(file, 0), BadFile) << "cut off";
  }
  const std::string file = support::new_file(".csv.gz");
  const gzFile packed = gzopen(file.c_str(), "wb");
  gzputs(packed, "q\none\ntwo\n");
  gzclose(packed);
  EXPECT_EQ(values(read_rows(file, 0), "q"), one_two);
}

TEST(RowFile, ReadsAFolderByName) {
  const std::string folder = support::new_file(".set");
  std::filesystem::create_directories(folder + "/b");
  std::ofstream(folder + "/b/2.json") << "{\"q\": \"two\"}";
  std::ofstream(folder + "/1.json") << "{\"q\": \"one\"}";
  std::ofstream(folder + "/README.md") << "nothing";
  EXPECT_EQ(values(read_rows(folder, 0), "q"), one_two);
  EXPECT_EQ(read_rows(folder, 1).size(), 1U);
}

template <typename Error>
std::string refusal(const std::string& file) {
  try {
    read_rows(file, 0);
  } catch (const Error& error) {
    return error.what();
  }
  return "(not refused)";
}

TEST(RowFile, SaysWhatIsWrong) {
  EXPECT_THAT(refusal<SystemError>("/nowhere.json"), HasSubstr("cannot be read"));
  EXPECT_THAT(refusal<InvalidRequest>(file_of("", ".json")), HasSubstr("is empty"));
  EXPECT_THAT(refusal<BadFile>(file_of("What is this?\n", ".txt")),
              HasSubstr("is neither JSON, JSON Lines nor Parquet"));
  EXPECT_THAT(refusal<BadFile>(file_of("{\"q\": \"one\"}\n{\"q\": \n", ".jsonl")),
              HasSubstr(", line 2 is not a JSON object"));
  EXPECT_THAT(refusal<BadFile>(file_of("a,b\n1,2,3\n", ".csv")),
              HasSubstr("row 2 has 3 fields, and the first row names 2"));
  EXPECT_THAT(refusal<BadFile>(file_of("a\n\"never closed\n", ".csv")), HasSubstr("quotes"));
  std::filesystem::create_directories("/tmp/lanerope-empty-folder");
  EXPECT_THAT(refusal<InvalidRequest>("/tmp/lanerope-empty-folder"), HasSubstr("holds no JSON"));
}

TEST(RowFile, SaysHowToDoWithoutParquet) {
  const std::string file = file_of("PAR1 and so on", ".parquet");
  if (reads_parquet()) {
    EXPECT_THAT(refusal<BadFile>(file), HasSubstr("damaged Parquet"));
  } else {
    EXPECT_THAT(refusal<InvalidRequest>(file), HasSubstr("Apache Arrow"));
  }
}

// What the file holds was written by pyarrow from Python's values, which stand here again.
TEST(RowFile, ReadsWhatParquetFilesOfQuestionsHold) {
  if (!reads_parquet()) GTEST_SKIP() << "built without Apache Arrow; script/test-parquet builds with it";
  const std::vector<Row> rows = read_rows(LANEROPE_PARQUET_FILE, 0);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].fields, nlohmann::json::parse(R"({
    "question": "How many legs have two cats?", "answer": "#### 8", "level": 1, "weight": 0.5, "choices": ["a", "b"],
    "source": {"book": "x", "page": 7}, "subject": "algebra", "checked": true})"));
  EXPECT_EQ(rows[1].fields, nlohmann::json::parse(R"({
    "question": "Was war 1/2 + 1/4? – ½", "answer": "#### 0.75", "level": 2, "weight": null, "choices": [],
    "source": null, "subject": "algebra", "checked": false})"));
  EXPECT_EQ(rows[2].fields, nlohmann::json::parse(R"({
    "question": "What is 2^70?", "answer": "#### 1180591620717411303424", "level": null, "weight": 2.25, "choices": ["c"],
    "source": {"book": "y", "page": 8}, "subject": "numbers", "checked": null})"));
  EXPECT_THAT(rows[2].where, HasSubstr("questions.parquet, row 3"));
  EXPECT_EQ(read_rows(LANEROPE_PARQUET_FILE, 2).size(), 2U);

  std::ifstream whole(LANEROPE_PARQUET_FILE, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(whole), {}};
  EXPECT_THAT(refusal<BadFile>(file_of(bytes.substr(0, bytes.size() / 2), ".parquet")),
              HasSubstr("damaged Parquet"));
}

}  // namespace
}  // namespace lanerope::eval
