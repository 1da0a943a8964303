// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "answers/extract.h"
#include "lanerope/chat_style.h"
#include "lanerope/prompt.h"

namespace lanerope::engine {

// The answer of a lane that has ended with calls of the tools that its prompt offers: "name(arguments)" of
// each, in their order, arguments spelled without spaces and with their members in the order of their names,
// so that equal calls are equal votes. Nothing where it called none.
std::optional<answers::Answer> called_answer(const Prompt& prompt, ToolStyle style, std::string_view text);

}  // namespace lanerope::engine
