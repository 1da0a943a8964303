// SPDX-License-Identifier: Apache-2.0
#include "text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "lanerope/errors.h"
#include "tests/text/render_helpers.h"
#include "tests/text/toy_vocabulary.h"

namespace lanerope::text {
namespace {

using support::refusal;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A template with a place for everything.
constexpr const char* everything = R"(
{%- if tools %}{{ tools | tojson }}{% endif %}
{%- for m in messages %}[{{ m.role }}]
{%- if m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}({{ part.text }}){% endfor %}{% endif %}
{%- for call in m.tool_calls or [] %}<{{ call.function.name }} {% for key, value in call.function.arguments.items() %}{{ key }}={{ value }}{% endfor %}>{% endfor %}
{%- endfor %}{% if enable_thinking is defined and not enable_thinking %}!{% endif %})";

TEST(ChatTemplate, RunsATemplateAsJinja2Does) {
  const ChatTemplate chat = of(R"({%- if messages[0].role != 'system' %}
    {{- '<|im_start|>system\nPut it in \\boxed{}, that\'s all.<|im_end|>\n' }}
{%- endif %}
  {%- for m in messages %}
{{ m.role | upper }}: {{ m['content'] | trim }}{% if not loop.last %};{% endif %}
{% endfor %})");
  EXPECT_EQ(chat.render(question, {}),
            "<|im_start|>system\nPut it in \\boxed{}, that's all.<|im_end|>\nUSER: 1+1?");
  EXPECT_THAT(chat.render(conversation, {}), Not(HasSubstr("boxed")));
}

TEST(ChatTemplate, KeepsAnyBytesOfAMessage) {
  const std::string bytes = "\xFF\xC3 {{ x }} {% if %} \"'\\ 日本 <|im_end|>\n";
  const std::vector<Message> messages = {{.role = "user", .content = bytes}};
  EXPECT_EQ(builtin("phi3").render(messages, {.add_generation_prompt = false}),
            "<|user|>\n" + bytes + "<|end|>\n");
}

TEST(ChatTemplate, StripsTheWhiteSpaceThatPythonKnows) {
  const ChatTemplate chat =
      of("{{ '[' + messages[0].content.strip() + '|' + messages[0].content | trim + ']' }}");
  const std::vector<Message> spaced = {
      {.role = "user", .content = "\u00A0\u3000\u2003\t\x1C x\u0085y \u2028\u205F\n"}};
  EXPECT_EQ(chat.render(spaced, {}), "[x\u0085y|x\u0085y]");
}

TEST(ChatTemplate, RefusesWhatIsNoConversation) {
  const ChatTemplate chat = builtin("chatml");
  EXPECT_THAT(refused(chat, {}), HasSubstr("empty"));
  EXPECT_THAT(refused(chat, {{.role = "tool\n", .content = "4"}}), HasSubstr(R"("tool\x0A")"));
  EXPECT_THAT(refused(chat, {{.role = "user", .content = "a", .parts = {{.text = "b"}}}}),
              HasSubstr("one of them"));
  EXPECT_THAT(refused(chat, {{.role = "user", .content = "a", .tool_calls = {{.name = "f"}}}}),
              HasSubstr("only the assistant"));
}

TEST(ChatTemplate, RefusesImages) {
  const std::vector<Message> image = {{.role = "user", .parts = {{.text = "What?"}, {.type = "image_url"}}}};
  EXPECT_THAT(refused(of(everything), image), HasSubstr("\"image_url\", and lanerope reads text only"));
}

TEST(ChatTemplate, ASystemMessageWithoutAPlaceBeginsTheQuestion) {
  const std::string gemma(builtin_template("gemma").value());
  EXPECT_FALSE(of(gemma).capabilities().system_role);
  EXPECT_THAT(of(gemma).render(conversation, {}), StartsWith("<start_of_turn>user\nBe brief.\nHello<"));
  const std::vector<Message> lone = {conversation[0]};
  EXPECT_THAT(refused(of(gemma), lone), HasSubstr("no place for a system message"));
  const std::vector<Message> late = {question[0], conversation[0], question[0]};
  EXPECT_THAT(refused(of(gemma), late), HasSubstr("no place for a system message"));
}

TEST(ChatTemplate, ADeveloperIsASystemToAllTemplatesButOne) {
  const std::vector<Message> messages = {{.role = "developer", .content = "Be brief."}, question[0]};
  EXPECT_THAT(of(everything).render(messages, {}), StartsWith("[system]Be brief."));
  EXPECT_THAT(of(std::string("{# <|channel|> #}") + everything).render(messages, {}),
              StartsWith("[developer]"));
}

TEST(ChatTemplate, NeverLeavesAMessageOut) {
  const ChatTemplate skips = of("{{ messages[0].content }}{{ messages[-1].content }}");
  EXPECT_EQ(skips.render(question, {}), "1+1?1+1?");
  EXPECT_THAT(refused(skips, {conversation[1], conversation[3], question[0]}),
              HasSubstr("no place for message 2, of the role user"));
  EXPECT_NO_THROW(skips.render(std::vector<Message>{conversation[1], conversation[2], question[0]}, {}))
      << "templates may forget what the assistant thought";
}

TEST(ChatTemplate, ContentsHaveTheFormThatTheTemplateReads) {
  const std::vector<Message> parts = {{.role = "user", .parts = {{.text = "1+1"}, {.text = "is?"}}}};
  EXPECT_EQ(of(everything).render(parts, {}), "[user](1+1)(is?)");
  EXPECT_THAT(builtin("phi3").render(parts, {}), HasSubstr("1+1\nis?"));
  const ChatTemplate lists =
      of("{% for part in messages[0].content %}{{ '(' + part['text'] + ')' }}{% endfor %}");
  EXPECT_EQ(lists.render(question, {}), "(1+1?)");
}

const std::vector<Message> called = {
    question[0],
    {.role = "assistant",
     .tool_calls = {{.id = "a", .name = "add", .arguments = R"({"x": 1})"},
                    {.id = "b", .name = "sub", .arguments = R"({"y": "é"})"}}},
    {.role = "tool", .content = "two", .tool_call_id = "b"},
    {.role = "tool", .content = "one", .tool_call_id = "a"},
};

TEST(ChatTemplate, WritesToolsCallsAndResults) {
  const ChatTemplate chat = of(everything);
  EXPECT_TRUE(chat.capabilities().tools && chat.capabilities().tool_calls &&
              chat.capabilities().object_arguments);
  EXPECT_EQ(
      chat.render(called, {.tools = R"([{"type": "function", "name": "é"}])"}),
      R"([{"type": "function", "name": "é"}][user]1+1?[assistant]<add x=1><sub y=é>[tool]two[tool]one)");
  std::vector<Message> broken = called;
  broken[1].tool_calls[0].arguments = "[1]";
  EXPECT_THAT(refused(chat, broken), HasSubstr("\"add\" are no JSON object"));
  const auto nested = [](size_t levels) {
    return R"({"x": )" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  broken[1].tool_calls[0].arguments = nested(63);
  EXPECT_NO_THROW(chat.render(broken, {}));
  for (const size_t levels : {size_t{64}, size_t{500'000}}) {
    broken[1].tool_calls[0].arguments = nested(levels);
    EXPECT_THAT(refused(chat, broken), HasSubstr("nested at most 64 deep"));
  }
  EXPECT_THAT(refused(chat, called, {.tools = "{"}), HasSubstr("no JSON array"));
}

TEST(ChatTemplate, ArgumentsAreATextWhereTheTemplatePutsThemBehindOne) {
  const ChatTemplate chat =
      of("{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}"
         "{{ c.function.name + ':' + c.function.arguments }}{% endfor %}{% endfor %}");
  EXPECT_THAT(chat.render(called, {}), HasSubstr(R"(add:{"x": 1}sub:{"y": "é"})"));
}

TEST(ChatTemplate, CallsAreWrittenOneByOneWhereTheTemplateWantsThemSo) {
  const ChatTemplate chat =
      of(R"({% for m in messages %}{{ '[' + m.role + ']' + m.content }}{% if m.tool_calls %}
{%- if m.tool_calls | length != 1 %}{{ raise_exception('one call at once') }}{% endif %}
{{- m.tool_calls[0].function.name + (m.tool_calls[0].function.arguments | tojson) }}{% endif %}{% endfor %})");
  EXPECT_FALSE(chat.capabilities().parallel_tool_calls);
  EXPECT_EQ(chat.render(called, {}),
            R"([user]1+1?[assistant]add{"x": 1}[tool]one[assistant]sub{"y": "é"}[tool]two)");
  std::vector<Message> stray = called;
  stray.back().tool_call_id = "c";
  EXPECT_THAT(refused(chat, stray), HasSubstr("answers no call"));
}

TEST(ChatTemplate, CallsWithoutAPlaceAreRefused) {
  EXPECT_THAT(refused(builtin("chatml"), called), HasSubstr("no place for calls of tools"));
}

TEST(ChatTemplate, HandsArgumentsToTheTemplate) {
  const ChatTemplate chat({.name = "test", .jinja = everything}, {}, R"({"enable_thinking": false})");
  EXPECT_THAT(chat.render(question, {}), EndsWith("!"));
  EXPECT_THAT(chat.render(question, {.arguments = R"({"enable_thinking": true})"}), Not(EndsWith("!")));
  EXPECT_THAT(refused(chat, question, {.arguments = "[]"}), HasSubstr("no JSON object"));
  EXPECT_THAT(refused(chat, question, {.arguments = R"({"enable_thoughts": true})"}),
              HasSubstr("does not read \"enable_thoughts\""));
}

TEST(ChatTemplate, ContinuesTheLastMessage) {
  const std::vector<Message> begun = {question[0], {.role = "assistant", .content = " The answer is "}};
  const RenderOptions options{.continue_last = true};
  EXPECT_THAT(builtin("chatml").render(begun, options), EndsWith("<|im_start|>assistant\n The answer is "));
  EXPECT_THAT(builtin("llama3").render(begun, options), EndsWith("<|end_header_id|>\n\nThe answer is"));
  EXPECT_THAT(refused(builtin("chatml"), question, options), HasSubstr("not the assistant's"));
}

TEST(ChatTemplate, LeavesOutTheTokensThatTheTokenizerAdds) {
  const std::string source = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}";
  TemplateTokens tokens{.bos = "<s>", .eos = "</s>"};
  EXPECT_EQ(of(source, tokens).render(question, {}), "<s>1+1?</s>");
  tokens.adds_bos = tokens.adds_eos = true;
  EXPECT_EQ(of(source, tokens).render(question, {}), "1+1?");
}

TEST(ChatTemplate, KnowsWhetherAnAnswerBeginsInsideItsReasoning) {
  const auto thinking = [](const ChatTemplate& chat) {
    const std::vector<Message> asked = {{.role = "user", .content = "<think> is what?"}};
    return thinking_behind(chat.render(asked, {}), chat.style().thinking);
  };
  EXPECT_EQ(thinking(builtin("deepseek-r1-distill")), Thinking::opened);
  EXPECT_EQ(thinking(builtin("chatml")), Thinking::none);
  EXPECT_EQ(thinking(of("{{ messages[0].content }}<think>\n\n</think>\n\n")), Thinking::none);
  EXPECT_EQ(thinking(of("{{ messages[0].content }}{% if false %}</think>{% endif %}")), Thinking::may);
}

TEST(ChatTemplate, ATemplateThatRaisesSpeaksForItself) {
  const ChatTemplate chat = of("{{ raise_exception('Roles must\n alternate') }}{{ messages[0].content }}");
  EXPECT_EQ(refused(chat, question), "the chat template refuses this conversation: Roles must  alternate");
}

TEST(ChatTemplate, ATemplateThatFailsIsPointedAt) {
  const std::string message =
      refused(of("{{ messages[0].content }}\n{% for m in messages[0].role %}{% endfor %}"), question);
  EXPECT_THAT(message, HasSubstr("fails on this conversation at line 2"));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

TEST(ChatTemplate, WhatIsNoTemplateIsRefused) {
  for (const char* source :
       {"{% if x %}", "{{ x", "{% nonsense %}", "{{ a | }}", "{% for in %}{% endfor %}", "{# "}) {
    const std::string message = refusal<BadFile>([&] { of(source); });
    EXPECT_THAT(message, HasSubstr("cannot be read")) << source;
    EXPECT_THAT(message, Not(HasSubstr("\n"))) << source;
  }
  EXPECT_THAT(refusal<BadFile>([&] { of(std::string(600'000, 'x')); }), HasSubstr("512 KiB"));
}

// Templates that would never end, fill the memory or the stack, or stop the program.
TEST(ChatTemplate, IsCutOff) {
  const std::string read = "{{ messages[0].content }}";
  for (const char* source : {
           "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
           "{% for a in range(1000000000000) %}{% endfor %}",
           "{% set n = namespace(s='xxxxxxxx') %}{% for a in range(64) %}{% set n.s = n.s ~ n.s %}{% endfor "
           "%}",
           "{% set n = namespace(s=[1]) %}{% for a in range(64) %}{% set n.s = n.s + n.s %}{% endfor %}",
           "{{ 'x' * 1000000000000 }}",
           "{{ ('x' * 1000000) | replace('x', 'y' * 1000000) }}",
           "{{ ('x' * 1000000) | replace('', 'y' * 1000000) }}",
           "{{ 'x' | indent(1000000000000) }}",
           "{{ [[1]] | tojson(indent=2000000000) }}",
           "{{ range(100000) | join('y' * 1000000) }}",
           "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
           "{% set a = [] %}{% set b = a.append(a) %}{{ a }}",
           "{% set a = [] %}{% set b = a.append(a) %}{{ a | tojson }}",
           "{% set a = [] %}{% set b = a.append(a) %}{{ a | string }}",
           "{% set n = namespace(t=(1, 1)) %}{% for a in range(64) %}{% set n.t = (n.t, n.t) %}{% endfor "
           "%}{{ {n.t: 1} }}",
           "{% set n = namespace(t=[1]) %}{% for a in range(64) %}{% set n.t = [n.t, n.t] %}{% endfor %}{{ "
           "n.t }}",
       }) {
    const std::string message = refusal<Error>([&] { of(read + source).render(question, {}); });
    EXPECT_THAT(message, HasSubstr("cut off")) << source;
  }
  EXPECT_THAT(refused(of(read + "{{ 7 is divisibleby(0) }}"), question), HasSubstr("division by zero"));
  EXPECT_NO_THROW(
      of(read + "{{ [3, 'a', none, 1.5, true] * 1 }}{{ [3, 'b', none, 2, 'a'] | sort }}").source());
}

TEST(ChatTemplate, NestsThatAreTooDeepToParseAreRefused) {
  const auto repeated = [](const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  for (const std::string& source : {
           "{{ " + repeated("(", 50000) + "1" + repeated(")", 50000) + " }}",
           "{{ " + repeated("[", 100000),
           "{{ " + repeated("not ", 50000) + "x }}",
           "{{ 1" + repeated(" + 1", 50000) + " }}",
           repeated("{% if x %}", 20000) + repeated("{% endif %}", 20000),
           "{% if x %}" + repeated("{% elif x %}", 20000) + "{% endif %}",
           repeated("{% set x %}", 20000),
       }) {
    EXPECT_NE(refusal<BadFile>([&] { of(source); }), "(not refused)") << source.substr(0, 40);
  }
  EXPECT_NO_THROW(of(repeated("{% set x = 1 %}{% if x %}{% endif %}", 5000)));
  // Values may lie deeper than any stack of ours would go.
  EXPECT_NO_THROW(
      of("{% set n = namespace(t=[]) %}{% for a in range(2000) %}{% set n.t = [n.t] %}{% endfor %}"
         "{{ messages[0].content }}")
          .render(question, {}));
}

TEST(ChatTemplate, LongConversationsAreNotCutOff) {
  std::vector<Message> turns;
  for (int i = 0; i < 500; ++i) {
    turns.push_back({.role = "user", .content = std::string(2000, 'q')});
    turns.push_back({.role = "assistant", .content = std::string(2000, 'a')});
  }
  turns.push_back(question[0]);
  EXPECT_GT(builtin("mistral-v3").render(turns, {}).size(), 2'000'000U);
}

class LoadedTemplates : public testing::Test {
 protected:
  ChatTemplates load(std::string_view chosen, std::string_view arguments = {}) {
    return load_chat_templates(Vocabulary(data), chosen, arguments);
  }

  VocabularyData data = toy_bpe();
};

TEST_F(LoadedTemplates, AreTheFilesUnlessOneIsChosen) {
  data.chat_template = "file: {{ messages[0].content }}";
  EXPECT_EQ(load("").chat->render(question, {}), "file: 1+1?");
  EXPECT_THAT(load("chatml").chat->render(question, {}), StartsWith("<|im_start|>"));
  EXPECT_EQ(load("text: {{ messages[0].content }}").chat->render(question, {}), "text: 1+1?");
  const std::string path = testing::TempDir() + "lanerope_template.jinja";
  std::ofstream(path) << "disk: {{ messages[0].content }}\n";
  EXPECT_EQ(load(path).chat->render(question, {}), "disk: 1+1?");
  const std::string unknown = refusal([&] { load("vicuna"); });
  EXPECT_THAT(unknown, HasSubstr("\"vicuna\""));
  for (const std::string& name : builtin_template_names()) EXPECT_THAT(unknown, HasSubstr(name));
}

TEST_F(LoadedTemplates, WithToolsTheirOwnIsTaken) {
  data.chat_template = "{{ messages[0].content }}";
  data.tool_chat_template = "{{ tools }}{{ messages[0].content }}";
  const ChatTemplates templates = load("");
  EXPECT_EQ(templates.choose(false), &*templates.chat);
  EXPECT_EQ(templates.choose(true), &*templates.tool_use);
}

TEST_F(LoadedTemplates, ABrokenOneIsToldWhereItIsUsed) {
  data.chat_template = "{% if %}";
  const ChatTemplates templates = load("");
  EXPECT_FALSE(templates.chat);
  EXPECT_THAT(templates.obstacle, HasSubstr("cannot be read"));
  EXPECT_NE(refusal<BadFile>([&] { load("{% if %}"); }), "(not refused)") << "that is what was asked for";
}

TEST_F(LoadedTemplates, ArgumentsNeedATemplate) {
  EXPECT_FALSE(load("").chat);
  EXPECT_THAT(refusal([&] { load("", "{}"); }), HasSubstr("no chat template"));
}

}  // namespace
}  // namespace lanerope::text
