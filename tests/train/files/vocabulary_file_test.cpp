// SPDX-License-Identifier: Apache-2.0
#include "train/files/vocabulary_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <random>
#include <string>

#include "gguf/writer.h"
#include "lanerope/errors.h"
#include "tests/support/temporary_directory.h"
#include "text/tokenizer.h"

namespace lanerope::train {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

void expect_equal(const text::VocabularyData& a, const text::VocabularyData& b) {
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.pre, b.pre);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.scores, b.scores);
  EXPECT_EQ(a.types, b.types);
  EXPECT_EQ(a.merges, b.merges);
  EXPECT_EQ(a.bos, b.bos);
  EXPECT_EQ(a.eos, b.eos);
  EXPECT_EQ(a.eot, b.eot);
  EXPECT_EQ(a.eom, b.eom);
  EXPECT_EQ(a.unknown, b.unknown);
  EXPECT_EQ(a.pad, b.pad);
  EXPECT_EQ(a.add_bos, b.add_bos);
  EXPECT_EQ(a.add_eos, b.add_eos);
  EXPECT_EQ(a.add_space_prefix, b.add_space_prefix);
  EXPECT_EQ(a.chat_template, b.chat_template);
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

constexpr const char* two_groups =
    R"({"question": "Eva buys pens, pens, pens.", "answer": "7", "lanes": ["sum 3 wait", "sum 4 wait"]})"
    "\n\n"
    R"({"question": "Eva sells pens.", "answer": "8"})"
    "\n";

TEST(VocabularyFile, IsReadBackAsItWasWritten) {
  const support::TemporaryDirectory directory;
  VocabularyTrainer trainer;
  trainer.add("round and round and round");
  const text::VocabularyData data = trainer.train({});
  write_vocabulary_file(directory.file("v.gguf"), data);
  expect_equal(read_vocabulary_file(directory.file("v.gguf")), data);
}

TEST(VocabularyFile, EveryKeyIsKept) {
  const support::TemporaryDirectory directory;
  const text::VocabularyData data{.model = "llama",
                                  .pre = "default",
                                  .tokens = {"a", "b", "c d"},
                                  .scores = {0.5f, -1.0f, 2.0f},
                                  .types = {1, 3, 4},
                                  .merges = {"a b"},
                                  .bos = 0,
                                  .eos = 1,
                                  .eot = 2,
                                  .eom = -1,
                                  .unknown = 0xFFFFFFFF,
                                  .pad = 1,
                                  .add_bos = true,
                                  .add_eos = false,
                                  .add_space_prefix = true,
                                  .chat_template = "{{ 'ä' }}\n"};
  write_vocabulary_file(directory.file("v.gguf"), data);
  expect_equal(read_vocabulary_file(directory.file("v.gguf")), data);

  text::VocabularyData too_large = data;
  too_large.eos = int64_t{1} << 40;
  EXPECT_THROW(write_vocabulary_file(directory.file("w.gguf"), too_large), InvalidRequest);
}

TEST(VocabularyFile, AnyBytesSurviveItsTokenizer) {
  const support::TemporaryDirectory directory;
  write_file(directory.file("t.jsonl"), two_groups);
  train_vocabulary_file({.data = {directory.file("t.jsonl")}, .output = directory.file("v.gguf")});
  const text::Tokenizer tokenizer(
      std::make_shared<const text::Vocabulary>(read_vocabulary_file(directory.file("v.gguf"))));

  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::string bytes;
    for (unsigned n = random() % 60; n > 0; --n) bytes += static_cast<char>(random());
    if (round % 2 == 0) bytes += " pens wait<lane7>\n<|im_end|>é☃";
    const auto tokens = tokenizer.encode(bytes, {.parse_special = round % 4 == 0});
    EXPECT_EQ(tokenizer.decode(tokens, {.special = true}), bytes);
  }
}

TEST(VocabularyFile, LearnsFromQuestionsAndLanes) {
  const support::TemporaryDirectory directory;
  write_file(directory.file("t.jsonl"), two_groups);
  const VocabularyReport report =
      train_vocabulary_file({.data = {directory.file("t.jsonl")}, .output = directory.file("v.gguf")});
  EXPECT_EQ(report.groups, 2u);
  const text::VocabularyData data = read_vocabulary_file(directory.file("v.gguf"));
  EXPECT_EQ(report.tokens, data.tokens.size());
  EXPECT_EQ(report.merges, data.merges.size());
  EXPECT_THAT(data.tokens, Contains("Ġpens"));
  EXPECT_THAT(data.tokens, Contains("sum"));
  EXPECT_THAT(data.tokens, Contains("Ġwait"));
  EXPECT_THAT(data.tokens, Contains("assistant"));

  train_vocabulary_file(
      {.data = {directory.file("t.jsonl")}, .output = directory.file("one.gguf"), .groups = 1});
  EXPECT_THAT(read_vocabulary_file(directory.file("one.gguf")).tokens, Not(Contains("assistant")));
}

TEST(VocabularyFile, SaysWhichLineIsNoGroup) {
  const support::TemporaryDirectory directory;
  const auto refusal = [&](const std::string& line) -> std::string {
    write_file(directory.file("t.jsonl"), two_groups + line);
    try {
      train_vocabulary_file({.data = {directory.file("t.jsonl")}, .output = directory.file("v.gguf")});
    } catch (const BadFile& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal("{\"question\": "), HasSubstr("t.jsonl, line 4 is not a JSON object"));
  EXPECT_THAT(refusal("{\"answer\": \"7\"}"), HasSubstr("line 4 has no \"question\""));
  EXPECT_THAT(refusal("{\"question\": \"q\", \"answer\": \"1\", \"lanes\": [7]}"),
              HasSubstr("line 4 has \"lanes\" that are not"));

  write_file(directory.file("empty.jsonl"), "\n");
  EXPECT_THROW(
      train_vocabulary_file({.data = {directory.file("empty.jsonl")}, .output = directory.file("v.gguf")}),
      InvalidRequest);
  EXPECT_THROW(
      train_vocabulary_file({.data = {directory.file("none.jsonl")}, .output = directory.file("v.gguf")}),
      SystemError);
}

}  // namespace
}  // namespace lanerope::train
