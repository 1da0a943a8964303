// SPDX-License-Identifier: Apache-2.0
#include "eval/record_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <fstream>
#include <sstream>

#include "lanerope/errors.h"
#include "tests/support/random_models.h"

namespace lanerope::eval {
namespace {

EvalRecord record(int64_t question) {
  return {.arm = "x",
          .question = question,
          .group = 1,
          .lanes = {{.text = "it is\n#### 7\n\xc3\xa9 \xff",
                     .answer = "7",
                     .answer_from = AnswerFrom::mark,
                     .ended = true,
                     .length = 9,
                     .mean_logprob = -0.25,
                     .certainty = Certainty{.self_certainty = 4.5, .lowest_window = 2.25},
                     .verifier_score = -3,
                     .passed = false,
                     .settled = {{.length = 5, .answer = "7"}}},
                    {.text = "", .length = 16, .sleeps = {{.token = 2, .steps = 6}}}},
          .seconds = 1.5,
          .steps = 12};
}

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

void write(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

const RunSettings settings = {{"model", "abc"}, {"seed", "1"}, {"tag", ""}};

std::string refusal(const std::string& file, const RunSettings& wanted) {
  try {
    RecordFile(file).begin_arm("x", wanted);
  } catch (const InvalidRequest& error) {
    return error.what();
  }
  return "(not refused)";
}

// A file with the arm x, two records and a timing.
std::string whole_file() {
  std::string path = support::new_file(".jsonl");
  RecordFile file(path);
  file.begin_arm("x", settings);
  file.add(record(0));
  file.add(record(1));
  file.add(ArmTiming{.arm = "x", .seconds = 2, .steps = 7});
  return path;
}

TEST(EvalLane, CountsTheTokensThatItHadSpentByAStep) {
  // Tokens 0 and 1, then asleep for three steps, tokens 2 to 4 at steps 5 to 7, asleep for two, token 5 at
  // step 10.
  const EvalLane lane{.length = 11, .sleeps = {{.token = 2, .steps = 3}, {.token = 5, .steps = 2}}};
  const std::vector<int32_t> fed = {0, 1, 5, 6, 7, 10};
  for (int32_t steps = 0; steps < 14; ++steps)
    EXPECT_EQ(lane.tokens_within(steps), std::ranges::count_if(fed, [&](int32_t at) { return at < steps; }))
        << steps;
  EXPECT_EQ(lane.tokens(), 6);
}

TEST(EvalRecord, IsALineAndBack) {
  const EvalRecord original = record(3);
  const EvalRecord back = parse_record(to_line(original)).value();
  EXPECT_EQ(to_line(original).find('\n'), std::string::npos);
  EXPECT_EQ(back.arm, original.arm);
  EXPECT_EQ(back.question, 3);
  EXPECT_EQ(back.group, 1);
  EXPECT_EQ(back.seconds, 1.5);
  EXPECT_EQ(back.steps, 12);
  EXPECT_EQ(back.lanes[1], original.lanes[1]);
  EXPECT_EQ(back.lanes[0].settled, original.lanes[0].settled);
  EXPECT_EQ(back.lanes[0].text, "it is\n#### 7\n\xc3\xa9 \xef\xbf\xbd")
      << "bytes that are no text are replaced";
  for (const char* line : {"", "{", "[]", "7", "{}", R"({"arm":"x"})", R"({"arm":1,"question":"a"})"})
    EXPECT_FALSE(parse_record(line)) << line;
}

TEST(RecordFile, HoldsWhatWasWritten) {
  const std::string path = whole_file();
  RecordFile file(path);
  file.begin_arm("x", settings);
  ASSERT_EQ(file.records().size(), 2U);
  EXPECT_EQ(file.records()[1].question, 1);
  file.add(ArmTiming{.arm = "x", .seconds = 3, .steps = 1});
  EXPECT_EQ(file.timing_of("x").seconds, 5) << "of both runs";
  EXPECT_EQ(file.timing_of("y").steps, 0);
}

TEST(RecordFile, GoesOnWhereverItWasCutOff) {
  const std::string path = whole_file();
  const std::string whole = text_of(path);
  for (size_t length = 0; length < whole.size(); ++length) {
    write(path, whole.substr(0, length));
    const auto lines = static_cast<size_t>(std::ranges::count(whole.substr(0, length), '\n'));
    RecordFile file(path);
    EXPECT_EQ(file.records().size(), std::min<size_t>(lines > 0 ? lines - 1 : 0, 2)) << length;
    file.begin_arm("x", settings);
    file.add(record(9));
    EXPECT_EQ(RecordFile(path).records().back().question, 9);
  }
}

TEST(RecordFile, IsNotGoneOnWithAfterAChange) {
  const std::string path = whole_file();
  EXPECT_EQ(refusal(path, {{"model", "abd"}, {"seed", "1"}}),
            path + " holds the arm x with model abc, and this run has abd; give another folder with --out");
  EXPECT_THAT(refusal(path, {{"model", "abc"}, {"seed", "2"}}),
              testing::HasSubstr("with seed 1, and this run has 2;"));
  EXPECT_THAT(refusal(path, {{"model", "abc"}, {"seed", "1"}, {"tag", "<a>"}}),
              testing::HasSubstr("with tag none, and this run has <a>;"));
  EXPECT_THAT(refusal(path, {{"model", "abc"}}), testing::HasSubstr("with seed 1, and this run has none;"));
  RecordFile(path).begin_arm("another", {{"model", "abd"}});
}

// Nothing was sampled with what was mistyped.
TEST(RecordFile, AnArmWithoutRecordsTakesOtherSettings) {
  const std::string path = support::new_file(".jsonl");
  {
    RecordFile file(path);
    file.begin_arm("x", {{"seed", "-1"}});
    file.begin_arm("y", {{"seed", "-1"}});
    file.add(ArmTiming{.arm = "x", .seconds = 2, .steps = 7});
    file.begin_arm("x", settings);
    EXPECT_EQ(file.timing_of("x").steps, 0) << "of the arm as it was";
  }
  const std::string begun = text_of(path);
  RecordFile file(path);
  file.begin_arm("x", settings);
  EXPECT_EQ(text_of(path), begun) << "these are the arm's already";
  file.add(record(0));
  const RecordContents contents = read_records(path);
  ASSERT_EQ(contents.arms.size(), 2U);
  EXPECT_EQ(contents.arms[0].second, settings);
  EXPECT_TRUE(contents.timings.empty());
  EXPECT_THAT(refusal(path, {{"seed", "-1"}}), testing::HasSubstr("holds the arm x with seed 1"));
}

TEST(RecordFile, LeavesOtherFilesAlone) {
  const std::string path = support::new_file(".jsonl");
  for (const std::string notes : {"my notes\n", "my notes", "{\"a\": 1}\n", "\n"}) {
    write(path, notes);
    EXPECT_THROW(RecordFile{path}, BadFile) << notes;
    EXPECT_EQ(text_of(path), notes);
  }
  EXPECT_THROW(RecordFile("/nowhere/records.jsonl"), SystemError);
}

TEST(Fingerprint, TellsFilesApart) {
  const std::string path = support::new_file(".bin");
  std::string text(9'000'000, 'a');
  write(path, text);
  const std::string first = fingerprint(path);
  EXPECT_EQ(fingerprint(path), first);
  text.back() = 'b';
  write(path, text);
  EXPECT_NE(fingerprint(path), first);
  write(path, "");
  EXPECT_THAT(fingerprint(path), testing::HasSubstr("(0 bytes)"));
  EXPECT_THROW(fingerprint("/nowhere"), SystemError);
}

}  // namespace
}  // namespace lanerope::eval
