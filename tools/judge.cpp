// SPDX-License-Identifier: Apache-2.0
// judge: reads the answers of texts by the rules of lanerope, for programs that are not lanerope.
//
// Standard input: records of three fields, each ended by a NUL byte: "1" where the text came to its end (else
// "0"), the text, the true answer. Standard output: one line for each, "1" or "0" for right or wrong, a tab,
// and the answer that was found, line breaks as spaces; nothing behind the tab where there is none.
#include <algorithm>
#include <iostream>
#include <string>

#include "answers/equal.h"
#include "answers/extract.h"

int main() {
  std::ios::sync_with_stdio(false);
  std::string ended;
  std::string text;
  std::string truth;
  while (std::getline(std::cin, ended, '\0') && std::getline(std::cin, text, '\0') &&
         std::getline(std::cin, truth, '\0')) {
    const auto found = lanerope::answers::lane_answer(text, ended == "1");
    std::string answer = found ? found->text : std::string();
    const bool right = !answer.empty() && lanerope::answers::answers_equal(answer, truth);
    std::ranges::replace(answer, '\n', ' ');
    std::cout << (right ? '1' : '0') << '\t' << answer << '\n';
  }
}
