// SPDX-License-Identifier: Apache-2.0
#include "engine/tools/tool_forms.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "lanerope/errors.h"
#include "model/loaded_model.h"

namespace lanerope::engine {

namespace {

using Json = nlohmann::ordered_json;

// Stand where results will; the numbers tell them apart.
constexpr std::string_view results[] = {"lanerope1result", "lanerope2result"};
// Mistral's templates want nine letters and digits.
constexpr std::string_view ids[] = {"lanerope1", "lanerope2"};

ToolTable schemas_of(std::span<const Tool> tools) {
  ToolTable schemas;
  for (const Tool& tool : tools) schemas[tool.name] = tool.parameters;
  return schemas;
}

class Writer {
 public:
  Writer(const text::ChatTemplate& chat, std::span<const Tool> tools, std::string_view arguments)
      : chat_(chat), tools_(tools_json(tools)), schemas_(schemas_of(tools)), arguments_(arguments) {}

  // Nothing where the template does not write so many calls, or not so that they are found.
  std::optional<ToolTexts> around(const std::string& tool, size_t n_calls) const {
    const std::vector<Message> question = {{.role = "user", .content = "?"}};
    std::vector<Message> messages = question;
    messages.push_back({.role = "assistant"});
    for (size_t i = 0; i < n_calls; ++i) {
      messages[1].tool_calls.push_back({.id = std::string(ids[i]), .name = tool});
      messages.push_back({.role = "tool",
                          .content = std::string(results[i]),
                          .tool_call_id = std::string(ids[i]),
                          .name = tool});
    }
    std::string prompt, whole;
    try {
      prompt = render(question);
      whole = render(messages);
    } catch (const InvalidRequest&) {
      return std::nullopt;
    }
    const auto parts = std::ranges::mismatch(whole, prompt);
    std::string rest(parts.in1, whole.end());
    const size_t first = rest.find(results[0]);
    const size_t last = rest.find(results[n_calls - 1]);
    if (first == std::string::npos || last == std::string::npos) return std::nullopt;
    size_t call_end = 0;
    while (true) {
      const std::string_view left = std::string_view(rest).substr(call_end, first - call_end);
      const size_t end = end_of_first_call(chat_.style().tools, schemas_, left);
      if (end == std::string_view::npos) break;
      call_end += end;
    }
    if (call_end == 0) return std::nullopt;
    const size_t first_end = first + results[0].size();
    return ToolTexts{.before = rest.substr(call_end, first - call_end),
                     .between = n_calls > 1 ? rest.substr(first_end, last - first_end) : "",
                     .after = rest.substr(last + results[n_calls - 1].size())};
  }

 private:
  std::string render(const std::vector<Message>& messages) const {
    return chat_.render(messages, {.tools = tools_, .arguments = arguments_});
  }

  const text::ChatTemplate& chat_;
  std::string tools_;
  ToolTable schemas_;
  std::string_view arguments_;
};

}  // namespace

const ToolForm& ToolForms::form(std::string_view tool) const {
  const auto found = forms.find(tool);
  return found != forms.end() ? found->second : forms.begin()->second;
}

std::string tools_json(std::span<const Tool> tools) {
  Json list = Json::array();
  for (const Tool& tool : tools) {
    list.push_back({{"type", "function"},
                    {"function",
                     {{"name", tool.name},
                      {"description", tool.description},
                      {"parameters", Json::parse(tool.parameters, nullptr, false)}}}});
  }
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<ToolTexts> tool_texts(const text::ChatTemplate& chat, std::span<const Tool> tools,
                                    const std::string& tool, std::string_view arguments) {
  const Writer writer(chat, tools, arguments);
  if (std::optional<ToolTexts> two = writer.around(tool, 2)) return two;
  std::optional<ToolTexts> one = writer.around(tool, 1);
  if (one) one->between = one->after + one->before;
  return one;
}

ToolForms tool_forms(const Model& model, std::span<const Tool> tools, const Prompt& prompt) {
  ToolForms made{.style = model.chat_style(/*with_tools=*/true).tools, .schemas = schemas_of(tools)};
  const text::ChatTemplate* chat = model::loaded(model).templates.choose(/*with_tools=*/true);
  const auto encode = [&model](const std::string& text) {
    return model.encode(text, {.add_special = false, .parse_special = true});
  };
  for (const Tool& tool : tools) {
    std::optional<ToolTexts> texts;
    if (chat != nullptr) texts = tool_texts(*chat, tools, tool.name, prompt.template_arguments);
    if (!texts)
      throw InvalidRequest(
          "the model's chat template does not write calls of tools and their results as lanerope reads them; "
          "leave the tools out, or choose another chat template");
    made.forms[tool.name] = {
        .before = encode(texts->before), .between = encode(texts->between), .after = encode(texts->after)};
  }
  return made;
}

}  // namespace lanerope::engine
