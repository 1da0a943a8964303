// SPDX-License-Identifier: Apache-2.0
#include "grammar/schema_check.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lanerope/errors.h"
#include "text/utf8.h"

namespace lanerope::grammar {

namespace {

using Json = nlohmann::ordered_json;

// Counts above it would make grammars of many megabytes.
constexpr int64_t most_count = 10'000;

constexpr std::array never = {
    "not",         "if",          "then",         "else",        "dependentSchemas", "contains",
    "minContains", "maxContains", "dependencies", "$dynamicRef", "$recursiveRef",    "dependentRequired"};
// Of these xgrammar reads the first that a schema has, and nothing else of it.
constexpr std::array deciding = {"$ref", "const", "enum", "anyOf", "oneOf", "allOf"};
constexpr std::array of_containers = {"properties", "additionalProperties", "unevaluatedProperties",
                                      "items",      "prefixItems",          "unevaluatedItems"};
constexpr std::array of_any_type = {
    "minLength",     "maxLength",     "pattern",           "format",           "minimum",  "maximum",
    "multipleOf",    "required",      "exclusiveMinimum",  "exclusiveMaximum", "minItems", "maxItems",
    "minProperties", "maxProperties", "patternProperties", "propertyNames"};
constexpr std::array counts = {"minLength", "maxLength",     "minItems",
                               "maxItems",  "minProperties", "maxProperties"};
constexpr std::array formats = {
    "email",    "date", "time", "date-time",     "duration",     "ipv4",         "ipv6",
    "hostname", "uuid", "uri",  "uri-reference", "uri-template", "json-pointer", "relative-json-pointer"};

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw InvalidRequest("the JSON schema" + (where.empty() ? "" : " has, at " + where + ",") +
                       (where.empty() ? " has " : " ") + what);
}

bool is_of_type(const Json& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  return type == "integer" && value.is_number_integer();
}

bool is_of_types(const Json& value, const Json& types) {
  if (types.is_string()) return is_of_type(value, types.get_ref<const std::string&>());
  return std::ranges::any_of(types, [&](const Json& type) {
    return type.is_string() && is_of_type(value, type.get<std::string>());
  });
}

// Whatever stands beside a keyword that decides alone would be lost.
void check_siblings(const Json& schema, const std::string& decides, const std::string& where) {
  const auto lost = [&](const char* key) {
    if (key == decides || !schema.contains(key)) return;
    refuse(where,
           std::string(key) + " beside " + decides + ", which cannot both be kept; write one schema of them");
  };
  for (const char* key : deciding) lost(key);
  for (const char* key : of_containers) lost(key);
  for (const char* key : of_any_type) lost(key);
  if (!schema.contains("type")) return;
  if (decides != "const" && decides != "enum") lost("type");
  const Json values = decides == "const" ? Json::array({schema["const"]}) : schema[decides];
  if (!values.is_array()) return;
  for (const Json& value : values) {
    if (!is_of_types(value, schema["type"]))
      refuse(where, "a value in " + decides + " that is not of its type; leave it out");
  }
}

void check_strings(const Json& schema, const std::string& where) {
  const auto format = schema.find("format");
  if (format == schema.end()) return;
  const std::string name = format->is_string() ? format->get<std::string>() : format->dump();
  if (std::ranges::find(formats, name) == formats.end())
    refuse(where, "the format " + text::quoted(name) + ", which cannot be kept; use a pattern");
  if (schema.contains("pattern")) refuse(where, "a pattern beside a format, which cannot both be kept");
}

void check_counts(const Json& schema, const std::string& where) {
  for (const char* key : counts) {
    const auto count = schema.find(key);
    if (count == schema.end()) continue;
    if (!count->is_number_integer() || *count < 0)
      refuse(where, std::string(key) + ", which must be a whole number, 0 or more");
    if (*count > most_count)
      refuse(where, std::string(key) + " of " + count->dump() + ", and " + std::to_string(most_count) +
                        " is the most");
  }
}

void check_object(const Json& schema, const std::string& where) {
  if (schema.contains("patternProperties") && schema.contains("propertyNames"))
    refuse(where, "propertyNames beside patternProperties, which cannot both be kept");
  const auto required = schema.find("required");
  if (required == schema.end() || !required->is_array()) return;
  for (const Json& key : *required) {
    const bool described = schema.contains("properties") && schema["properties"].is_object() &&
                           key.is_string() && schema["properties"].contains(key.get<std::string>());
    if (!described) refuse(where, "a required key " + key.dump() + " that its properties do not describe");
  }
}

void check(const Json& schema, const std::string& where);

void check_each(const Json& schema, const char* key, const std::string& where) {
  const auto found = schema.find(key);
  if (found == schema.end() || !found->is_structured()) return;
  for (const auto& [name, sub] : found->items()) check(sub, where + "/" + key + "/" + name);
}

void check(const Json& schema, const std::string& where) {
  if (!schema.is_object()) return;  // true, or what xgrammar refuses itself
  for (const char* key : never) {
    if (schema.contains(key)) refuse(where, std::string(key) + ", which cannot be kept; leave it out");
  }
  if (schema.contains("uniqueItems") && schema["uniqueItems"] != false)
    refuse(where, "uniqueItems, which cannot be kept; leave it out");
  const auto decides = std::ranges::find_if(deciding, [&](const char* key) { return schema.contains(key); });
  if (decides != deciding.end()) check_siblings(schema, *decides, where);
  const auto has = [&](const char* key) { return schema.contains(key); };
  if (decides == deciding.end() && !has("type") && std::ranges::none_of(of_containers, has)) {
    const auto lost = std::ranges::find_if(of_any_type, has);
    if (lost != of_any_type.end()) refuse(where, std::string(*lost) + " without a type; name the type");
  }
  check_strings(schema, where);
  check_counts(schema, where);
  check_object(schema, where);
  for (const char* key :
       {"properties", "patternProperties", "$defs", "definitions", "anyOf", "oneOf", "allOf", "prefixItems"})
    check_each(schema, key, where);
  for (const char* key :
       {"additionalProperties", "unevaluatedProperties", "items", "unevaluatedItems", "propertyNames"}) {
    if (has(key)) check(schema[key], where + "/" + key);
  }
}

}  // namespace

void check_schema(const Json& schema) {
  if (!schema.is_object() && !schema.is_boolean())
    throw InvalidRequest("the JSON schema is no JSON object; write it as {\"type\": \"object\", ...}");
  check(schema, "");
}

}  // namespace lanerope::grammar
