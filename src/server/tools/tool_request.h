// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lanerope/answer_format.h"
#include "lanerope/chat_style.h"
#include "lanerope/tool_calls.h"
#include "server/json_fields.h"

namespace lanerope::server {

enum class ToolChoice {
  none,       // the model is told of no tools
  automatic,  // it calls tools or says something
  required,   // it calls at least one of those that it may call
};

// A tool as the client described it.
struct Tool {
  std::string name = {};
  Json parameters = {};  // a JSON schema
  bool strict = false;   // arguments keep to the schema, or the request is refused
};

// What a chat request says of tools.
struct ToolRequest {
  std::vector<Tool> tools = {};
  std::string text = {};  // the client's array, for the chat template
  ToolChoice choice = ToolChoice::none;
  std::vector<std::string> allowed = {};  // names of those that may be called; empty: all
  bool parallel = true;                   // several calls in one answer

  bool offered() const { return choice != ToolChoice::none && !tools.empty(); }
  ToolTable table() const;
};

// Reads `tools`, `tool_choice` and `parallel_tool_calls`. Throws ApiError (400).
ToolRequest parse_tools(const JsonFields& fields);

// Whether a format can be kept to; a schema of a tool that is not strict gives way to any object where not.
using KeepsFormat = std::function<bool(const AnswerFormat&)>;

// The format in which a model of this style calls: for ToolChoice::required, and for tools that are strict.
// FormatKind::any where nothing is to be kept to. Throws ApiError where the style is not known.
AnswerFormat call_format(const ToolRequest& request, ToolStyle style, const KeepsFormat& keeps);

}  // namespace lanerope::server
