// SPDX-License-Identifier: Apache-2.0
// What each kind of format lets through and what it does not, and that a wrong one is said in a sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lanerope/errors.h"
#include "tests/grammar/toy_formats.h"

namespace lanerope::grammar {
namespace {

using testing::HasSubstr;

std::string refusal(const AnswerFormat& format) {
  try {
    toy_compiler().compile(format);
  } catch (const InvalidRequest& error) {
    return error.what();
  }
  return "";
}

AnswerFormat schema(std::string text) {
  return {.kind = FormatKind::json_schema, .text = std::move(text)};
}

AnswerFormat grammar(std::string text) {
  return {.kind = FormatKind::grammar, .text = std::move(text)};
}

TEST(Format, nothing_is_compiled_for_any_text) {
  EXPECT_EQ(toy_compiler().compile({}), nullptr);
}

TEST(Format, json_is_an_object_of_any_members) {
  const AnswerFormat json{.kind = FormatKind::json};
  EXPECT_TRUE(takes(json, R"({"a": [1, {"b": null}], "c": "d"})"));
  EXPECT_TRUE(takes(json, "{}"));
  EXPECT_FALSE(takes(json, "[1]"));
  EXPECT_FALSE(takes(json, R"({"a": 1)"));
  EXPECT_FALSE(takes(json, R"({a: 1})"));
}

TEST(Format, a_schema_is_kept_to) {
  const AnswerFormat person =
      schema(R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0}},
                 "required":["name","age"],"additionalProperties":false})");
  EXPECT_TRUE(takes(person, R"({"name": "Ada", "age": 36})"));
  EXPECT_FALSE(takes(person, R"({"name": "Ada"})"));
  EXPECT_FALSE(takes(person, R"({"name": "Ada", "age": -1})"));
  EXPECT_FALSE(takes(person, R"({"name": "Ada", "age": 36, "x": 1})"));
}

TEST(Format, what_clients_write_for_optional_and_nested_types_works) {
  const AnswerFormat nested =
      schema(R"({"$defs":{"Step":{"type":"object","properties":{"text":{"type":"string"}},
    "required":["text"],"additionalProperties":false}},"type":"object","properties":{
    "steps":{"type":"array","items":{"$ref":"#/$defs/Step"}},"note":{"anyOf":[{"type":"string"},{"type":"null"}]}},
    "required":["steps","note"],"additionalProperties":false})");
  EXPECT_TRUE(takes(nested, R"({"steps": [{"text": "a"}], "note": null})"));
  EXPECT_FALSE(takes(nested, R"({"steps": [{"text": 1}], "note": null})"));
}

// The example of llama.cpp's guide to GBNF, shortened.
TEST(Format, a_grammar_is_gbnf) {
  const AnswerFormat chess = grammar(
      "# a move\n"
      "root ::= \"1. \" move \" \" move \"\\n\"\n"
      "move ::= (pawn | nonpawn) [+#]?\n"
      "pawn ::= ([a-h] \"x\")? [a-h] [1-8] (\"=\" [NBKQR])?\n"
      "nonpawn ::= [NBKQR] [a-h]? [1-8]? \"x\"? [a-h] [1-8]\n");
  EXPECT_TRUE(takes(chess, "1. e4 Nf6\n"));
  EXPECT_TRUE(takes(chess, "1. exd5+ Qh4#\n"));
  EXPECT_FALSE(takes(chess, "1. e9 Nf6\n"));
}

TEST(Format, repetitions_any_characters_and_escapes_of_gbnf_work) {
  EXPECT_TRUE(takes(grammar("root ::= [0-9]{2,3} [^\\n]+ \"\\n\""), "12ab\n"));
  EXPECT_FALSE(takes(grammar("root ::= [0-9]{2,3} [^\\n]+ \"\\n\""), "1ab\n"));
  EXPECT_TRUE(takes(grammar("root ::= \"\\x41\" \"\\u00e9\" [\\u4e00-\\u9fff]"), "A\xC3\xA9\xE4\xB8\xAD"));
  EXPECT_TRUE(takes(grammar("root ::= . .\n"), "a\xC3\xA9"));
}

TEST(Format, an_expression_matches_the_whole_answer) {
  const AnswerFormat date{.kind = FormatKind::regex, .text = R"(\d{4}-\d\d-\d\d)"};
  EXPECT_TRUE(takes(date, "2026-11-27"));
  EXPECT_FALSE(takes(date, "on 2026-11-27"));
  EXPECT_FALSE(takes(date, "2026-11-2"));
}

TEST(Format, a_choice_is_one_of_the_texts) {
  const AnswerFormat yes_no{.kind = FormatKind::choice, .choices = {"yes", "no", "not at all"}};
  EXPECT_TRUE(takes(yes_no, "no"));
  EXPECT_TRUE(takes(yes_no, "not at all"));
  EXPECT_FALSE(takes(yes_no, "maybe"));
}

