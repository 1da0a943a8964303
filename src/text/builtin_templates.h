// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::text {

// Templates for models whose files have none, in Jinja, by names that llama.cpp knows as well. They write
// plain conversations, without tools.
std::optional<std::string_view> builtin_template(std::string_view name);
std::vector<std::string> builtin_template_names();
std::string allowed_builtin_templates();  // "chatml, llama3, ...", for messages

}  // namespace lanerope::text
