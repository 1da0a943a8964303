// SPDX-License-Identifier: Apache-2.0
#include "engine/tools/words.h"

#include "lanerope/errors.h"

namespace lanerope::engine {

std::vector<std::string> split_words(std::string_view command) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = '\0';
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    const bool space = c == ' ' || c == '\t' || c == '\n';
    if (quote == '\0' && space) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      words.back() += command[++i];
    } else {
      words.back() += c;
    }
  }
  if (quote != '\0')
    throw InvalidRequest("a quote of the command \"" + std::string(command) + "\" is not closed");
  if (words.empty()) throw InvalidRequest("a command is empty; name a program");
  return words;
}

}  // namespace lanerope::engine
