// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::text {

// What a template does with a conversation, found out by rendering some.
struct TemplateCapabilities {
  bool system_role = true;
  bool tools = true;
  bool tool_calls = true;
  bool parallel_tool_calls = true;
  bool string_content = true;     // a message's content may be a text
  bool typed_content = false;     // ... or a list of parts
  bool object_arguments = false;  // a call's arguments are an object, and no text
};

// A template in Jinja, as transformers sets Jinja2 up: trimmed blocks, loop controls, raise_exception,
// strftime_now, its own tojson. Run by llama.cpp's engine, with limits on steps, bytes and the depth of
// nests. Immutable; all members may be called from any thread.
class JinjaProgram {
 public:
  // Throws BadFile for what is no template, or one of more than 512 KiB.
  explicit JinjaProgram(std::string_view source);

  const TemplateCapabilities& capabilities() const;
  // Whether a variable or an attribute of this name is in the template.
  bool mentions(std::string_view name) const;
  // Whether its source contains this text.
  bool contains(std::string_view text) const;

  struct Rendering {
    std::string text;
    std::vector<size_t> unread;  // members of `messages` whose "content" the template did not look at
    int64_t steps = 0;           // what it took, of the limits in text/render_budget.h
    int64_t bytes = 0;
  };
  // `variables` is an object; strings in it may be any bytes. `now` is the time for strftime_now. Throws
  // InvalidRequest with the template's own sentence where it raises one, and with ours where it fails or is
  // cut off.
  Rendering render(const nlohmann::ordered_json& variables, std::optional<std::time_t> now = {}) const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

}  // namespace lanerope::text
