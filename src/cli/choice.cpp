// SPDX-License-Identifier: Apache-2.0
#include "cli/choice.h"

#include <algorithm>

namespace lanerope::cli {

CLI::Option* add_word_choice(CLI::App& app, const std::string& option, const std::vector<std::string>& words,
                             std::function<void(const std::string&)> accept) {
  const std::string label = option.substr(option.rfind(',') + 1);
  const auto take = [label, words, accept = std::move(accept)](const std::string& word) {
    if (std::find(words.begin(), words.end(), word) == words.end()) {
      throw CLI::ValidationError(label, "'" + word + "' is none of " + CLI::detail::join(words, ", "));
    }
    accept(word);
  };
  return app.add_option_function<std::string>(option, take)->type_name(CLI::detail::join(words, "|"));
}

}  // namespace lanerope::cli
