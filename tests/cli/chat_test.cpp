// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/chat_thinking.h"
#include "tests/cli/program.h"

namespace lanerope::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const ChatThinking channels = {.marks = {.begin = "<|channel|>analysis<|message|>",
                                         .end = "<|end|>",
                                         .message = "<|start|>assistant",
                                         .answer = "<|channel|>final<|message|>"}};
const ChatThinking brackets = {.marks = {.begin = "[THINK]", .end = "[/THINK]"}};
const ChatThinking opened = {.marks = {.begin = "<think>", .end = "</think>"}, .opened = true};
const ChatThinking unknown = ChatThinking::of({}, Thinking::none);

constexpr auto thought = "<|channel|>analysis<|message|>two<|end|><|start|>assistant";
constexpr auto final_answer = "<|channel|>final<|message|>It is 4.";

struct Turn {
  ChatThinking thinking;
  std::string text;
  std::string said;
  std::string shown;
};
class ChatTurn : public testing::TestWithParam<Turn> {};

TEST_P(ChatTurn, IsGoneOnFromWithWhatWasSaidAlone) {
  EXPECT_EQ(said(GetParam().text, GetParam().thinking), GetParam().said);
}

// However the text is cut into pieces.
TEST_P(ChatTurn, IsShownBetweenMarksThatAPersonCanRead) {
  const Turn& turn = GetParam();
  for (size_t piece = 1; piece <= turn.text.size() + 1; ++piece) {
    ReadableText text(turn.thinking);
    std::string shown;
    for (size_t at = 0; at < turn.text.size(); at += piece) shown += text.push(turn.text.substr(at, piece));
    EXPECT_EQ(shown + text.finish(), turn.shown) << "in pieces of " << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Turns, ChatTurn,
    testing::Values(Turn{channels, std::string(thought) + final_answer, "It is 4.",
                         "<think>two</think>\n\nIt is 4."},
                    Turn{channels, std::string(thought) + thought + final_answer + "<|end|>", "It is 4.",
                         "<think>two</think>\n\n<think>two</think>\n\nIt is 4."},
                    Turn{channels, final_answer, "It is 4.", "It is 4."},
                    Turn{channels, "<|channel|>analysis<|message|>tw", "", "<think>tw"},
                    Turn{channels, thought, "", "<think>two</think>\n\n"},
                    Turn{channels, "plain", "plain", "plain"},
                    Turn{brackets, "[THINK]a < b[/THINK] so [x", "so [x", "<think>a < b</think>\n\n so [x"},
                    Turn{opened, "because</think>\n\nso", "so", "because</think>\n\n\n\nso"},
                    Turn{opened, "because", "", "because"},
                    Turn{unknown, "<think>\nbecause</think>\nso", "so", "<think>\nbecause</think>\n\n\nso"},
                    Turn{unknown, "no marks", "no marks", "no marks"}));

// A template that, as gpt-oss's, knows marks of its own and refuses messages that hold them.
TEST(Chat, MarksOfTheModelsOwnAreNeitherSaidAgainNorShown) {
  const std::string file = temporary("channels.jinja");
  write_file(file,
             "{# <|channel|>analysis #}{% for message in messages %}{% if '<|channel|>' in message.content %}"
             "{{ raise_exception('marks in the content') }}{% endif %}{{ message.content }}{% endfor %}");
  const std::string text = std::string(thought) + final_answer;
  const Outcome outcome =
      run_program({.arguments = {"chat", "-m", tiny_model(), "--chat-template", file, "-n", "1", "--seed",
                                 "1", "-b", "128", "--lane-text", text},
                   .input = "hello\nagain\n"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("<think>two</think>\n\nIt is 4."));
  EXPECT_THAT(outcome.out, Not(HasSubstr("<|channel|>")));
}

TEST(Chat, ATurnWithoutAnAnswerIsLeftOut) {
  const std::string file = temporary("think.jinja");
  write_file(file,
             "{% for message in messages %}{% if 'because' in message.content %}"
             "{{ raise_exception('a thought') }}{% endif %}{{ message.content }}{% endfor %}<think>");
  const Outcome outcome =
      run_program({.arguments = {"chat", "-m", tiny_model(), "--chat-template", file, "-n", "1", "--seed",
                                 "1", "-b", "32", "--lane-text", "because"},
                   .input = "hello\nagain\n"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("came to no answer"));
}

}  // namespace
}  // namespace lanerope::cli
