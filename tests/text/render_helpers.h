// SPDX-License-Identifier: Apache-2.0
// What tests of chat templates render, and how a refusal reads.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/refusal.h"
#include "text/builtin_templates.h"
#include "text/chat_template.h"

namespace lanerope::text {

inline const std::vector<Message> conversation = {
    {.role = "system", .content = "Be brief."},
    {.role = "user", .content = "Hello"},
    {.role = "assistant", .content = " Hi there "},
    {.role = "user", .content = "Who are you?"},
};

inline const std::vector<Message> question = {{.role = "user", .content = "1+1?"}};

inline ChatTemplate of(const std::string& jinja, TemplateTokens tokens = {}) {
  return ChatTemplate({.name = "test", .jinja = jinja}, std::move(tokens));
}

inline ChatTemplate builtin(const std::string& name) {
  return of(std::string(builtin_template(name).value()));
}

inline std::string refused(const ChatTemplate& chat, const std::vector<Message>& messages,
                           const RenderOptions& options = {}) {
  return support::refusal([&] { chat.render(messages, options); });
}

}  // namespace lanerope::text
