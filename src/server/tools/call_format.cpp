// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "server/tools/tool_request.h"

namespace lanerope::server {

namespace {

// How a style writes calls: `{name}` stands for the tool's name, the arguments stand between before and
// behind.
struct Writing {
  ToolStyle style;
  std::string_view open;  // before all calls
  std::string_view before;
  std::string_view behind;
  std::string_view between;  // two calls; empty: there is one at most
  std::string_view close;    // behind all calls
  std::string_view arguments = "json";
};
constexpr int most_white_space = 24;  // in a row
constexpr std::array writings = {
    Writing{ToolStyle::hermes, "", "<tool_call>\n{\"name\": \"{name}\", \"arguments\": ", "}\n</tool_call>",
            "\n", ""},
    Writing{ToolStyle::qwen_xml, "", "<tool_call>\n<function={name}>\n", "\n</function>\n</tool_call>", "\n",
            "", "qwen_xml"},
    Writing{ToolStyle::llama, "", "{\"name\": \"{name}\", \"parameters\": ", "}", "", ""},
    Writing{ToolStyle::mistral_list, "[TOOL_CALLS][", "{\"name\": \"{name}\", \"arguments\": ", "}", ", ",
            "]"},
    Writing{ToolStyle::mistral, "", "[TOOL_CALLS]{name}[ARGS]", "", "", ""},
    Writing{ToolStyle::deepseek, "<｜tool▁calls▁begin｜>",
            "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n", "\n```<｜tool▁call▁end｜>", "\n",
            "<｜tool▁calls▁end｜>"},
    Writing{ToolStyle::deepseek_v31, "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>",
            "<｜tool▁call▁end｜>", "\n", "<｜tool▁calls▁end｜>"},
    // <|call|> ends the turn, so it is none of the text.
    Writing{ToolStyle::harmony, "", "<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>",
            "", "", ""},
};

const Writing& writing_of(ToolStyle style) {
  const auto found = std::ranges::find(writings, style, &Writing::style);
  if (found != writings.end()) return *found;
  throw ApiError(
      400,
      "lanerope does not know how this model writes calls of tools, so it cannot make it write one; leave "
      "tool_choice out",
      "tool_choice");
}

std::string with_name(std::string_view text, const std::string& name) {
  constexpr std::string_view place = "{name}";
  std::string written(text);
  if (const size_t at = written.find(place); at != std::string::npos) written.replace(at, place.size(), name);
  return written;
}

Json constant(std::string_view text) {
  return {{"type", "const_string"}, {"value", text}};
}

Json arguments_of(const Tool& tool, const Writing& writing, const KeepsFormat& keeps) {
  const AnswerFormat schema{.kind = FormatKind::json_schema, .text = to_text(tool.parameters)};
  const bool whole =
      tool.strict || keeps(schema);  // where a strict one cannot be kept to, compiling says why
  Json content = {
      {"type", "json_schema"},
      {"json_schema", whole ? tool.parameters : Json{{"type", "object"}, {"additionalProperties", true}}}};
  content["max_whitespace_cnt"] = most_white_space;
  if (writing.arguments != "json") content["style"] = writing.arguments;
  return content;
}

Json sequence(std::vector<Json> elements) {
  std::erase_if(elements, [](const Json& one) {
    return one.is_null() || (one["type"] == "const_string" && one["value"] == "");
  });
  return {{"type", "sequence"}, {"elements", std::move(elements)}};
}

bool may_call(const ToolRequest& request, const Tool& tool) {
  return request.allowed.empty() || std::ranges::find(request.allowed, tool.name) != request.allowed.end();
}

Json required_calls(const ToolRequest& request, const Writing& writing, const KeepsFormat& keeps) {
  Json calls = Json::array();
  for (const Tool& tool : request.tools) {
    if (!may_call(request, tool)) continue;
    calls.push_back(sequence({constant(with_name(writing.before, tool.name)),
                              arguments_of(tool, writing, keeps), constant(writing.behind)}));
  }
  const Json call = calls.size() == 1 ? calls[0] : Json{{"type", "or"}, {"elements", calls}};
  Json others = nullptr;
  if (request.parallel && !writing.between.empty())
    others = {{"type", "star"}, {"content", sequence({constant(writing.between), call})}};
  return sequence({constant(writing.open), call, others, constant(writing.close)});
}

// Free text, in which a call that begins keeps to its tool.
Json strict_calls(const ToolRequest& request, const Writing& writing, const KeepsFormat& keeps) {
  Json tags = Json::array();
  for (const Tool& tool : request.tools) {
    if (!may_call(request, tool)) continue;
    tags.push_back({{"type", "tag"},
                    {"begin", std::string(writing.open) + with_name(writing.before, tool.name)},
                    {"content", arguments_of(tool, writing, keeps)},
                    {"end", std::string(writing.behind) + std::string(writing.close)}});
  }
  const std::string begin = std::string(writing.open) + std::string(writing.before);
  const std::string trigger = begin.substr(0, begin.find("{name}"));
  return {{"type", "triggered_tags"}, {"triggers", {trigger}}, {"tags", std::move(tags)}};
}

}  // namespace

AnswerFormat call_format(const ToolRequest& request, ToolStyle style, const KeepsFormat& keeps) {
  if (!request.offered()) return {};
  const bool strict = std::ranges::any_of(request.tools, &Tool::strict) || !request.allowed.empty();
  if (request.choice != ToolChoice::required && !strict) return {};
  const Writing& writing = writing_of(style);
  // A call whose end is the end of the answer cannot be told from text that goes on.
  const bool has_end = !writing.behind.empty() || !writing.close.empty();
  if (request.choice != ToolChoice::required && !has_end) return {};
  const Json format = request.choice == ToolChoice::required ? required_calls(request, writing, keeps)
                                                             : strict_calls(request, writing, keeps);
  return {.kind = FormatKind::structural_tag, .text = to_text(format)};
}

}  // namespace lanerope::server
