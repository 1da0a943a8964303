// SPDX-License-Identifier: Apache-2.0
#include "engine/tools/tool_watch.h"

#include <utility>

#include "engine/tools/tool_forms.h"
#include "model/loaded_model.h"
#include "text/white_space.h"

namespace lanerope::engine {

namespace {

constexpr size_t longest_note = 200;  // bytes

}  // namespace

std::optional<std::string> NoteWatch::push(std::string_view text) {
  tail_ += text;
  const size_t begin = tail_.rfind("<<");
  if (begin == std::string::npos) {
    tail_ = tail_.ends_with('<') ? "<" : "";
    return std::nullopt;
  }
  tail_.erase(0, begin);
  const std::string_view inside = std::string_view(tail_).substr(2);
  const bool over = inside.size() > longest_note || inside.find_first_of("\n>") != std::string_view::npos;
  const size_t sign = inside.find('=');
  if (!over && sign == std::string_view::npos) return std::nullopt;
  std::optional<std::string> expression;
  if (!over && sign > 0 && sign + 1 == inside.size()) expression = inside.substr(0, sign);
  tail_.clear();
  return expression;
}

ToolWatch::ToolWatch(const ResolvedRequest& request, const std::string& inherited)
    : request_(request),
      detokenizer_(model::loaded(*request.model).vocabulary, {.special = true}),
      thinking_(request.thinking != Thinking::none) {
  restart();
  if (!inherited.empty()) read(inherited);
}

void ToolWatch::restart() {
  detokenizer_.flush();
  notes_ = {};
  if (request_.tool_forms != nullptr)
    parser_.emplace(request_.tool_forms->style, request_.tool_forms->schemas);
}

// What is thought may speak of calls and makes none. Where the prompt leaves it open whether the model
// thinks, what it begins with tells.
std::string ToolWatch::behind_thinking(std::string text) {
  if (!thinking_) return text;
  thought_ += text;
  const ThinkingMarks& marks = request_.style.thinking;
  const size_t end = thought_.find(marks.end);
  const std::string_view begun = text::stripped(thought_, {.right = false});
  const std::string_view mark = text::stripped(marks.begin);
  const bool thinks = request_.thinking == Thinking::opened || begun.starts_with(mark);
  if (thinks && end == std::string::npos) return {};
  if (!thinks && mark.starts_with(begun)) return {};
  thinking_ = false;
  return thinks ? thought_.substr(end + marks.end.size()) : thought_;
}

ToolWatch::Found ToolWatch::push(TokenId token) {
  return read(detokenizer_.push(token));
}

ToolWatch::Found ToolWatch::read(std::string piece) {
  const std::string text = behind_thinking(std::move(piece));
  Found found;
  if (parser_) found.calls = parser_->push(text).calls;
  if (request_.tools.notes) found.note = notes_.push(text);
  return found;
}

ToolWatch::Found ToolWatch::finish() {
  Found found;
  if (parser_) found.calls = parser_->finish().calls;
  return found;
}

}  // namespace lanerope::engine
