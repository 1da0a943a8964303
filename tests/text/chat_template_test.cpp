// SPDX-License-Identifier: Apache-2.0
// The expected texts are what Jinja2 gives for the models' own templates, without the begin token.
#include "text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>

#include "lanerope/errors.h"
#include "tests/text/vocabulary_file.h"

namespace lanerope::text {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<ChatMessage> conversation = {
    {.role = "system", .content = "Be brief."},
    {.role = "user", .content = "Hello"},
    {.role = "assistant", .content = " Hi there "},
    {.role = "user", .content = "Who are you?"},
};

const std::vector<ChatMessage> question = {{.role = "user", .content = "1+1?"}};

// Just enough of each kind of template to know it by, in the spelling of the models' files.
struct Source {
  std::string name;
  std::string jinja;
  std::string expected;  // for `conversation`
};

void PrintTo(const Source& source, std::ostream* out) {
  *out << source.name;
}

class Templates : public testing::TestWithParam<Source> {};

TEST_P(Templates, AreRecognisedAndRendered) {
  const auto format = recognise(GetParam().jinja);
  ASSERT_TRUE(format);
  EXPECT_EQ(name(format->kind), GetParam().name);
  EXPECT_EQ(render(*format, conversation, {}), GetParam().expected);
}

TEST_P(Templates, CanBeChosenForAFileThatHasNone) {
  const ChatFormat format = chat_format("", GetParam().name);
  EXPECT_EQ(name(format.kind), GetParam().name);
  EXPECT_EQ(render(format, conversation, {}), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    ChatTemplate, Templates,
    testing::Values(
        Source{.name = "chatml",
               .jinja = R"({{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' + '\n' }})",
               .expected =
                   "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n"
                   "<|im_start|>assistant\n Hi there <|im_end|>\n<|im_start|>user\nWho are you?<|im_end|>\n"
                   "<|im_start|>assistant\n"},
        Source{
            .name = "llama3",
            .jinja = R"({{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' + m.content | trim }})",
            .expected = "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
                        "<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>"
                        "<|start_header_id|>assistant<|end_header_id|>\n\nHi there<|eot_id|>"
                        "<|start_header_id|>user<|end_header_id|>\n\nWho are you?<|eot_id|>"
                        "<|start_header_id|>assistant<|end_header_id|>\n\n"},
        Source{
            .name = "deepseek-r1-distill",
            .jinja = R"({{'<｜User｜>' + m.content}}{% set content = content.split('</think>')[-1] %})"
                     R"({{'<｜Assistant｜>' + content}}{{'<｜Assistant｜><think>\n'}})",
            .expected =
                "Be brief.<｜User｜>Hello<｜Assistant｜> Hi there <｜end▁of▁sentence｜><｜User｜>Who are you?"
                "<｜Assistant｜><think>\n"},
        Source{
            .name = "mistral-v1",
            .jinja =
                R"({{- ' [INST] ' + system + '\n\n' + m.content + ' [/INST]' }}{{- ' ' + m.content + eos }})",
            .expected = "[INST] Be brief.\n\nHello [/INST]  Hi there </s> [INST] Who are you? [/INST]"},
        Source{.name = "mistral-v3",
               .jinja = R"({{- "[INST] " + m.content + "[/INST]" }}{{- " " + m.content|trim + eos }})",
               .expected = "[INST] Hello[/INST] Hi there</s>[INST] Be brief.\n\nWho are you?[/INST]"},
        Source{.name = "mistral-v3-tekken",
               .jinja = R"({{- "[INST]" + m.content + "[/INST]" }}{{- m.content + eos }})",
               .expected = "[INST]Hello[/INST] Hi there </s>[INST]Be brief.\n\nWho are you?[/INST]"},
        Source{
            .name = "mistral-v7",
            .jinja =
                R"({{ '[SYSTEM_PROMPT] ' + m.content + '[/SYSTEM_PROMPT]' }}{{ '[INST] ' + u + '[/INST]' }})",
            .expected = "[SYSTEM_PROMPT] Be brief.[/SYSTEM_PROMPT][INST] Hello[/INST]  Hi there </s>"
                        "[INST] Who are you?[/INST]"},
        Source{
            .name = "mistral-v7-tekken",
            .jinja =
                R"({{ '[SYSTEM_PROMPT]' + m.content + '[/SYSTEM_PROMPT]' }}{{ '[INST]' + u + '[/INST]' }})",
            .expected = "[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Hello[/INST] Hi there </s>"
                        "[INST]Who are you?[/INST]"}),
    [](const auto& test) {
      std::string title = test.param.name;
      std::ranges::replace(title, '-', '_');
      return title;
    });

TEST(ChatMl, TheDefaultSystemMessageIsTheOneInTheTemplate) {
  const auto format = recognise(R"({%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}
    {%- else %}{{- '<|im_start|>system\nPut it in \\boxed{}, that\'s all.<|im_end|>\n' }}{%- endif %})");
  ASSERT_TRUE(format);
  EXPECT_EQ(format->default_system, "Put it in \\boxed{}, that's all.");
  EXPECT_EQ(render(*format, question, {}),
            "<|im_start|>system\nPut it in \\boxed{}, that's all.<|im_end|>\n"
            "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_THAT(render(*format, conversation, {}), Not(HasSubstr("boxed")));

  const auto plain =
      recognise("{% if x %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}<|im_start|>user");
  EXPECT_EQ(plain->default_system, "Be kind.");
  const auto code = recognise("<|im_start|>system\n{{ system }}<|im_end|>\n<|im_start|>user");
  EXPECT_EQ(code->default_system, "");
}

TEST(ChatMl, Qwen25AsInItsOwnPackage) {
  const auto data = qwen2_vocabulary();
  if (!data) GTEST_SKIP() << "no vocabulary of Qwen2: script/lib/fetch-qwen2-vocabulary fetches it";
  const ChatFormat format = chat_format(data->chat_template, "");
  EXPECT_EQ(format.kind, ChatTemplate::chatml);
  EXPECT_EQ(format.default_system, "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.");
  EXPECT_FALSE(format.opens_think);
  EXPECT_FALSE(format.drops_reasoning);
}

// What Qwen3's template does about reasoning, in its spelling.
const std::string qwen3 = R"({%- set ns = namespace(last_query_index=messages|length - 1) %}
  {%- set content = message.content.split('</think>')[-1].lstrip('\n') %}
  {{- '<|im_start|>' + message.role + '\n<think>\n' + reasoning.strip('\n') + '\n</think>\n\n' + content }}{{- '<|im_end|>\n' }}
  {%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}
  {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %})";

TEST(ChatMl, Qwen3MaySkipItsReasoning) {
  const ChatFormat format = recognise(qwen3).value();
  EXPECT_FALSE(format.opens_think);
  const std::string text = "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n";
  EXPECT_EQ(render(format, question, {}), text);
  EXPECT_EQ(render(format, question, {.think = false}), text + "<think>\n\n</think>\n\n");
}

TEST(ChatMl, Qwen3ForgetsReasoningBeforeTheLastQuestion) {
  const ChatFormat format = recognise(qwen3).value();
  const std::string answer = "<think>\nhm\n</think>\n\nTwo.";
  const std::vector<ChatMessage> messages = {question[0],
                                             {.role = "assistant", .content = answer},
                                             question[0],
                                             {.role = "assistant", .content = answer}};
  const std::string asked = "<|im_start|>user\n1+1?<|im_end|>\n";
  EXPECT_EQ(render(format, messages, {.add_generation_prompt = false}),
            asked + "<|im_start|>assistant\nTwo.<|im_end|>\n" + asked +
                "<|im_start|>assistant\n<think>\nhm\n</think>\n\nTwo.<|im_end|>\n");
  const std::vector<ChatMessage> silent = {question[0], {.role = "assistant", .content = "Two."}};
  EXPECT_EQ(render(format, silent, {.add_generation_prompt = false}),
            asked + "<|im_start|>assistant\n<think>\n\n</think>\n\nTwo.<|im_end|>\n");
}

TEST(ChatMl, QwqAlwaysReasons) {
  const auto format =
      recognise(R"({{- '<|im_end|>' }}{{- '<|im_start|>assistant\n<think>\n' }}{%- endif %})");
  ASSERT_TRUE(format);
  EXPECT_TRUE(format->opens_think);
  EXPECT_THAT(render(*format, question, {}), testing::EndsWith("<|im_start|>assistant\n<think>\n"));
  EXPECT_THROW(render(*format, question, {.think = false}), InvalidRequest);
}

TEST(DeepSeek, TheModelDoesNotSeeItsEarlierReasoning) {
  const ChatFormat format = chat_format("", "deepseek-r1-distill");
  const std::vector<ChatMessage> messages = {
      question[0], {.role = "assistant", .content = "hm </think> no\n</think>\n\nTwo."}, question[0]};
  EXPECT_EQ(render(format, messages, {.add_generation_prompt = false}),
            "<｜User｜>1+1?<｜Assistant｜>\n\nTwo.<｜end▁of▁sentence｜><｜User｜>1+1?");
}

TEST(DeepSeek, TheFirstVersionOfTheTemplateLeftThinkToTheModel) {
  const auto format = recognise("{{'<｜User｜>'}}{{content.split('</think>')[-1]}}{{'<｜Assistant｜>'}}");
  ASSERT_TRUE(format);
  EXPECT_FALSE(format->opens_think);
  EXPECT_EQ(render(*format, question, {}), "<｜User｜>1+1?<｜Assistant｜>");
}

TEST(ChatTemplate, WithoutAGenerationPromptTheTextEndsWithTheLastMessage) {
  EXPECT_THAT(render(chat_format("", "chatml"), question, {.add_generation_prompt = false}),
              testing::EndsWith("1+1?<|im_end|>\n"));
  EXPECT_THAT(render(chat_format("", "llama3"), question, {.add_generation_prompt = false}),
              testing::EndsWith("1+1?<|eot_id|>"));
}

TEST(ChatTemplate, OtherFormatsAreNotTakenForOurs) {
  for (const char* source :
       {"", "{{ messages }}", "<|im_start|>user<|im_sep|><|im_end|>", "<start_of_turn>user",
        "[INST] <<SYS>>\\n [/INST]", "'<｜User｜>' '<｜Assistant｜></think>'", "<|user|>\\n<|end|>",
        "<|header_start|>user<|header_end|>"}) {
    EXPECT_FALSE(recognise(source)) << source;
  }
}

template <typename Exception>
std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Exception& error) {
    return error.what();
  }
  return "not refused";
}

