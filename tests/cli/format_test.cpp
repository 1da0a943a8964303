// SPDX-License-Identifier: Apache-2.0
#include "cli/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cli/output.h"
#include "cli/text_source.h"
#include "cli/wrap.h"
#include "lanerope/errors.h"
#include "tests/support/temporary_directory.h"

namespace lanerope::cli {
namespace {

using ::testing::ElementsAre;

TEST(Format, BytesAndCounts) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1536), "1.50 KiB");
  EXPECT_EQ(bytes_text(44.0 * 1024 * 1024), "44.0 MiB");
  EXPECT_EQ(count_text(12), "12");
  EXPECT_EQ(count_text(1777088000), "1.78 B");
  EXPECT_EQ(count_text(494000000), "494 M");
}

// Files from other machines: a byte-order mark, and lines that end with two characters.
TEST(TextFile, IsTheTextAlone) {
  const support::TemporaryDirectory directory;
  const auto read = [&](std::string_view bytes) {
    const std::string file = directory.file("prompt.txt");
    std::ofstream(file, std::ios::binary) << bytes;
    TextSource source;
    source.file = file;
    return read_text(source);
  };
  EXPECT_EQ(read("\xef\xbb\xbfone\r\ntwo\r\n"), "one\ntwo");
  EXPECT_EQ(read("one\ntwo\n"), "one\ntwo");
  EXPECT_EQ(read("a\rb\n\r\nc"), "a\rb\n\nc") << "a lone return is the text's own";
  EXPECT_EQ(read("x\xef\xbb\xbfy"), "x\xef\xbb\xbfy") << "a mark within it, too";
  EXPECT_THROW(read("\xef\xbb\xbf\r\n"), InvalidRequest) << "nothing is left";
  EXPECT_THROW(read("\xff\xfeo"), InvalidRequest) << "UTF-16";
}

TEST(Format, TablesAlignNumbersToTheRight) {
  EXPECT_EQ(table_text({{"what", "n"}, {"a", "10"}, {"longer", "7"}}),
            "what     n\na       10\nlonger   7\n");
}

TEST(Wrap, BreaksAtWordsAndKeepsTheEnd) {
  EXPECT_THAT(wrap_tail("one two three", {.width = 7, .lines = 3}), ElementsAre("one two", "three"));
  EXPECT_THAT(wrap_tail("one two three", {.width = 7, .lines = 1}), ElementsAre("three"));
  EXPECT_THAT(wrap_tail("abcdefgh", {.width = 3, .lines = 5}), ElementsAre("abc", "def", "gh"));
  EXPECT_THAT(wrap_tail("a\n\nb\n", {.width = 3, .lines = 5}), ElementsAre("a", "", "b"));
  EXPECT_THAT(wrap_tail("", {.width = 3, .lines = 5}), ElementsAre(""));
}

TEST(Wrap, WideCharactersTakeTwoCells) {
  EXPECT_THAT(wrap_tail("数学数学", {.width = 5, .lines = 3}), ElementsAre("数学", "数学"));
}

TEST(Wrap, LongTextsEndAsShortOnesDo) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "wörd ";
  text += "end";
  const std::vector<std::string> lines = wrap_tail(text, {.width = 20, .lines = 2});
  ASSERT_EQ(lines.size(), 2);
  EXPECT_THAT(lines.back(), ::testing::EndsWith("end"));
  EXPECT_TRUE(valid_utf8(lines.front()));
}

TEST(Wrap, FitMarksWhatWasCut) {
  EXPECT_EQ(fit("lane one", 8), "lane one");
  EXPECT_EQ(fit("lane seven", 8), "lane se…");
}

TEST(Output, TerminalControlsOfAModelAreMadeVisible) {
  EXPECT_EQ(without_controls("a\033[2Jb\x07\n\tc\x7f"), "a·[2Jb·\n\tc·");
  EXPECT_EQ(without_controls("\xc2\x9b"
                             "31m é"),
            "·31m é");
}

TEST(Utf8, OnlyWholeCharactersAreValid) {
  EXPECT_TRUE(valid_utf8("aé数😀"));
  for (const char* bad :
       {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"}) {
    EXPECT_FALSE(valid_utf8(bad));
  }
}

}  // namespace
}  // namespace lanerope::cli
