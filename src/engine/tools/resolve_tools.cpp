// SPDX-License-Identifier: Apache-2.0
#include "engine/tools/resolve_tools.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/tools/tool_forms.h"
#include "lanerope/errors.h"
#include "lanerope/model.h"

namespace lanerope::engine {

namespace {

constexpr size_t longest_name = 64;
constexpr size_t most_tools = 128;
constexpr int32_t least_bytes = 16;
constexpr int32_t most_bytes = 1 << 20;

void require(bool good, const std::string& what) {
  if (!good) throw InvalidRequest(what);
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  });
}

void check(const LaneTools& tools) {
  require(tools.tools.size() <= most_tools, "lanes have at most " + std::to_string(most_tools) + " tools");
  std::set<std::string_view> names;
  for (const Tool& tool : tools.tools) {
    require(is_name(tool.name), "a tool's name must be 1 to " + std::to_string(longest_name) +
                                    " letters, digits, dots, dashes and underscores, not \"" + tool.name +
                                    "\"");
    require(names.insert(tool.name).second, "the tool " + tool.name + " is given twice; give it once");
    require(tool.run != nullptr, "the tool " + tool.name + " cannot be run: nothing says how");
    require(nlohmann::json::parse(tool.parameters, nullptr, false).is_object(),
            "the parameters of the tool " + tool.name + " must be a JSON schema, an object");
  }
  require(tools.most_calls >= 1, "a lane must be allowed at least one call of a tool");
  require(tools.timeout > 0, "the time-out of tools must be positive");
  require(tools.most_bytes >= least_bytes && tools.most_bytes <= most_bytes,
          "the bytes of a tool's result must be between " + std::to_string(least_bytes) + " and " +
              std::to_string(most_bytes));
}

// Why lanes of this request cannot be given text by tools; empty: they can.
std::string obstacle(const ResolvedRequest& resolved, const RequestDefaults& defaults) {
  const Request& request = resolved.asked;
  if (resolved.coupling.kind == CouplingKind::hogwild)
    return "lanes of the hogwild coupling cannot wait, so they cannot use tools; couple them otherwise";
  if (request.format.kind != FormatKind::any)
    return "lanes whose answers keep to a format cannot use tools; leave one of them out";
  if (request.thinking_budget.value_or(defaults.thinking_budget.value_or(-1)) >= 0)
    return "a thinking budget and tools that lanes use do not go together; leave one of them out";
  return "";
}

// The same for tools that are called in the model's own form.
std::string calls_obstacle(const Request& request, const Model& model) {
  if (request.prompt.messages.empty())
    return "tools are called in the form of the model's chat template: give messages instead of a text, or "
           "use notes alone";
  if (!request.prompt.tools.empty())
    return "the messages bring tools that the caller runs; leave those out, or the tools that lanes use";
  if (model.chat_style(/*with_tools=*/true).tools == ToolStyle::none)
    return "lanerope does not know how this model writes calls of tools, if it does; leave the tools out, or "
           "choose another chat template";
  return "";
}

}  // namespace

Prompt resolve_tools(ResolvedRequest& resolved, const Model& model, const RequestDefaults& defaults) {
  const Request& request = resolved.asked;
  resolved.tools = request.tools.value_or(defaults.tools);
  check(resolved.tools);
  const bool asked = request.tools.has_value();
  const auto leave_out = [&](const std::string& why) {
    if (asked) throw InvalidRequest(why);
    return true;
  };
  if (!resolved.tools.on()) return request.prompt;
  if (const std::string why = obstacle(resolved, defaults); !why.empty() && leave_out(why))
    resolved.tools = {};
  if (resolved.tools.tools.empty()) return request.prompt;
  if (const std::string why = calls_obstacle(request, model); !why.empty() && leave_out(why)) {
    resolved.tools.tools.clear();
    return request.prompt;
  }
  resolved.tool_forms =
      std::make_shared<const ToolForms>(tool_forms(model, resolved.tools.tools, request.prompt));
  Prompt prompt = request.prompt;
  prompt.tools = tools_json(resolved.tools.tools);
  return prompt;
}

}  // namespace lanerope::engine
