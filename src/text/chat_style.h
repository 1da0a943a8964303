// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "lanerope/chat_style.h"

namespace lanerope::text {

// The style of a template in Jinja, told by the marks that it writes.
ChatStyle chat_style(std::string_view jinja);

// Where a prompt that the template wrote leaves the thinking.
Thinking thinking_behind(std::string_view prompt, const ThinkingMarks& marks);

}  // namespace lanerope::text
