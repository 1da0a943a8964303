// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope {

// Adds an option that takes one of the given words: they stand in its help as "a|b|c", from where shell
// completion reads them, and any other word is refused with their list.
CLI::Option* add_word_choice(CLI::App& app, const std::string& option, const std::vector<std::string>& words,
                             std::function<void(const std::string&)> accept);

// The same for an enum of the public interface, which has name() for its values.
template <typename Enum, typename Target>
CLI::Option* add_choice(CLI::App& app, const std::string& option, Target& target,
                        std::initializer_list<Enum> values) {
  std::vector<std::string> words;
  for (const Enum value : values) words.emplace_back(name(value));
  return add_word_choice(app, option, words,
                         [&target, list = std::vector<Enum>(values)](const std::string& word) {
                           for (const Enum value : list) {
                             if (name(value) == word) target = value;
                           }
                         });
}

}  // namespace lanerope
