// SPDX-License-Identifier: Apache-2.0
#include "answers/frames.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "answers/characters.h"
#include "answers/choices.h"
#include "answers/last_expression.h"
#include "answers/reading.h"
#include "answers/spelling.h"
#include "answers/words.h"

namespace lanerope::answers {

namespace {

constexpr int most_tries = 8;  // frames that are looked at, from the last on

std::string_view stripped(std::string_view text, std::string_view characters) {
  while (!text.empty() && characters.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
  while (!text.empty() && characters.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  return text;
}

std::string_view without_ink(std::string_view text) {
  constexpr std::string_view ink = " \t\r\n*#:_>";
  return stripped(text, ink);
}

bool starts_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.starts_with(word); });
}

// The line at the front of a text, and the rest behind it.
struct Lines {
  std::string_view line;
  std::string_view rest;
  bool ended;
};

Lines first_line(std::string_view text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return {.line = text, .rest = {}, .ended = false};
  return {.line = text.substr(0, end), .rest = text.substr(end + 1), .ended = true};
}

// The next line with something on it; a formula that has lines of its own, as a whole.
Lines next_filled_line(std::string_view text) {
  Lines lines = first_line(text);
  while (without_ink(lines.line).empty() && lines.ended) lines = first_line(lines.rest);
  const std::string_view opening = stripped(lines.line, " \t\r");
  const std::string_view close = opening == "$$" ? "$$" : opening == "\\[" ? "\\]" : "";
  const size_t end = close.empty() ? std::string_view::npos : lines.rest.find(close);
  if (end == std::string_view::npos) return lines;
  return {.line = lines.rest.substr(0, end), .rest = lines.rest.substr(end + close.size()), .ended = true};
}

bool reads(std::string_view text) {
  return !text.empty() && (is_definite(text) || choice_of(text).has_value());
}

// Up to the end of the sentence, or to where it begins to explain.
std::string_view first_sentence(std::string_view text) {
  size_t end = text.size();
  for (const std::string_view stop : {". ", "。", "；", "; ", " because", " since ", ", since", ", because",
                                      ", which", " which ", ", as ", " when ", ", so ", " (", "？", "！"}) {
    end = std::min(end, text.find(stop, 1));
  }
  return stripped(text.substr(0, end), " .,*");
}

// The last formula in a sentence that is not a variable alone.
std::optional<std::string> answer_in(std::string_view content) {
  constexpr size_t longest_words = 48;
  content = without_ink(content);
  const std::string_view whole = stripped(content, " .*");
  if (whole.empty()) return std::nullopt;
  if (auto says = yes_or_no(whole)) return says;
  // "(D) because 4 > 3".
  const auto choice = choice_of(whole);
  if (choice && !choice->content.empty() && !is_definite(choice->content)) return choice->letters;
  const size_t bold_end = whole.find("**");
  if (bold_end != std::string_view::npos && reads(whole.substr(0, bold_end)))
    return std::string(whole.substr(0, bold_end));
  if (reads(whole)) return std::string(whole);
  const std::string_view sentence = first_sentence(content);
  if (reads(sentence)) return std::string(sentence);
  const std::string_view clause = stripped(sentence.substr(0, sentence.find(", ")), " *");
  if (reads(clause)) return std::string(clause);
  if (const size_t bold = sentence.find("**"); bold != std::string_view::npos) {
    const std::string_view rest = sentence.substr(bold + 2);
    const std::string_view inner = rest.substr(0, rest.find("**"));
    if (reads(inner)) return std::string(inner);
  }
  if (auto number = last_number(sentence)) return number;
  if (auto number = last_number(content)) return number;
  const bool short_words = sentence.size() <= longest_words && !folded_words(spelled(sentence)).empty();
  return short_words ? std::optional(std::string(sentence)) : std::nullopt;
}

bool is_answer_heading(std::string_view line) {
  constexpr std::array<std::string_view, 10> headings = {
      "final answer", "answer", "the final answer", "the answer", "solution", "result",
      "conclusion",   "答案",   "最终答案",         "最后答案"};
  return std::ranges::find(headings, lower(without_ink(line))) != headings.end();
}

struct Frame {
  size_t behind;  // what comes next is the answer, once "is" and its like are skipped
  bool strong;    // nobody writes it in passing
};

// The frame whose key word stands at `at`.
Frame frame_at(std::string_view text, size_t at, std::string_view key) {
  const size_t line = text.rfind('\n', at) == std::string_view::npos ? 0 : text.rfind('\n', at) + 1;
  const std::string before = lower(without_ink(text.substr(line, at - line)));
  constexpr size_t longest_opening = 24;
  const bool opens_line = before.size() <= longest_opening;
  const bool final = before.ends_with("final");
  const bool foreign = (key.front() & 0x80) != 0;
  return {.behind = at + key.size(), .strong = opens_line || final || foreign};
}

// Where the answer begins behind "answer": past "is", ":" or "=". npos where the word says nothing of the
// kind.
size_t content_begin(std::string_view text, size_t at) {
  constexpr size_t farthest = 90;
  size_t begin = at;
  if (text.substr(begin).starts_with('s')) ++begin;
  std::string_view rest = text.substr(begin, farthest);
  rest = rest.substr(0, rest.find_first_of(".!?"));
  const size_t line_end = rest.find('\n');
  const std::string_view line = rest.substr(0, line_end);
  size_t found = std::string_view::npos;
  for (const std::string_view word : {" is:", " is", " are:", " are", ":", "：", "=", "是：", "是:", "是",
                                      "为：", "为:", "为", "】", "选"}) {
    const size_t position = line.find(word);
    if (position == std::string_view::npos || position > found) continue;
    // "Answer: 5", not "to answer the question: first".
    const std::string_view between = without_ink(line.substr(0, position));
    const bool colon = word == ":" || word == "=" || word == "：";
    if (colon && !between.empty() && !between.starts_with('(')) continue;
    const size_t behind = position + word.size();
    const bool part_of_word =
        word.back() == 's' || word.back() == 'e'
            ? behind < line.size() && std::isalpha(static_cast<unsigned char>(line[behind])) != 0
            : false;
    if (part_of_word) continue;
    if (found == std::string_view::npos || position < found) found = position;
  }
  if (found == std::string_view::npos) {
    // A heading alone on its line.
    return line_end != std::string_view::npos && without_ink(line).empty() ? begin + line_end
                                                                           : std::string_view::npos;
  }
  size_t end = begin + found;
  while (end < text.size()) {
    const std::string_view here = text.substr(end);
    size_t length = 0;
    for (const std::string_view word : {" is", " are", ":", "：", "=", "是", "为", "】", "选", " ", "*"}) {
      if (here.starts_with(word)) length = std::max(length, word.size());
    }
    const bool word_goes_on = length > 1 && here[length - 1] != ' ' && (here.front() == ' ') &&
                              length < here.size() &&
                              std::isalpha(static_cast<unsigned char>(here[length])) != 0;
    if (word_goes_on) length = 1;
    if (length == 0) break;
    end += length;
  }
  return end;
}

std::optional<Framed> answer_of_frame(std::string_view text, const Frame& frame, bool needs_verb) {
  const size_t begin = needs_verb ? content_begin(text, frame.behind) : frame.behind;
  if (begin == std::string_view::npos || begin > text.size()) return std::nullopt;
  std::string_view rest = text.substr(begin);
  Lines lines = first_line(rest);
  if (without_ink(lines.line).empty() || stripped(lines.line, " ") == "$$" ||
      stripped(lines.line, " ") == "\\[")
    lines = next_filled_line(rest);
  const std::string_view content = without_ink(lines.line);
  if (starts_any(lower(content), {"not ", "unknown", "unclear", "wrong", "correct", "in the form", "to "}))
    return std::nullopt;
  auto answer = answer_in(content);
  if (!answer) return std::nullopt;
  return Framed{.answer = std::move(*answer), .complete = frame.strong && lines.ended};
}

struct Key {
  std::string_view word;
  bool needs_verb;  // whether "is" or a colon must follow
};

struct FoundKey {
  size_t at;
  const Key* key;
};

// The last key that ends before `before`; one pass, as a lane that still writes is asked at each step.
std::optional<FoundKey> last_key(std::string_view text, size_t before) {
  static constexpr std::array keys = {Key{"answer", true},  Key{"Answer", true},     Key{"ANSWER", true},
                                      Key{"答案", true},    Key{"故选", false},      Key{"应选", false},
                                      Key{"所以选", false}, Key{"因此选", false},    Key{"选项是", false},
                                      Key{"选项为", false}, Key{"option is", false}, Key{"choice is", false}};
  static constexpr auto begins_key = [] {
    std::array<bool, 256> begins{};
    for (const Key& key : keys) begins[static_cast<unsigned char>(key.word.front())] = true;
    return begins;
  }();
  for (size_t at = before; at-- > 0;) {
    if (!begins_key[static_cast<unsigned char>(text[at])]) continue;
    const std::string_view here = text.substr(at, before - at);
    for (const Key& key : keys) {
      if (here.starts_with(key.word)) return FoundKey{.at = at, .key = &key};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Framed> marked_answer(std::string_view text) {
  constexpr std::string_view mark = "####";
  size_t at = text.rfind(mark);
  for (int tries = 0; at != std::string_view::npos && tries < most_tries; ++tries) {
    Lines lines = first_line(text.substr(at + mark.size()));
    const bool heading = is_answer_heading(lines.line);
    if (heading) lines = next_filled_line(lines.rest);
    std::string_view content = without_ink(lines.line);
    const bool last = without_ink(lines.rest).empty();
    const bool sentence = heading || (last && content.find_first_of("0123456789") != std::string_view::npos);
    if (const auto framed = framed_answer(content))
      return Framed{.answer = framed->answer, .complete = lines.ended};
    if (sentence && !reads(content)) {
      if (auto answer = answer_in(content))
        return Framed{.answer = std::move(*answer), .complete = lines.ended};
    }
    // A heading in mid-text is no answer; words are one only where nothing follows.
    if (!content.empty() && (last || reads(content) || yes_or_no(content)))
      return Framed{.answer = std::string(content), .complete = lines.ended};
    at = at > 0 ? text.rfind(mark, at - 1) : std::string_view::npos;
  }
  return std::nullopt;
}

std::optional<Framed> last_line_mark(std::string_view text) {
  constexpr std::string_view mark = "####";
  const size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view whole = text.substr(0, end + 1);
  const std::string_view line = whole.substr(whole.rfind('\n') + 1);
  if (!line.starts_with(mark) || !reads(without_ink(line.substr(mark.size())))) return std::nullopt;
  return Framed{.answer = std::string(without_ink(line.substr(mark.size()))),
                .complete = text.find('\n', end) != std::string_view::npos};
}

std::optional<Framed> framed_answer(std::string_view text) {
  size_t before = text.size();
  for (int tries = 0; tries < most_tries; ++tries) {
    const auto found = last_key(text, before);
    if (!found) return std::nullopt;
    if (auto framed =
            answer_of_frame(text, frame_at(text, found->at, found->key->word), found->key->needs_verb))
      return framed;
    before = found->at;
  }
  return std::nullopt;
}

}  // namespace lanerope::answers
