// SPDX-License-Identifier: Apache-2.0
// A policy as text: "prune:window=32,keep=3".
#include "lanerope/errors.h"
#include "lanerope/policy_choice.h"

namespace lanerope {

namespace {

constexpr std::string_view separators = ",;";

// The setting that `text` begins with, escapes taken out; `text` is left with what comes behind it.
std::string next_setting(std::string_view& text) {
  std::string setting;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (separators.find(c) != std::string_view::npos) break;
    if (c != '\\') {
      setting += c;
      continue;
    }
    const char escaped = text.empty() ? '\0' : text.front();
    if (escaped != '\\' && escaped != 'n' && separators.find(escaped) == std::string_view::npos)
      throw InvalidRequest(
          R"(a backslash in a policy stands before a comma, a semicolon, n or another backslash: write \\ for one)");
    setting += escaped == 'n' ? '\n' : escaped;
    text.remove_prefix(1);
  }
  return setting;
}

}  // namespace

PolicyChoice parse_policy(std::string_view text) {
  const size_t colon = text.find(':');
  PolicyChoice choice{.name = std::string(text.substr(0, colon))};
  if (choice.name.empty())
    throw InvalidRequest("\"" + std::string(text) + "\" is no policy; write its name, as in prune:window=32");
  std::string_view rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  while (!rest.empty()) {
    const std::string setting = next_setting(rest);
    const size_t equals = setting.find('=');
    if (equals == std::string::npos)
      throw InvalidRequest("\"" + setting + "\" of the policy " + choice.name +
                           " must have the form key=value");
    choice.settings.push_back({.name = setting.substr(0, equals), .value = setting.substr(equals + 1)});
  }
  return choice;
}

std::string to_text(const PolicyChoice& choice) {
  std::string text = choice.name;
  for (size_t i = 0; i < choice.settings.size(); ++i) {
    text += (i == 0 ? ":" : ",") + choice.settings[i].name + "=";
    for (const char c : choice.settings[i].value) {
      if (c == '\\' || separators.find(c) != std::string_view::npos) text += '\\';
      text += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
  }
  return text;
}

}  // namespace lanerope
