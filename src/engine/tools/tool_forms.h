// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lanerope/chat_style.h"
#include "lanerope/model.h"
#include "lanerope/resolve.h"
#include "lanerope/tool_calls.h"
#include "text/chat_template.h"

namespace lanerope::engine {

// What stands around the results of a tool, as the model's chat template writes them behind a call: up to
// where the assistant goes on.
struct ToolForm {
  std::vector<TokenId> before = {};
  std::vector<TokenId> between = {};  // two results that come together
  std::vector<TokenId> after = {};
};

// How the model calls the tools of a request, and how it is answered.
struct ToolForms {
  ToolStyle style = ToolStyle::none;
  ToolTable schemas = {};
  std::map<std::string, ToolForm, std::less<>> forms = {};  // by the tool's name

  // Of a tool that is not there, any of the others'.
  const ToolForm& form(std::string_view tool) const;
};

// The tools as a chat template takes them: OpenAI's array, as text.
std::string tools_json(std::span<const Tool> tools);

// The texts of a form, by a small conversation that the template renders. Nothing where it writes no calls
// that lanerope reads, or no results.
struct ToolTexts {
  std::string before = {};
  std::string between = {};
  std::string after = {};
};
std::optional<ToolTexts> tool_texts(const text::ChatTemplate& chat, std::span<const Tool> tools,
                                    const std::string& tool, std::string_view arguments = {});

// The forms of all of them. Throws InvalidRequest where the template writes no calls that
// lanerope reads, or no results.
ToolForms tool_forms(const Model& model, std::span<const Tool> tools, const Prompt& prompt);

}  // namespace lanerope::engine
