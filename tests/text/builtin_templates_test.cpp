// SPDX-License-Identifier: Apache-2.0
// The expected texts are what Jinja2 gives for the models' own templates, without the begin token. All
// templates that models have: script/template-parity.
#include "text/builtin_templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "tests/text/render_helpers.h"

namespace lanerope::text {
namespace {

using testing::HasSubstr;

struct Expected {
  std::string name;
  std::string text;  // for `conversation`
};

void PrintTo(const Expected& expected, std::ostream* out) {
  *out << expected.name;
}

class Builtins : public testing::TestWithParam<Expected> {};

TEST_P(Builtins, WriteWhatTheModelsTemplatesDo) {
  EXPECT_EQ(builtin(GetParam().name).render(conversation, {}), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    ChatTemplate, Builtins,
    testing::Values(
        Expected{"chatml",
                 "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n"
                 "<|im_start|>assistant\n Hi there <|im_end|>\n<|im_start|>user\nWho are you?<|im_end|>\n"
                 "<|im_start|>assistant\n"},
        Expected{"llama3",
                 "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
                 "<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>"
                 "<|start_header_id|>assistant<|end_header_id|>\n\nHi there<|eot_id|>"
                 "<|start_header_id|>user<|end_header_id|>\n\nWho are you?<|eot_id|>"
                 "<|start_header_id|>assistant<|end_header_id|>\n\n"},
        Expected{
            "deepseek-r1-distill",
            "Be brief.<｜User｜>Hello<｜Assistant｜> Hi there <｜end▁of▁sentence｜><｜User｜>Who are you?"
            "<｜Assistant｜><think>\n"},
        Expected{"mistral-v1",
                 "[INST] Be brief.\n\nHello [/INST]  Hi there </s> [INST] Who are you? [/INST]"},
        Expected{"mistral-v3", "[INST] Hello[/INST] Hi there</s>[INST] Be brief.\n\nWho are you?[/INST]"},
        Expected{"mistral-v3-tekken",
                 "[INST]Hello[/INST] Hi there </s>[INST]Be brief.\n\nWho are you?[/INST]"},
        Expected{"mistral-v7",
                 "[SYSTEM_PROMPT] Be brief.[/SYSTEM_PROMPT][INST] Hello[/INST]  Hi there </s>"
                 "[INST] Who are you?[/INST]"},
        Expected{"mistral-v7-tekken",
                 "[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Hello[/INST] Hi there </s>"
                 "[INST]Who are you?[/INST]"},
        Expected{"gemma",
                 "<start_of_turn>user\nBe brief.\nHello<end_of_turn>\n<start_of_turn>model\nHi "
                 "there<end_of_turn>\n"
                 "<start_of_turn>user\nWho are you?<end_of_turn>\n<start_of_turn>model\n"},
        Expected{"phi3",
                 "<|system|>\nBe brief.<|end|>\n<|user|>\nHello<|end|>\n<|assistant|>\n Hi there <|end|>\n"
                 "<|user|>\nWho are you?<|end|>\n<|assistant|>\n"},
        Expected{"phi4",
                 "<|im_start|>system<|im_sep|>Be brief.<|im_end|><|im_start|>user<|im_sep|>Hello<|im_end|>"
                 "<|im_start|>assistant<|im_sep|> Hi there <|im_end|><|im_start|>user<|im_sep|>Who are "
                 "you?<|im_end|>"
                 "<|im_start|>assistant<|im_sep|>"},
        Expected{"granite",
                 "<|start_of_role|>system<|end_of_role|>Be brief.<|end_of_text|>\n"
                 "<|start_of_role|>user<|end_of_role|>Hello<|end_of_text|>\n"
                 "<|start_of_role|>assistant<|end_of_role|> Hi there <|end_of_text|>\n"
                 "<|start_of_role|>user<|end_of_role|>Who are you?<|end_of_text|>\n"
                 "<|start_of_role|>assistant<|end_of_role|>"},
        Expected{
            "chatglm4",
            "[gMASK]<sop><|system|>\nBe brief.<|user|>\nHello<|assistant|>\n Hi there <|user|>\nWho are you?"
            "<|assistant|>\n"}),
    [](const auto& test) {
      std::string title = test.param.name;
      std::ranges::replace(title, '-', '_');
      return title;
    });

TEST(Builtins, AreAllTested) {
  EXPECT_EQ(builtin_template_names().size(), 13U);
  EXPECT_FALSE(builtin_template("vicuna"));
}

TEST(Builtins, RefuseWhatTheyHaveNoPlaceFor) {
  const std::vector<Message> late = {question[0], conversation[0], question[0]};
  for (const char* name : {"deepseek-r1-distill", "mistral-v1", "mistral-v3"}) {
    EXPECT_THAT(refused(builtin(name), late), HasSubstr("one system message")) << name;
  }
  const std::vector<Message> lone = {conversation[0]};
  EXPECT_THAT(refused(builtin("mistral-v3"), lone), HasSubstr("user message"));
  EXPECT_THAT(refused(builtin("chatml"), question, {.tools = R"([{"type": "function"}])"}),
              HasSubstr("no place for tools"));
}

TEST(Builtins, DeepSeekDoesNotSeeItsEarlierReasoning) {
  const std::vector<Message> messages = {
      question[0], {.role = "assistant", .content = "hm </think> no\n</think>\n\nTwo."}, question[0]};
  EXPECT_EQ(builtin("deepseek-r1-distill").render(messages, {.add_generation_prompt = false}),
            "<｜User｜>1+1?<｜Assistant｜>\n\nTwo.<｜end▁of▁sentence｜><｜User｜>1+1?");
}

}  // namespace
}  // namespace lanerope::text
