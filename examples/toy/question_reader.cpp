// SPDX-License-Identifier: Apache-2.0
#include "toy/question_reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>

namespace lanerope::toy {

namespace {

// The sentences with the full stop or question mark cut off.
std::vector<std::string_view> sentences_of(std::string_view text) {
  std::vector<std::string_view> sentences;
  while (!text.empty()) {
    const size_t end = text.find_first_of(".?");
    if (end == std::string_view::npos) throw TraceFault("the question does not end with . or ?");
    sentences.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (text.empty()) break;
    if (text.front() != ' ') throw TraceFault("a sentence of the question starts without a space before it");
    text.remove_prefix(1);
  }
  return sentences;
}

std::vector<int64_t> numbers_of(std::string_view text) {
  std::vector<int64_t> numbers;
  for (const char* at = text.data(); at != text.data() + text.size();) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(at, text.data() + text.size(), number);
    const bool digit_first = std::isdigit(static_cast<unsigned char>(*at)) != 0;
    if (digit_first && error != std::errc()) throw TraceFault("a number of the question is too large");
    if (digit_first) numbers.push_back(number);
    at = digit_first ? end : at + 1;
  }
  return numbers;
}

bool has_word(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool starts = at == 0 || text[at - 1] == ' ';
    const size_t end = at + word.size();
    if (starts && (end == text.size() || text[end] == ' ')) return true;
  }
  return false;
}

// "28 boxes of 3 pens plus 26 loose pens".
ToldPart read_part(std::string_view text) {
  const std::vector<int64_t> numbers = numbers_of(text);
  if (numbers.size() < 2 || numbers.size() > 3) {
    throw TraceFault("the part '" + std::string(text) + "' has " + std::to_string(numbers.size()) +
                     " numbers in place of 2 or 3");
  }
  ToldPart part = {.factor = numbers[0], .other_factor = numbers[1]};
  if (numbers.size() == 2) return part;
  const bool adds = has_word(text, "plus") || has_word(text, "and");
  const bool removes =
      has_word(text, "minus") || has_word(text, "less") || has_word(text, "without") || has_word(text, "but");
  if (adds == removes) {
    throw TraceFault("the part '" + std::string(text) + "' does not say whether its last number is added");
  }
  (adds ? part.added : part.removed) = numbers[2];
  return part;
}

// Of "Shop 3".
int64_t read_label(std::string_view heading) {
  const std::vector<int64_t> numbers = numbers_of(heading);
  const size_t space = heading.rfind(' ');
  const bool number_last = !heading.empty() && std::isdigit(static_cast<unsigned char>(heading.back())) != 0;
  if (numbers.size() != 1 || space == std::string_view::npos || !number_last) {
    throw TraceFault("'" + std::string(heading) + "' is not a part's label");
  }
  return numbers[0];
}

}  // namespace

std::vector<ToldPart> read_question(std::string_view question) {
  const std::vector<std::string_view> sentences = sentences_of(question);
  if (sentences.size() < 3) throw TraceFault("the question has no parts");
  const std::vector<int64_t> announced = numbers_of(sentences.front());
  if (announced.size() != 1) throw TraceFault("the first sentence does not say how many parts there are");
  if (!numbers_of(sentences.back()).empty()) throw TraceFault("the last sentence holds a number");

  std::map<int64_t, ToldPart> parts;
  for (size_t i = 1; i + 1 < sentences.size(); ++i) {
    const size_t colon = sentences[i].find(": ");
    if (colon == std::string_view::npos) {
      throw TraceFault("the sentence '" + std::string(sentences[i]) + "' has no label");
    }
    const int64_t label = read_label(sentences[i].substr(0, colon));
    if (!parts.emplace(label, read_part(sentences[i].substr(colon + 2))).second) {
      throw TraceFault("the label " + std::to_string(label) + " is there twice");
    }
  }
  const auto n_parts = static_cast<int64_t>(parts.size());
  if (parts.begin()->first != 1 || parts.rbegin()->first != n_parts || announced.front() != n_parts) {
    throw TraceFault("the question announces " + std::to_string(announced.front()) + " parts and has " +
                     std::to_string(n_parts) + ", or their labels are not 1, 2, 3 ...");
  }
  std::vector<ToldPart> in_order;
  for (const auto& [label, part] : parts) in_order.push_back(part);
  return in_order;
}

}  // namespace lanerope::toy
