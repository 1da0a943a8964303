// SPDX-License-Identifier: Apache-2.0
// A schema is kept to as a whole or refused: nothing of it is left out in silence.
#include "grammar/schema_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lanerope/errors.h"

namespace lanerope::grammar {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view schema) {
  try {
    check_schema(nlohmann::ordered_json::parse(schema));
  } catch (const InvalidRequest& error) {
    return error.what();
  }
  return "";
}

TEST(SchemaCheck, names_what_cannot_be_kept_and_where) {
  EXPECT_THAT(refusal(R"({"not":{"type":"string"}})"), HasSubstr("not, which cannot be kept"));
  EXPECT_THAT(refusal(R"({"type":"object","properties":{"a":{"type":"array","uniqueItems":true}}})"),
              HasSubstr("at /properties/a, uniqueItems"));
  for (const char* key : {"if", "contains", "dependentRequired", "dependentSchemas", "$dynamicRef"}) {
    EXPECT_THAT(refusal(std::string("{\"type\":\"object\",\"") + key + "\":{}}"), HasSubstr(key));
  }
}

TEST(SchemaCheck, a_property_may_be_called_like_a_keyword) {
  EXPECT_EQ(refusal(R"({"type":"object","properties":{"not":{"type":"string"},"if":{"type":"null"}}})"), "");
}

TEST(SchemaCheck, formats_are_known_or_refused) {
  EXPECT_EQ(refusal(R"({"type":"string","format":"date-time"})"), "");
  EXPECT_THAT(refusal(R"({"type":"string","format":"phone"})"), HasSubstr("phone"));
  EXPECT_THAT(refusal(R"({"type":"string","format":"date","pattern":"^2"})"), HasSubstr("beside a format"));
}

TEST(SchemaCheck, nothing_stands_beside_what_decides_alone) {
  EXPECT_THAT(refusal(R"({"anyOf":[{"type":"string"}],"minLength":3})"), HasSubstr("minLength beside anyOf"));
  EXPECT_THAT(refusal(R"({"$ref":"#/$defs/a","properties":{}})"), HasSubstr("properties beside $ref"));
  EXPECT_THAT(refusal(R"({"type":"object","oneOf":[]})"), HasSubstr("type beside oneOf"));
  EXPECT_EQ(refusal(R"({"title":"A","description":"b","default":1,"anyOf":[{"type":"integer"}]})"), "");
}

TEST(SchemaCheck, values_are_of_their_type) {
  EXPECT_EQ(refusal(R"({"type":"string","enum":["a","b"]})"), "");
  EXPECT_EQ(refusal(R"({"type":["string","null"],"enum":["a",null]})"), "");
  EXPECT_THAT(refusal(R"({"type":"string","enum":["a",1]})"), HasSubstr("not of its type"));
  EXPECT_THAT(refusal(R"({"type":"integer","const":"1"})"), HasSubstr("not of its type"));
}

TEST(SchemaCheck, keywords_of_a_type_need_the_type) {
  EXPECT_THAT(refusal(R"({"maxLength":3})"), HasSubstr("maxLength without a type"));
  EXPECT_EQ(refusal(R"({"properties":{"a":{"type":"string"}},"required":["a"]})"), "");
}

TEST(SchemaCheck, required_keys_are_described) {
  EXPECT_THAT(refusal(R"({"type":"object","properties":{"a":{}},"required":["b"]})"), HasSubstr("\"b\""));
}

TEST(SchemaCheck, counts_have_an_end) {
  EXPECT_THAT(refusal(R"({"type":"string","maxLength":1000000000})"), HasSubstr("is the most"));
  EXPECT_THAT(refusal(R"({"type":"array","minItems":-1})"), HasSubstr("0 or more"));
}

}  // namespace
}  // namespace lanerope::grammar
