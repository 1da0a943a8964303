// SPDX-License-Identifier: Apache-2.0
#include "prompt.h"

#include <set>

namespace lanerope::python {

namespace {

// Takes a key out of a dict; null where it is not there or None.
nb::object take(nb::dict& from, const char* key) {
  if (!from.contains(key)) return {};
  nb::object value = from[key];
  nb::del(from[key]);
  return value.is_none() ? nb::object() : value;
}

std::string take_text(nb::dict& from, const char* key, const std::string& where) {
  const nb::object value = take(from, key);
  return value.is_valid() ? to_cpp<std::string>(where + key, value, "a str") : "";
}

std::string as_json(const nb::object& value) {
  if (nb::isinstance<nb::str>(value)) return nb::cast<std::string>(value);
  return nb::cast<std::string>(nb::module_::import_("json").attr("dumps")(value));
}

void refuse_rest(const nb::dict& rest, const std::string& where) {
  for (const auto& [key, value] : rest)
    throw InvalidRequest(where + " has a key that lanerope does not know: " + nb::str(key).c_str());
}

ToolCall to_call(const nb::dict& given) {
  nb::dict rest = copy_of(given);
  ToolCall call{.id = take_text(rest, "id", "a tool call's ")};
  const nb::object function = take(rest, "function");
  if (!function.is_valid() || !nb::isinstance<nb::dict>(function))
    throw InvalidRequest("a tool call needs \"function\", with a name and arguments");
  take(rest, "type");
  refuse_rest(rest, "a tool call");
  nb::dict inside = copy_of(nb::cast<nb::dict>(function));
  call.name = take_text(inside, "name", "a function's ");
  const nb::object arguments = take(inside, "arguments");
  if (arguments.is_valid()) call.arguments = as_json(arguments);
  refuse_rest(inside, "a tool call's function");
  return call;
}

void take_content(Message& message, const nb::object& content) {
  if (nb::isinstance<nb::str>(content)) {
    message.content = nb::cast<std::string>(content);
    return;
  }
  for (const nb::dict& part : to_cpp<std::vector<nb::dict>>("content", content, "a str or a list of parts")) {
    nb::dict rest = copy_of(part);
    message.parts.push_back(
        {.type = take_text(rest, "type", "a part's "), .text = take_text(rest, "text", "a part's ")});
    refuse_rest(rest, "a part of a message's content");
  }
}

Message to_message(nb::handle given) {
  nb::dict rest = copy_of(to_cpp<nb::dict>("a message", given, "a dict with role and content"));
  Message message{.role = take_text(rest, "role", "a message's ")};
  if (message.role.empty()) throw InvalidRequest("a message needs a role: system, user, assistant or tool");
  const nb::object content = take(rest, "content");
  if (content.is_valid()) take_content(message, content);
  message.reasoning = take_text(rest, "reasoning_content", "a message's ");
  message.name = take_text(rest, "name", "a message's ");
  message.tool_call_id = take_text(rest, "tool_call_id", "a message's ");
  const nb::object calls = take(rest, "tool_calls");
  if (calls.is_valid()) {
    for (const nb::dict& call : to_cpp<std::vector<nb::dict>>("tool_calls", calls, "a list of dicts"))
      message.tool_calls.push_back(to_call(call));
  }
  refuse_rest(rest, "a message");
  return message;
}

}  // namespace

std::vector<TokenId> to_tokens(std::string_view argument, nb::handle value) {
  // Whole numbers of NumPy's are none of Python's.
  nb::handle plain = value;
  nb::object listed;
  if (nb::hasattr(value, "tolist")) {
    listed = value.attr("tolist")();
    plain = listed;
  }
  if (nb::isinstance<nb::str>(plain))
    throw nb::type_error((std::string(argument) + " must be a list of token ids, not a str").c_str());
  return to_cpp<std::vector<TokenId>>(argument, plain, "a list or an array of token ids");
}

Prompt to_prompt(nb::handle given, nb::dict options) {
  Prompt prompt;
  const nb::object system = take(options, "system");
  const nb::object raw_option = take(options, "raw");
  const bool raw = raw_option.is_valid() && to_cpp<bool>("raw", raw_option, "a bool");
  if (raw && (system.is_valid() || !nb::isinstance<nb::str>(given)))
    throw InvalidRequest("raw goes with a prompt that is a text, without system");
  if (system.is_valid())
    prompt.messages.push_back({.role = "system", .content = to_cpp<std::string>("system", system, "a str")});
  if (raw) {
    prompt.text = nb::cast<std::string>(given);
  } else if (nb::isinstance<nb::str>(given)) {
    prompt.messages.push_back({.role = "user", .content = nb::cast<std::string>(given)});
  } else if (nb::isinstance<nb::sequence>(given) && nb::len(given) > 0 &&
             nb::isinstance<nb::dict>(given[0])) {
    for (const nb::handle message : given) prompt.messages.push_back(to_message(message));
  } else {
    if (system.is_valid()) throw InvalidRequest("system goes with a text or messages, not with token ids");
    prompt.tokens = to_tokens("the prompt", given);
    if (prompt.tokens.empty())
      throw InvalidRequest("the prompt is empty; give the lanes something to answer");
  }
  const nb::object tools = take(options, "tools");
  if (tools.is_valid()) prompt.tools = as_json(tools);
  const nb::object arguments = take(options, "template_arguments");
  if (arguments.is_valid()) prompt.template_arguments = as_json(arguments);
  const nb::object continues = take(options, "continue_last");
  prompt.continue_last = continues.is_valid() && to_cpp<bool>("continue_last", continues, "a bool");
  if (prompt.messages.empty() && (tools.is_valid() || arguments.is_valid() || prompt.continue_last))
    throw InvalidRequest(
        "tools, template_arguments and continue_last go with messages, not with raw text or token ids");
  return prompt;
}

}  // namespace lanerope::python
