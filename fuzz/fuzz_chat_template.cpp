// SPDX-License-Identifier: Apache-2.0
// A template and a conversation, separated by zero bytes: template, chosen name, role, content, role,
// content, ... Whatever the template does, it ends, with a text or with one sentence.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/errors.h"
#include "text/builtin_templates.h"
#include "text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace lanerope;
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  const auto next = [&rest] {
    const std::string_view field = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(field.size() + 1, rest.size()));
    return std::string(field);
  };
  const std::string source = next();
  const auto builtin = text::builtin_template(next());
  std::vector<Message> messages;
  while (!rest.empty()) {
    const std::string role = next();
    messages.push_back({.role = role, .content = next()});
  }

  try {
    const text::ChatTemplate chat({.name = "fuzz", .jinja = builtin ? std::string(*builtin) : source},
                                  {.bos = "<s>", .eos = "</s>"});
    for (const text::RenderOptions options : {text::RenderOptions{},
                                              text::RenderOptions{.add_generation_prompt = false},
                                              {.continue_last = true}}) {
      (void)chat.render(messages, options);
    }
  } catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}
