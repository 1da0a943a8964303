// SPDX-License-Identifier: Apache-2.0
#include "server/responses_request.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "server/json_fields.h"

namespace lanerope::server {

namespace {

// What is taken over under another name or looked at here.
constexpr auto taken = std::to_array<std::string_view>(
    {"input", "instructions", "max_output_tokens", "text", "reasoning", "tools", "tool_choice", "include",
     "truncation", "background", "previous_response_id", "conversation", "prompt", "context_management",
     "max_tool_calls", "top_logprobs", "n", "logprobs"});

// What else clients have included belongs to tools that are refused, or is encrypted: it may be asked for, as
// some do in every request, and there is none.
void refuse_logprobs(const JsonFields& fields) {
  const std::string otherwise = "is not supported here; use /v1/chat/completions";
  if (fields.integer("top_logprobs", {.least = 0, .most = 20}).value_or(0) > 0)
    fields.refuse("top_logprobs", otherwise);
  if (fields.flag("logprobs").value_or(false)) fields.refuse("logprobs", otherwise);
  for (const std::string& one :
       fields.texts("include", /*one_too=*/false).value_or(std::vector<std::string>{})) {
    if (one == "message.output_text.logprobs")
      fields.refuse("include", "asks for \"" + one + "\", which " + otherwise);
  }
}

void refuse_state(const JsonFields& fields) {
  constexpr auto remembered = std::to_array<std::string_view>(
      {"previous_response_id", "conversation", "prompt", "context_management"});
  for (const std::string_view key : remembered) {
    if (fields.find(key) != nullptr)
      fields.refuse(key, "needs a server that remembers; send the whole conversation as input");
  }
  if (fields.flag("background").value_or(false))
    fields.refuse("background", "is not supported here; wait for the response, or stream it");
  if (fields.text("truncation").value_or("disabled") != "disabled")
    fields.refuse("truncation", "can only be \"disabled\" here; shorten the input yourself");
  if (fields.integer("n", {.least = 1, .most = INT32_MAX}).value_or(1) != 1)
    fields.refuse("n", "is no field of this API; lanes.count says how many lanes answer together");
  refuse_logprobs(fields);
  if (fields.find("max_tool_calls") != nullptr)
    fields.refuse("max_tool_calls", "is not supported here; leave it out");
}

std::string text_of(const JsonFields& item, std::string_view key) {
  const Json* content = item.find(key);
  if (content == nullptr) return {};
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) item.refuse(key, "must be a string or an array of text parts");
  std::string text;
  for (const Json& entry : *content) {
    const JsonFields part(entry, item.path_of(key));
    const std::string type = part.text("type").value_or("input_text");
    if (type != "input_text" && type != "output_text" && type != "text")
      item.refuse(key, "may hold text parts only, not \"" + type.substr(0, 40) + "\"");
    text += part.text("text").value_or("");
  }
  return text;
}

std::string required(const JsonFields& item, std::string_view key) {
  const std::optional<std::string> value = item.text(key);
  if (!value) item.refuse(key, "is missing");
  return *value;
}

Json call_of(const JsonFields& item) {
  return {
      {"id", required(item, "call_id")},
      {"type", "function"},
      {"function", {{"name", required(item, "name")}, {"arguments", item.text("arguments").value_or("{}")}}}};
}

// Calls of one turn are one message, as a chat has them.
void add_item(Json& messages, const JsonFields& item) {
  const std::string type = item.text("type").value_or("message");
  if (type == "message") {
    messages.push_back({{"role", required(item, "role")}, {"content", text_of(item, "content")}});
  } else if (type == "function_call") {
    const bool same_turn = !messages.empty() && messages.back()["role"] == "assistant";
    if (!same_turn) messages.push_back({{"role", "assistant"}, {"content", nullptr}});
    messages.back()["tool_calls"].push_back(call_of(item));
  } else if (type == "function_call_output") {
    messages.push_back({{"role", "tool"},
                        {"tool_call_id", required(item, "call_id")},
                        {"content", text_of(item, "output")}});
  } else if (type != "reasoning") {  // what was thought in earlier turns is not read again
    item.refuse("type", "cannot be \"" + type.substr(0, 40) +
                            "\" here; message, function_call, function_call_output and reasoning can be");
  }
}

Json messages_of(const JsonFields& fields) {
  Json messages = Json::array();
  if (const auto instructions = fields.text("instructions"))
    messages.push_back({{"role", "system"}, {"content", *instructions}});
  const Json* input = fields.find("input");
  if (input == nullptr) throw ApiError(400, "input is missing", "input");
  if (input->is_string()) {
    messages.push_back({{"role", "user"}, {"content", *input}});
    return messages;
  }
  if (!input->is_array() || input->empty())
    fields.refuse("input", "must be a string or an array with at least one item");
  for (size_t i = 0; i < input->size(); ++i)
    add_item(messages, JsonFields((*input)[i], "input[" + std::to_string(i) + "]"));
  return messages;
}

Json tools_of(const JsonFields& fields) {
  Json tools = Json::array();
  const Json* list = fields.find("tools");
  if (list == nullptr) return tools;
  if (!list->is_array()) fields.refuse("tools", "must be an array");
  for (const Json& entry : *list) {
    const JsonFields tool(entry, "tools");
    if (tool.text("type").value_or("") != "function") tool.refuse("type", "can only be \"function\" here");
    Json function = entry;
    function.erase("type");
    tools.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  return tools;
}

// {"type": "json_schema", "name", "schema", "strict"} -> chat's {"type", "json_schema": {...}}.
Json format_of(const JsonFields& text) {
  const Json* format = text.find("format");
  if (format == nullptr) return nullptr;
  const JsonFields fields(*format, text.path_of("format"));
  const std::string type = required(fields, "type");
  if (type != "json_schema") return {{"type", type}};
  Json schema = *format;
  schema.erase("type");
  return {{"type", type}, {"json_schema", std::move(schema)}};
}

}  // namespace

Json chat_body_of(const Json& body) {
  const JsonFields fields(body);
  refuse_state(fields);
  Json chat = Json::object();
  for (const auto& [name, value] : body.items()) {
    if (std::ranges::find(taken, name) == taken.end()) chat[name] = value;
  }
  chat["messages"] = messages_of(fields);
  if (const auto most = fields.integer("max_output_tokens", {.least = 1, .most = 1 << 24}))
    chat["max_tokens"] = *most;
  if (const auto text = fields.object("text")) chat["response_format"] = format_of(*text);
  if (const auto reasoning = fields.object("reasoning")) {
    if (const auto effort = reasoning->text("effort")) chat["reasoning_effort"] = *effort;
  }
  if (Json tools = tools_of(fields); !tools.empty()) chat["tools"] = std::move(tools);
  if (const Json* choice = fields.find("tool_choice")) {
    const bool named = choice->is_object() && choice->value("type", "") == "function";
    chat["tool_choice"] =
        named ? Json({{"type", "function"}, {"function", {{"name", choice->value("name", "")}}}}) : *choice;
  }
  return chat;
}

}  // namespace lanerope::server
