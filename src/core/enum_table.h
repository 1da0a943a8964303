// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lanerope::core {

// The one table of an enum's names: used to parse, to print and to list what is allowed.
template <typename Enum, size_t N>
struct EnumTable {
  struct Entry {
    Enum value;
    std::string_view name;
  };
  std::array<Entry, N> entries;

  constexpr std::string_view name(Enum value) const {
    for (const Entry& entry : entries) {
      if (entry.value == value) return entry.name;
    }
    return "?";
  }

  constexpr std::optional<Enum> parse(std::string_view text) const {
    for (const Entry& entry : entries) {
      if (entry.name == text) return entry.value;
    }
    return std::nullopt;
  }

  // "a, b or c", for messages.
  std::string allowed() const {
    std::string text;
    for (size_t i = 0; i < N; ++i) {
      if (i > 0) text += i + 1 == N ? " or " : ", ";
      text += entries[i].name;
    }
    return text;
  }
};

template <typename Enum, size_t N>
constexpr EnumTable<Enum, N> enum_table(const typename EnumTable<Enum, N>::Entry (&entries)[N]) {
  EnumTable<Enum, N> table{};
  for (size_t i = 0; i < N; ++i) table.entries[i] = entries[i];
  return table;
}

}  // namespace lanerope::core
