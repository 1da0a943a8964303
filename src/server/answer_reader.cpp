// SPDX-License-Identifier: Apache-2.0
#include "server/answer_reader.h"

#include <utility>

#include "lanerope/service.h"

namespace lanerope::server {

namespace {

ReasoningSplitter splitter_for(const ApiRequest& api, const ResolvedRequest& request) {
  using Mode = ReasoningSplitter::Mode;
  if (api.endpoint != ApiEndpoint::chat || !api.split_reasoning) return ReasoningSplitter(Mode::off);
  const Mode mode = request.thinking == Thinking::opened ? Mode::opened : Mode::maybe;
  // A model may think though its template does not say so.
  if (request.style.thinking.begin.empty()) return ReasoningSplitter(mode);
  return ReasoningSplitter(mode, request.style.thinking);
}

// gpt-oss's answers need their reader without tools too.
ToolStyle style_for(const ApiRequest& api, const ResolvedRequest& request) {
  const ToolStyle style = request.style.tools;
  const bool reads = api.endpoint == ApiEndpoint::chat &&
                     (api.tools.offered() || !request.tools.tools.empty() || style == ToolStyle::harmony);
  return reads ? style : ToolStyle::none;
}

ToolTable table_for(const ApiRequest& api, const ResolvedRequest& request) {
  ToolTable table = api.tools.table();
  for (const lanerope::Tool& tool : request.tools.tools) table.emplace(tool.name, tool.parameters);
  return table;
}

// The model's own number of a call, where it gave one that goes into its template again. Mistral's templates
// want nine letters and digits.
std::string call_id(const std::string& given, ToolStyle style) {
  constexpr size_t mistrals = 9;
  const bool mistral = style == ToolStyle::mistral || style == ToolStyle::mistral_list;
  const bool good = !given.empty() && (!mistral || given.size() == mistrals);
  if (good) return given;
  return mistral ? new_public_id("").substr(0, mistrals) : new_public_id("call_");
}

}  // namespace

AnswerReader::AnswerReader(const ApiRequest& api, const ResolvedRequest& request)
    : splitter_(splitter_for(api, request)),
      parser_(style_for(api, request), table_for(api, request)),
      own_tools_(!request.tools.tools.empty()),
      style_(request.style.tools),
      parallel_(api.tools.parallel) {}

void AnswerReader::add(Parts& parts, ToolCallParser::Parts said) {
  parts.content += said.content;
  if (own_tools_) return;
  for (ToolCall& call : said.calls) {
    if (!parallel_ && n_calls_ > 0) return;
    ++n_calls_;
    call.id = call_id(call.id, style_);
    parts.calls.push_back(std::move(call));
  }
}

AnswerReader::Parts AnswerReader::push(const std::string& text, bool over) {
  Parts parts;
  const auto take = [&](const ReasoningSplitter::Parts& split) {
    parts.reasoning += split.reasoning;
    add(parts, parser_.push(split.content));
  };
  take(splitter_.push(text));
  if (!over) return parts;
  take(splitter_.finish());
  add(parts, parser_.finish());
  return parts;
}

}  // namespace lanerope::server
