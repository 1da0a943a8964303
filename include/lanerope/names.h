// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lanerope {

// A value of an enum and the name that the command line, the API and files have for it.
template <typename Enum>
struct Named {
  Enum value;
  std::string_view name;
};

// The one list of an enum's names, in the order in which they are shown: parsed, printed, validated,
// completed and documented from here. Each enum that has names declares its specialisation beside itself.
template <typename Enum>
std::span<const Named<Enum>> names();

// The name of a value, "?" for one that is not in the list.
template <typename Enum>
std::string_view name(Enum value) {
  for (const Named<Enum>& named : names<Enum>()) {
    if (named.value == value) return named.name;
  }
  return "?";
}

// The value of a name; nothing for an unknown one.
template <typename Enum>
std::optional<Enum> parse(std::string_view text) {
  for (const Named<Enum>& named : names<Enum>()) {
    if (named.name == text) return named.value;
  }
  return std::nullopt;
}

// "a, b or c", for messages.
template <typename Enum>
std::string list_names() {
  const auto all = names<Enum>();
  std::string text;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i > 0) text += i + 1 == all.size() ? " or " : ", ";
    text += all[i].name;
  }
  return text;
}

}  // namespace lanerope
