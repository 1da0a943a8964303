// SPDX-License-Identifier: Apache-2.0
// A template and a conversation, separated by zero bytes: template, chosen name, role, content, role,
// content, ...
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/errors.h"
#include "text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace lanerope;
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  const auto next = [&rest] {
    const std::string_view field = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(field.size() + 1, rest.size()));
    return field;
  };
  const std::string_view source = next();
  const std::string_view chosen = next();
  std::vector<text::ChatMessage> messages;
  while (!rest.empty()) {
    const std::string_view role = next();
    messages.push_back({.role = role, .content = next()});
  }

  try {
    const text::ChatFormat format = text::chat_format(source, chosen);
    for (const text::RenderOptions options :
         {text::RenderOptions{}, text::RenderOptions{.add_generation_prompt = false, .think = false}}) {
      const std::string text = text::render(format, messages, options);
      for (const text::ChatMessage& message : messages) {
        // Llama 3 trims.
        const bool verbatim = message.role == "user" && format.kind != text::ChatTemplate::llama3;
        if (verbatim && text.find(message.content) == std::string::npos) std::abort();
      }
    }
  } catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}
