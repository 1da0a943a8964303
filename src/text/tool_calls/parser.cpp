// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <utility>

#include "lanerope/tool_calls.h"
#include "text/tool_calls/call_styles.h"

namespace lanerope::text {

namespace {

constexpr std::string_view hermes_marks[] = {"<tool_call>"};
constexpr std::string_view llama_marks[] = {"{", ";", "<|python_tag|>"};
constexpr std::string_view mistral_marks[] = {"[TOOL_CALLS]"};
constexpr std::string_view deepseek_marks[] = {"<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>",
                                               "<｜tool▁calls▁end｜>"};
constexpr std::string_view harmony_marks[] = {"<|start|>", "<|channel|>", " to=functions.",
                                              "<|end|>",   "<|call|>",    "<|return|>"};

struct StyleRow {
  ToolStyle style;
  CallReader reader;
  std::span<const std::string_view> marks;
};
constexpr StyleRow styles[] = {
    {ToolStyle::hermes, read_hermes_call, hermes_marks},
    {ToolStyle::qwen_xml, read_qwen_xml_call, hermes_marks},
    {ToolStyle::llama, read_llama_call, llama_marks},
    {ToolStyle::mistral_list, read_mistral_call, mistral_marks},
    {ToolStyle::mistral, read_mistral_call, mistral_marks},
    {ToolStyle::deepseek, read_deepseek_call, deepseek_marks},
    {ToolStyle::deepseek_v31, read_deepseek_call, deepseek_marks},
    {ToolStyle::harmony, read_harmony_part, harmony_marks},
};

const StyleRow* row_of(ToolStyle style) {
  const auto* row = std::ranges::find(styles, style, &StyleRow::style);
  return row == std::end(styles) ? nullptr : row;
}

bool is_space(std::string_view text) {
  return behind_space(text).empty();
}

SchemaTable schemas_of(const ToolTable& tools) {
  SchemaTable schemas;
  for (const auto& [name, schema] : tools) {
    const Json json = Json::parse(schema, nullptr, false);
    schemas[name] = json.is_object() ? json : Json::object();
  }
  return schemas;
}

}  // namespace

}  // namespace lanerope::text

namespace lanerope {

using text::CallReader;
using text::CallReading;

struct ToolCallParser::Impl {
  void advance(Parts& parts, bool over);
  size_t next_mark(size_t from) const;

  CallReader reader = nullptr;
  std::span<const std::string_view> marks = {};
  bool at_beginning_only = false;  // marks count where nothing was said before
  text::SchemaTable tools = {};
  std::string held = {};
  bool said = false;
  bool called = false;
};

ToolCallParser::ToolCallParser(ToolStyle style, const ToolTable& tools) : impl_(std::make_unique<Impl>()) {
  impl_->at_beginning_only = style == ToolStyle::llama;
  impl_->tools = text::schemas_of(tools);
  if (const text::StyleRow* row = text::row_of(style)) {
    impl_->reader = row->reader;
    impl_->marks = row->marks;
  }
}

ToolCallParser::~ToolCallParser() = default;
ToolCallParser::ToolCallParser(ToolCallParser&&) noexcept = default;
ToolCallParser& ToolCallParser::operator=(ToolCallParser&&) noexcept = default;

ToolCallParser::Parts ToolCallParser::push(std::string_view text) {
  Parts parts;
  if (impl_->reader == nullptr) {
    parts.content = text;
    return parts;
  }
  impl_->held += text;
  impl_->advance(parts, /*over=*/false);
  return parts;
}

ToolCallParser::Parts ToolCallParser::finish() {
  Parts parts;
  if (impl_->reader != nullptr) impl_->advance(parts, /*over=*/true);
  return parts;
}

// Where the first mark, or what may become one, begins.
size_t ToolCallParser::Impl::next_mark(size_t from) const {
  const std::string_view text = std::string_view(held).substr(from);
  size_t first = text.size();
  for (const std::string_view mark : marks) {
    first = std::min(first, text.find(mark));
    for (size_t length = std::min(mark.size() - 1, text.size()); length > 0; --length) {
      if (!text.ends_with(mark.substr(0, length))) continue;
      first = std::min(first, text.size() - length);
      break;
    }
  }
  return from + first;
}

void ToolCallParser::Impl::advance(Parts& parts, bool over) {
  const auto say = [&](size_t length) {
    // White space around calls is no content.
    const std::string_view told = std::string_view(held).substr(0, length);
    const bool between = called && text::is_space(told);
    if (!between) {
      parts.content += told;
      said = said || !text::is_space(told);
    }
    held.erase(0, length);
  };
  size_t from = 0;
  while (!held.empty()) {
    if (at_beginning_only && (said || !text::is_space(std::string_view(held).substr(0, next_mark(from))))) {
      say(held.size());
      return;
    }
    const size_t mark = next_mark(from);
    // White space before what may be a call waits for what it turns out to be.
    const size_t end_of_text = held.find_last_not_of(" \t\r\n", mark == 0 ? std::string::npos : mark - 1);
    const bool all_space = mark == 0 || end_of_text == std::string::npos || end_of_text >= mark;
    const size_t sayable = all_space ? 0 : end_of_text + 1;
    if (mark == held.size()) {
      say(over ? held.size() : sayable);
      return;
    }
    const CallReading reading = reader({.text = std::string_view(held).substr(mark), .over = over}, tools);
    if (reading.state == CallReading::State::done) {
      const bool calls = !reading.calls.empty();
      say(sayable);
      held.erase(0, mark - sayable);
      held.erase(0, reading.used);
      called = called || calls;
      for (const ToolCall& call : reading.calls) parts.calls.push_back(call);
      from = 0;
      continue;
    }
    if (reading.state == CallReading::State::more && !over) {
      say(sayable);
      return;
    }
    from = mark + 1;  // no call: this mark is text
    if (from >= held.size()) {
      if (over) say(held.size());
      return;
    }
  }
}

size_t end_of_first_call(ToolStyle style, const ToolTable& tools, std::string_view text) {
  const text::StyleRow* row = text::row_of(style);
  if (row == nullptr) return std::string_view::npos;
  const text::SchemaTable schemas = text::schemas_of(tools);
  for (size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = text.substr(at);
    if (std::ranges::none_of(row->marks, [rest](std::string_view mark) { return rest.starts_with(mark); }))
      continue;
    const CallReading reading = row->reader({.text = rest, .over = true}, schemas);
    if (reading.state == CallReading::State::done && !reading.calls.empty()) return at + reading.used;
  }
  return std::string_view::npos;
}

}  // namespace lanerope
