// SPDX-License-Identifier: Apache-2.0
// What an answer is to keep to, as OpenAI's, vLLM's and llama-server's clients name it.
#include "server/api_request.h"
#include "server/json_fields.h"

namespace lanerope::server {

namespace {

// A schema may come as an object, or as its text.
std::string schema_text(const JsonFields& fields, const char* key) {
  const Json* schema = fields.find(key);
  if (schema == nullptr) return {};
  if (schema->is_string()) return schema->get<std::string>();
  if (!schema->is_object() && !schema->is_boolean()) fields.refuse(key, "must be a JSON schema");
  return to_text(*schema);
}

AnswerFormat schema_format(const JsonFields& fields, const char* key) {
  return {.kind = FormatKind::json_schema, .text = schema_text(fields, key)};
}

AnswerFormat of_response_format(const JsonFields& format) {
  const std::string type = format.text("type").value_or("");
  if (type == "text") return {};
  if (type == "json_object") {
    if (format.find("schema") != nullptr) return schema_format(format, "schema");  // llama-server's
    return {.kind = FormatKind::json};
  }
  if (type == "structural_tag") return {.kind = FormatKind::structural_tag, .text = to_text(format.object())};
  if (type != "json_schema") {
    format.refuse("type", "must be text, json_object, json_schema or structural_tag");
  }
  const auto described = format.object("json_schema");
  if (!described) format.refuse("json_schema", "is missing");
  if (described->find("schema") == nullptr) described->refuse("schema", "is missing");
  return schema_format(*described, "schema");
}

AnswerFormat of_texts(const JsonFields& fields, const char* key) {
  return {.kind = FormatKind::choice,
          .choices = fields.texts(key, /*one_too=*/false).value_or(std::vector<std::string>{})};
}

// vLLM's object: exactly one of its fields.
AnswerFormat of_structured_outputs(const JsonFields& fields) {
  std::vector<AnswerFormat> formats;
  for (const auto& [key, value] : fields.object().items()) {
    if (value.is_null() || value == false) continue;
    if (key == "json") {
      formats.push_back(schema_format(fields, "json"));
    } else if (key == "regex") {
      formats.push_back({.kind = FormatKind::regex, .text = *fields.text("regex")});
    } else if (key == "choice") {
      formats.push_back(of_texts(fields, "choice"));
    } else if (key == "grammar") {
      formats.push_back({.kind = FormatKind::grammar, .text = *fields.text("grammar")});
    } else if (key == "json_object") {
      formats.push_back({.kind = FormatKind::json});
    } else if (key == "structural_tag") {
      const std::string tag = value.is_string() ? value.get<std::string>() : to_text(value);
      formats.push_back({.kind = FormatKind::structural_tag, .text = tag});
    } else {
      fields.refuse(key,
                    "cannot be honoured; use json, regex, choice, grammar, json_object or structural_tag");
    }
  }
  if (formats.size() != 1)
    throw ApiError(400, "structured_outputs must hold exactly one format", "structured_outputs");
  return formats.front();
}

}  // namespace

AnswerFormat parse_answer_format(const Json& body) {
  const JsonFields fields(body);
  std::vector<std::pair<const char*, AnswerFormat>> given;
  if (const auto format = fields.object("response_format")) {
    given.emplace_back("response_format", of_response_format(*format));
    if (given.back().second.kind == FormatKind::any) given.pop_back();
  }
  if (const auto outputs = fields.object("structured_outputs"))
    given.emplace_back("structured_outputs", of_structured_outputs(*outputs));
  if (fields.find("guided_json") != nullptr)
    given.emplace_back("guided_json", schema_format(fields, "guided_json"));
  if (const auto text = fields.text("guided_regex"))
    given.emplace_back("guided_regex", AnswerFormat{.kind = FormatKind::regex, .text = *text});
  if (fields.find("guided_choice") != nullptr)
    given.emplace_back("guided_choice", of_texts(fields, "guided_choice"));
  if (const auto text = fields.text("guided_grammar"))
    given.emplace_back("guided_grammar", AnswerFormat{.kind = FormatKind::grammar, .text = *text});
  if (fields.find("json_schema") != nullptr)
    given.emplace_back("json_schema", schema_format(fields, "json_schema"));
  if (const auto text = fields.text("grammar"); text && !text->empty())
    given.emplace_back("grammar", AnswerFormat{.kind = FormatKind::grammar, .text = *text});
  if (given.empty()) return {};
  if (given.size() > 1) {
    throw ApiError(400,
                   std::string(given[0].first) + " and " + given[1].first +
                       " both say what the answer keeps to; send one of them",
                   given[1].first);
  }
  return given.front().second;
}

}  // namespace lanerope::server
