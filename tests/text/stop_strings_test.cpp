// SPDX-License-Identifier: Apache-2.0
#include "text/stop_strings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "lanerope/errors.h"
#include "text/utf8.h"

namespace lanerope::text {
namespace {

struct Ending {
  std::string text;
  std::optional<size_t> stopped;

  bool operator==(const Ending&) const = default;
};

Ending stream(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  StopStrings matcher(stops);
  Ending ending;
  for (const std::string& piece : pieces) {
    StopStrings::Result result = matcher.push(piece);
    ending.text += result.text;
    if (result.stopped) {
      ending.stopped = result.stopped;
      return ending;
    }
  }
  ending.text += matcher.flush();
  return ending;
}

// By trying every end in turn.
Ending reference(const std::vector<std::string>& stops, const std::string& text) {
  for (size_t end = 1; end <= text.size(); ++end) {
    std::optional<size_t> best;
    for (size_t k = 0; k < stops.size(); ++k) {
      const bool ends_here = std::string_view(text).substr(0, end).ends_with(stops[k]);
      if (ends_here && (!best || stops[k].size() > stops[*best].size())) best = k;
    }
    if (best) return {.text = text.substr(0, end - stops[*best].size()), .stopped = best};
  }
  return {.text = text, .stopped = std::nullopt};
}

TEST(StopStrings, TextBeforeTheStopIsShownAndTheStopIsNot) {
  EXPECT_EQ(stream({"\n\n"}, {"one\n", "two\n", "\nthree"}), (Ending{.text = "one\ntwo", .stopped = 0}));
}

TEST(StopStrings, HoldsBackWhatMayBecomeAStop) {
  StopStrings matcher({"Question:"});
  EXPECT_EQ(matcher.push("so 4. Ques").text, "so 4. ");
  EXPECT_EQ(matcher.push("t").text, "");
  EXPECT_EQ(matcher.push("ed").text, "Quested");
  EXPECT_EQ(matcher.push("Que").text, "");
  EXPECT_EQ(matcher.flush(), "Que");
}

TEST(StopStrings, APartialMatchMayGoOnInsideItself) {
  EXPECT_EQ(stream({"aab"}, {"a", "a", "a", "b", "c"}), (Ending{.text = "a", .stopped = 0}));
}

TEST(StopStrings, TheStopThatIsCompleteFirstEndsTheText) {
  EXPECT_EQ(stream({"abcd", "bc"}, {"xabcd"}), (Ending{.text = "xa", .stopped = 1}));
  EXPECT_EQ(stream({"c", "abc"}, {"xab", "cd"}), (Ending{.text = "x", .stopped = 1}));
}

TEST(StopStrings, NoStopStringsPassEverythingAtOnce) {
  StopStrings matcher({});
  EXPECT_EQ(matcher.push("text").text, "text");
}

TEST(StopStrings, WholeCharactersInWholeCharactersOut) {
  StopStrings matcher({"é!"});
  for (const std::string piece : {"caf", "é", "è", "é", "?"}) EXPECT_TRUE(is_utf8(matcher.push(piece).text));
}

TEST(StopStrings, EmptyOrBrokenStopsAreRefused) {
  EXPECT_THROW(StopStrings({"ok", ""}), InvalidRequest);
  EXPECT_THROW(StopStrings({"\xC3"}), InvalidRequest);
}

TEST(StopStrings, AgreesWithTheReferenceHoweverTheTextIsCut) {
  std::mt19937 random(7);
  const auto draw = [&](size_t most) { return std::uniform_int_distribution<size_t>(0, most)(random); };
  size_t stopped = 0;
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::string> stops(1 + draw(2));
    for (std::string& stop : stops) {
      stop.resize(1 + draw(4));
      for (char& c : stop) c = static_cast<char>('a' + draw(1));
    }
    std::vector<std::string> pieces(draw(8));
    std::string text;
    for (std::string& piece : pieces) {
      piece.resize(draw(3));
      for (char& c : piece) c = static_cast<char>('a' + draw(2));
      text += piece;
    }
    const Ending expected = reference(stops, text);
    const Ending found = stream(stops, pieces);
    ASSERT_EQ(found.text, expected.text);
    ASSERT_EQ(found.stopped.has_value(), expected.stopped.has_value());
    // The same stop string may be there twice.
    if (found.stopped) {
      ASSERT_EQ(stops[*found.stopped], stops[*expected.stopped]);
    }
    stopped += found.stopped ? 1 : 0;
  }
  EXPECT_GT(stopped, 1000);
}

}  // namespace
}  // namespace lanerope::text