TEST(ChatTemplate, AnUnknownTemplateIsRefusedWithTheWayOut) {
  for (const char* source : {"", "{{ messages }}"}) {
    const std::string message = refusal<BadFile>([&] { chat_format(source, ""); });
    EXPECT_THAT(message, HasSubstr("--chat-template"));
    for (const std::string& allowed : all_chat_templates()) EXPECT_THAT(message, HasSubstr(allowed));
  }
  EXPECT_THAT(refusal<InvalidRequest>([] { chat_format("", "vicuna"); }), HasSubstr("\"vicuna\""));
}

TEST(ChatTemplate, AChosenTemplateKeepsTheParticularsOfTheSameInTheFile) {
  const std::string source = R"('<｜User｜>' '<｜Assistant｜>')";
  EXPECT_FALSE(chat_format(source, "deepseek-r1-distill").opens_think);
  EXPECT_TRUE(chat_format("other", "deepseek-r1-distill").opens_think);
}

TEST(ChatTemplate, ConversationsThatNoTemplateTakes) {
  const ChatFormat format = chat_format("", "chatml");
  EXPECT_THAT(refusal<InvalidRequest>([&] { render(format, {}, {}); }), HasSubstr("empty"));
  const std::vector<ChatMessage> tool = {{.role = "tool\n", .content = "4"}};
  EXPECT_THAT(refusal<InvalidRequest>([&] { render(format, tool, {}); }), HasSubstr(R"("tool\x0A")"));

  const std::vector<ChatMessage> late = {question[0], conversation[0]};
  for (const char* chosen : {"deepseek-r1-distill", "mistral-v1", "mistral-v3"}) {
    EXPECT_THAT(refusal<InvalidRequest>([&] { render(chat_format("", chosen), late, {}); }),
                HasSubstr("one system message"));
  }
  const std::vector<ChatMessage> lone = {conversation[0]};
  EXPECT_THAT(refusal<InvalidRequest>([&] { render(chat_format("", "mistral-v3"), lone, {}); }),
              HasSubstr("user message"));
}

}  // namespace
}  // namespace lanerope::text
