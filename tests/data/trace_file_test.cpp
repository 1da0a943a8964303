// SPDX-License-Identifier: Apache-2.0
#include "data/trace_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "lanerope/errors.h"

namespace lanerope::data {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(TraceFile, ALineHoldsWhatTheTraceHolds) {
  EXPECT_EQ(trace_line({.question = "How many?", .answer = "5"}), R"({"question":"How many?","answer":"5"})");
  EXPECT_EQ(
      trace_line({.question = "Q",
                  .answer = "5",
                  .lanes = {"a\nb", "<lane1>"},
                  .labels = {true, false},
                  .ended = {true, true},
                  .other = {{.key = "parts", .json = "2"}}}),
      R"({"question":"Q","answer":"5","lanes":["a\nb","<lane1>"],"parts":2,"labels":[true,false],"ended":[true,true]})");
}

TEST(TraceFile, BytesThatAreNoUtf8AreReplaced) {
  EXPECT_EQ(trace_line({.question = "\xff", .answer = "1"}),
            "{\"question\":\"\xef\xbf\xbd\",\"answer\":\"1\"}");
}

TEST(TraceFile, ReadsBackWhatWasWritten) {
  const Trace written = {.question = "\"Wie viele?\" \\ \xc3\xa4",
                         .answer = "-3",
                         .lanes = {"", "x\n"},
                         .labels = {false, true},
                         .ended = {true, false},
                         .second_stage = {{.told = "sum", .written = "x\n7"}},
                         .other = {{.key = "parts", .json = "8"}, {.key = "id", .json = R"({"a":[1]})"}}};
  std::istringstream lines("\n" + trace_line(written) + "\r\n \n" +
                           trace_line({.question = "Q", .answer = "7"}));
  TraceReader reader(lines, "traces.jsonl");
  const std::optional<Trace> read = reader.next();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->question, written.question);
  EXPECT_EQ(read->answer, written.answer);
  EXPECT_EQ(read->lanes, written.lanes);
  EXPECT_EQ(read->labels, written.labels);
  EXPECT_EQ(read->ended, written.ended);
  EXPECT_EQ(read->second_stage, written.second_stage);
  EXPECT_EQ(read->other, written.other);
  EXPECT_EQ(reader.where(), "traces.jsonl, line 2");
  const std::optional<Trace> problem = reader.next();
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->answer, "7");
  EXPECT_THAT(problem->lanes, IsEmpty());
  EXPECT_EQ(reader.where(), "traces.jsonl, line 4");
  EXPECT_FALSE(reader.next());
}

TEST(TraceFile, TakesWholeNumbersAsAnswersAndKeepsOtherKeys) {
  std::istringstream lines(R"({"id": 1, "question": "Q", "answer": 1188, "note": {"lanes": 3}})");
  const std::optional<Trace> trace = TraceReader(lines, "x").next();
  EXPECT_EQ(trace->answer, "1188");
  EXPECT_EQ(trace_line(*trace), R"({"question":"Q","answer":"1188","id":1,"note":{"lanes":3}})");
}

TEST(TraceFile, ABadLineIsRefusedByItsNumber) {
  const std::map<std::string, std::string> reasons = {
      {"nonsense", "is not a JSON object in UTF-8"},
      {"[1]", "is not a JSON object in UTF-8"},
      {R"({"question": "Q", "answer": "5")", "is not a JSON object in UTF-8"},
      {"{\"question\": \"\xff\", \"answer\": \"5\"}", "is not a JSON object in UTF-8"},
      {R"({"answer": "5"})", "has no \"question\""},
      {R"({"question": 5, "answer": "5"})", "has no \"question\""},
      {R"({"question": "Q"})", "has no \"answer\""},
      {R"({"question": "Q", "answer": 1.5})", "has no \"answer\""},
      {R"({"question": "Q", "answer": "5", "lanes": "x"})", "has \"lanes\" that are not"},
      {R"({"question": "Q", "answer": "5", "lanes": [1]})", "has \"lanes\" that are not"},
      {R"({"question": "Q", "answer": "5", "labels": [true]})", "has \"labels\" that are not"},
      {R"({"question": "Q", "answer": "5", "lanes": ["x"], "labels": [1]})", "has \"labels\" that are not"},
      {R"({"question": "Q", "answer": "5", "lanes": ["x"], "ended": true})", "has \"ended\" that are not"},
      {R"({"question": "Q", "answer": "5", "lanes": ["x"], "second_stage": "y"})",
       "has a \"second_stage\" that is no object"},
      {R"({"question": "Q", "answer": "5", "lanes": ["x"], "second_stage": {"told": "y"}})",
       "has a \"second_stage\" that is not an object with"},
      {R"({"question": "Q", "answer": "5", "second_stage": {"told": "y", "written": "z"}})",
       "has a \"second_stage\" that is no object, or no \"lanes\""},
  };
  for (const auto& [line, reason] : reasons) {
    std::istringstream lines("{\"question\": \"Q\", \"answer\": \"5\"}\n\n" + line);
    TraceReader reader(lines, "traces.jsonl");
    reader.next();
    try {
      reader.next();
      ADD_FAILURE() << line << " was taken";
    } catch (const BadFile& error) {
      EXPECT_THAT(error.what(), HasSubstr("traces.jsonl, line 3 " + reason));
    }
  }
}

}  // namespace
}  // namespace lanerope::data
