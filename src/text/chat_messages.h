// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "lanerope/prompt.h"
#include "text/jinja_program.h"

namespace lanerope::text {

// The conversation as a template's variable `messages`, in the form that this template takes: a system
// message that it has no place for begins the next one, contents are texts or lists of parts, a call's
// arguments are objects or texts. Throws InvalidRequest, saying what to do, for what neither the template nor
// this can express: an empty conversation, an unknown role, an image, a call of a tool that the template
// cannot write.
nlohmann::ordered_json template_messages(std::span<const Message> messages, const JinjaProgram& program);

}  // namespace lanerope::text
