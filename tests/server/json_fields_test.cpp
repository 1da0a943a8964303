// SPDX-License-Identifier: Apache-2.0
#include "server/json_fields.h"

#include <gtest/gtest.h>

namespace lanerope::server {
namespace {

std::string refusal(const std::string& body) {
  try {
    parse_body(body);
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status, 400);
    return error.what();
  }
  return "accepted";
}

TEST(ParseBody, TakesOneObjectInUtf8) {
  EXPECT_EQ(parse_body(R"({"a": "ü"})")["a"], "ü");
  EXPECT_EQ(refusal("[1]"), "the body must be a JSON object, not an array");
  EXPECT_EQ(refusal(""), "the body is not JSON in UTF-8 at line 1, column 1");
  EXPECT_EQ(refusal("{\"a\": \"\xff\"}").find("the body is not JSON in UTF-8"), 0U);
  EXPECT_EQ(refusal("{\"a\": 1} x").find("the body is not JSON in UTF-8"), 0U);
}

TEST(ParseBody, RefusesDeepNestingBeforeItFillsTheMemory) {
  const std::string deep = "{\"a\":" + std::string(1'000'000, '[');
  EXPECT_EQ(refusal(deep), "the JSON is nested more than 64 deep");
  EXPECT_EQ(refusal("{\"a\":" + std::string(20, '[') + std::string(20, ']') + "}"), "accepted");
}

TEST(ParseBody, TakesNestingUpToItsBound) {
  const auto nested = [](size_t levels) {  // the body itself is one
    return "{\"a\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  EXPECT_EQ(refusal(nested(64)), "accepted");
  EXPECT_EQ(refusal(nested(65)), "the JSON is nested more than 64 deep");
}

std::string object_of(int fields) {
  std::string object = "{";
  for (int i = 0; i < fields; ++i) object += (i > 0 ? "," : "") + ("\"" + std::to_string(i)) + "\":0";
  return object + "}";
}

// An ordered object compares each new field with all that it has.
TEST(ParseBody, RefusesMoreFieldsThanItCanReadInASecond) {
  EXPECT_EQ(refusal(object_of(4096)), "accepted");
  EXPECT_EQ(refusal(object_of(8193)), "an object of the JSON has more than 8192 fields");
  EXPECT_EQ(refusal(object_of(1'000'000)), "an object of the JSON has more than 8192 fields");
  std::string many = "{\"a\":[0";
  for (int i = 0; i < 5; ++i) many += "," + object_of(8000);
  EXPECT_EQ(refusal(many + "]}"), "too many objects of the JSON have thousands of fields");
}

TEST(ParseBody, TakesLongArraysOfObjectsAtOnce) {
  std::string many = "{\"a\":[{}";
  for (int i = 1; i < 300'000; ++i) many += ",{}";
  EXPECT_EQ(parse_body(many + "]}")["a"].size(), 300'000U);
}

TEST(JsonFields, KnowsNoOtherNamesWhereItIsTold) {
  const Json json = Json::parse(R"({"text": "x", "parnet": 2, "other": null})");
  const JsonFields fields(json);
  EXPECT_NO_THROW(fields.only({"text", "parnet"}));
  try {
    fields.only({"parent", "text"});
    FAIL();
  } catch (const ApiError& error) {
    EXPECT_STREQ(error.what(), "parnet is no field that is known here; there are parent, text");
    EXPECT_EQ(error.param, "parnet");
  }
}

TEST(JsonFields, ReadsAbsentAndNullAsNothing) {
  const Json json = Json::parse(R"({"n": null})");
  const JsonFields fields(json);
  EXPECT_FALSE(fields.integer("n", {.least = 0, .most = 9}));
  EXPECT_FALSE(fields.text("nothing"));
}

TEST(JsonFields, ReadsWholeNumbersHoweverTheyAreWritten) {
  const Json json = Json::parse(R"({"a": 4.0, "b": 4.5, "c": 18446744073709551615, "d": -1, "e": 1e300})");
  const JsonFields fields(json);
  EXPECT_EQ(fields.integer("a", {.least = 0, .most = 9}), 4);
  for (const char* key : {"b", "c", "d", "e"}) {
    EXPECT_THROW(static_cast<void>(fields.integer(key, {.least = 0, .most = 9})), ApiError) << key;
  }
}

TEST(JsonFields, NamesTheFieldByItsWholePath) {
  const Json json = Json::parse(R"({"lanes": {"stride": "x"}})");
  const std::optional<JsonFields> lanes = JsonFields(json).object("lanes");
  try {
    static_cast<void>(lanes->integer("stride", {.least = 0, .most = 9}));
    FAIL();
  } catch (const ApiError& error) {
    EXPECT_STREQ(error.what(), "lanes.stride must be a whole number, not a string");
    EXPECT_EQ(error.param, "lanes.stride");
  }
}

}  // namespace
}  // namespace lanerope::server