TEST(Format, tags_hold_schemas_inside_of_free_text) {
  const AnswerFormat tag{
      .kind = FormatKind::structural_tag,
      .text = R"({"type":"structural_tag","format":{"type":"triggered_tags","triggers":["<f>"],
    "tags":[{"type":"tag","begin":"<f>","content":{"type":"json_schema","json_schema":{"type":"integer"}},"end":"</f>"}]}})"};
  EXPECT_TRUE(takes(tag, "so <f>12</f>."));
  EXPECT_FALSE(takes(tag, "so <f>x</f>."));
}

TEST(Format, what_is_wrong_is_said) {
  EXPECT_THAT(refusal(schema("{")), HasSubstr("the JSON schema is not JSON"));
  EXPECT_THAT(refusal(schema("[]")), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal(schema(R"({"type":"text"})")), HasSubstr("Unsupported type \"text\""));
  EXPECT_THAT(refusal(schema(R"({"$ref":"#/$defs/none"})")), HasSubstr("Cannot find field"));
  EXPECT_THAT(refusal(grammar("root ::= other")), HasSubstr("the grammar cannot be used"));
  EXPECT_THAT(refusal(grammar("start ::= \"a\"")), HasSubstr("root"));
  EXPECT_THAT(refusal({.kind = FormatKind::regex, .text = "(a"}),
              HasSubstr("the regular expression cannot be used"));
  EXPECT_THAT(refusal({.kind = FormatKind::choice}), HasSubstr("no choice"));
  EXPECT_THAT(refusal(schema(std::string(200'000, ' ') + "{}")), HasSubstr("bytes"));
}

TEST(Format, what_xgrammar_only_reports_is_an_error) {
  EXPECT_THAT(refusal(schema(R"({"allOf":[{"type":"object","properties":{"a":{"type":"string"}}},
                                {"type":"object","properties":{"b":{"type":"string"}}}]})")),
              HasSubstr("allOf"));
  EXPECT_THAT(refusal(schema(R"({"type":"number","multipleOf":0.5})")), HasSubstr("multipleOf"));
  EXPECT_THAT(refusal(schema(R"({"type":"string","pattern":"^a+$","maxLength":3})")), HasSubstr("pattern"));
  EXPECT_THAT(refusal({.kind = FormatKind::regex, .text = "a(?=b)b"}), HasSubstr("ookahead"));
}

TEST(Format, hostile_ones_end_soon) {
  refusal(grammar("root ::= root"));
  refusal(grammar("root ::= root root | \"a\""));
  refusal(grammar("root ::= [a-z]{1,1000000000}"));
  EXPECT_THROW(
      takes({.kind = FormatKind::regex, .text = "((a{1,1000}){1,1000}){1,1000}"}, std::string(100'000, 'a')),
      InvalidRequest);
  refusal(schema(R"({"$ref":"#"})"));
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += R"({"type":"array","items":)";
  EXPECT_THAT(refusal(schema(deep + "true" + std::string(2000, '}'))), HasSubstr("nested more than"));
  refusal(grammar("root ::= " + std::string(50'000, '(') + "\"a\"" + std::string(50'000, ')')));
}

TEST(Format, thinking_comes_before_the_format) {
  const AnswerFormat number = schema(R"({"type":"integer"})");
  const ThinkingRules opened{.begin = "<think>", .end = "</think>", .opened = true};
  EXPECT_TRUE(takes(number, "hm {\n</think>\n\n12", opened));
  EXPECT_FALSE(takes(number, "12", opened));
  const ThinkingRules maybe{.begin = "<think>", .end = "</think>"};
  EXPECT_TRUE(takes(number, "<think>hm</think>12", maybe));
  EXPECT_TRUE(takes(number, "12", maybe));
  EXPECT_FALSE(takes(number, "hm 12", maybe));
}

TEST(Format, a_budget_ends_the_thinking_and_nothing_else) {
  const ThinkingRules opened{.begin = "<think>", .end = "</think>", .opened = true, .most_tokens = 3};
  EXPECT_TRUE(takes({}, "abc</think>and then any text", opened));
  EXPECT_TRUE(takes({}, "a</think>and then any text", opened));
  const ThinkingRules maybe{.begin = "<think>", .end = "</think>", .most_tokens = 3};
  EXPECT_TRUE(takes({}, "any text without a thought", maybe));
  EXPECT_TRUE(takes({}, "\n<think>abc</think>and then", maybe));
  Matcher of = matcher({}, opened);
  ASSERT_EQ(accepted_bytes(of, "abc"), 3);
  const std::span<const int32_t> words = of.allowed();
  for (int32_t byte = 0; byte < 256; ++byte)
    EXPECT_EQ((words[byte / 32] >> (byte % 32)) & 1, byte == '<' ? 1 : 0) << byte;
}

}  // namespace
}  // namespace lanerope::grammar
