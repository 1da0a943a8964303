// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/names.h"

namespace lanerope::cli {

// Adds an option that takes one of the given words: they stand in its help as "a|b|c", from where shell
// completion reads them, and any other word is refused with their list.
CLI::Option* add_word_choice(CLI::App& app, const std::string& option, const std::vector<std::string>& words,
                             std::function<void(const std::string&)> accept);

// The enum that an option's target holds, itself or in an optional.
template <typename Target>
struct EnumOf {
  using Type = Target;
};
template <typename Enum>
struct EnumOf<std::optional<Enum>> {
  using Type = Enum;
};

// The same for an enum of the public interface: all of its names but those of `without`.
template <typename Target, typename Enum = typename EnumOf<Target>::Type>
CLI::Option* add_choice(CLI::App& app, const std::string& option, Target& target,
                        std::initializer_list<Enum> without = {}) {
  std::vector<std::string> words;
  for (const Named<Enum>& named : names<Enum>()) {
    if (std::find(without.begin(), without.end(), named.value) == without.end())
      words.emplace_back(named.name);
  }
  return add_word_choice(app, option, words, [&target](const std::string& word) {
    const Enum value = *parse<Enum>(word);
    target = value;
  });
}

}  // namespace lanerope::cli
