// SPDX-License-Identifier: Apache-2.0
#include "server/reasoning_splitter.h"

#include <gtest/gtest.h>

#include <string>

namespace lanerope::server {
namespace {

using Mode = ReasoningSplitter::Mode;

struct Case {
  Mode mode;
  std::string text;
  std::string reasoning;
  std::string content;
};
class Reasoning : public testing::TestWithParam<Case> {};

// However the text is cut into pieces, the parts are the same.
TEST_P(Reasoning, IsDividedFromWhatIsSaid) {
  const Case& expected = GetParam();
  for (size_t piece = 1; piece <= expected.text.size() + 1; ++piece) {
    ReasoningSplitter splitter(expected.mode);
    ReasoningSplitter::Parts parts;
    const auto add = [&parts](const ReasoningSplitter::Parts& more) {
      parts.reasoning += more.reasoning;
      parts.content += more.content;
    };
    for (size_t at = 0; at < expected.text.size(); at += piece)
      add(splitter.push(expected.text.substr(at, piece)));
    add(splitter.finish());
    EXPECT_EQ(parts.reasoning, expected.reasoning) << "in pieces of " << piece;
    EXPECT_EQ(parts.content, expected.content) << "in pieces of " << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(Texts, Reasoning,
                         testing::Values(Case{Mode::opened, "because</think>\n\nso", "because", "so"},
                                         Case{Mode::opened, "\nbecause", "because", ""},
                                         Case{Mode::opened, "a < b </thin", "a < b </thin", ""},
                                         Case{Mode::opened, "</think>so", "", "so"},
                                         Case{Mode::opened, "x</think>y</think>z", "x", "y</think>z"},
                                         Case{Mode::maybe, "<think>\nbecause</think>\nso", "because", "so"},
                                         Case{Mode::maybe, " \n<think>a</think>b", "a", "b"},
                                         Case{Mode::maybe, "no <think>a</think>", "", "no <think>a</think>"},
                                         Case{Mode::maybe, "<thi", "", "<thi"},
                                         Case{Mode::maybe, "  plain", "", "  plain"},
                                         Case{Mode::off, "<think>a</think>b", "", "<think>a</think>b"}));

}  // namespace
}  // namespace lanerope::server
