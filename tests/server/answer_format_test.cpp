// SPDX-License-Identifier: Apache-2.0
// What an answer is to keep to, under the names that clients have for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/api_request.h"

namespace lanerope::server {
namespace {

using testing::HasSubstr;

AnswerFormat parsed(const char* body) {
  return parse_answer_format(Json::parse(body));
}

std::string refusal(const char* body) {
  try {
    parsed(body);
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status, 400);
    EXPECT_FALSE(error.param.empty());
    return error.what();
  }
  return "";
}

TEST(AnswerFormat, OfOpenAi) {
  EXPECT_EQ(parsed("{}").kind, FormatKind::any);
  EXPECT_EQ(parsed(R"({"response_format":{"type":"text"}})").kind, FormatKind::any);
  EXPECT_EQ(parsed(R"({"response_format":{"type":"json_object"}})").kind, FormatKind::json);
  const AnswerFormat schema = parsed(
      R"({"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"type":"object",
          "properties":{"z":{"type":"string"},"a":{"type":"string"}}}}}})");
  EXPECT_EQ(schema.kind, FormatKind::json_schema);
  EXPECT_LT(schema.text.find("\"z\""), schema.text.find("\"a\"")) << "members keep their order";
}

TEST(AnswerFormat, OfVllm) {
  const auto kind = [](const char* body) { return parsed(body).kind; };
  EXPECT_EQ(kind(R"({"structured_outputs":{"json":{"type":"object"}}})"), FormatKind::json_schema);
  EXPECT_EQ(kind(R"({"structured_outputs":{"json":"{}"}})"), FormatKind::json_schema);
  EXPECT_EQ(kind(R"({"structured_outputs":{"regex":"a+"}})"), FormatKind::regex);
  EXPECT_EQ(kind(R"({"structured_outputs":{"grammar":"root ::= \"a\""}})"), FormatKind::grammar);
  EXPECT_EQ(kind(R"({"structured_outputs":{"json_object":true}})"), FormatKind::json);
  EXPECT_EQ(kind(R"({"guided_json":{"type":"object"}})"), FormatKind::json_schema);
  EXPECT_EQ(parsed(R"({"structured_outputs":{"choice":["a","b"],"json":null}})").choices,
            (std::vector<std::string>{"a", "b"}));
}

TEST(AnswerFormat, OfLlamaServer) {
  EXPECT_EQ(parsed(R"({"grammar":"root ::= \"a\""})").kind, FormatKind::grammar);
  EXPECT_EQ(parsed(R"({"grammar":""})").kind, FormatKind::any);
  EXPECT_EQ(parsed(R"({"json_schema":{"type":"object"}})").kind, FormatKind::json_schema);
  EXPECT_EQ(parsed(R"({"response_format":{"type":"json_object","schema":{"type":"object"}}})").kind,
            FormatKind::json_schema);
}

TEST(AnswerFormat, WhatIsWrongIsSaid) {
  EXPECT_THAT(refusal(R"({"response_format":{"type":"yaml"}})"), HasSubstr("response_format.type must be"));
  EXPECT_THAT(refusal(R"({"response_format":"json"})"), HasSubstr("response_format must be an object"));
  EXPECT_THAT(refusal(R"({"response_format":{"type":"json_schema"}})"), HasSubstr("json_schema is missing"));
  EXPECT_THAT(refusal(R"({"response_format":{"type":"json_schema","json_schema":{}}})"),
              HasSubstr("schema is missing"));
  EXPECT_THAT(refusal(R"({"structured_outputs":{}})"), HasSubstr("exactly one"));
  EXPECT_THAT(refusal(R"({"structured_outputs":{"regex":"a","choice":["a"]}})"), HasSubstr("exactly one"));
  EXPECT_THAT(refusal(R"({"structured_outputs":{"whitespace_pattern":" "}})"),
              HasSubstr("cannot be honoured"));
  EXPECT_THAT(refusal(R"({"grammar":"root ::= \"a\"","response_format":{"type":"json_object"}})"),
              HasSubstr("both say"));
}

}  // namespace
}  // namespace lanerope::server
