// SPDX-License-Identifier: Apache-2.0
#include "answers/boxes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "answers/characters.h"

namespace lanerope::answers {

namespace {

struct Box {
  size_t begin;  // of the command
  size_t end;    // behind it all
  std::string_view content;
};

// What an instruction has in its box, or a model that has no answer.
bool is_placeholder(std::string_view content) {
  constexpr std::array<std::string_view, 10> placeholders = {
      "", "...", "\\ldots", "\\cdots", "\\dots", "answer", "\\text{answer}", "your answer", "final answer",
      "?"};
  std::string low = lower(trimmed(content));
  while (low.starts_with('$') || low.starts_with('{')) low.erase(0, 1);
  while (low.ends_with('$') || low.ends_with('}')) {
    if (low.ends_with("\\text{answer}")) break;
    low.pop_back();
  }
  return std::ranges::find(placeholders, low) != placeholders.end();
}

// The length of "\boxed" or "\fbox" at the front of a text; 0 where there is none.
size_t command_length(std::string_view text) {
  for (const std::string_view command : {"\\boxed", "\\fbox"}) {
    if (text.starts_with(command)) return command.size();
  }
  return 0;
}

// All closed boxes, by where they end; one pass, whatever is open.
std::vector<Box> boxes_in(std::string_view text) {
  struct Open {
    size_t box;  // where its command begins; npos for any other brace
    size_t content;
  };
  std::vector<Box> boxes;
  std::vector<Open> open;
  for (size_t at = text.find_first_of("\\{"); at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\') {
      const size_t length = command_length(text.substr(at));
      if (length == 0) {
        ++at;  // an escaped brace opens nothing
        continue;
      }
      const size_t behind = at + length;
      const size_t content = std::min(text.find_first_not_of(' ', behind), text.size());
      if (content < text.size() && text[content] == '{') {
        open.push_back({.box = at, .content = content + 1});
        at = content;
      } else if (content > behind) {
        // "\boxed 5 " ends at the next space, once that is there.
        const size_t end = text.find_first_of(" $\n", content);
        if (end != std::string_view::npos)
          boxes.push_back({.begin = at, .end = end, .content = text.substr(content, end - content)});
        at = behind;
      }
    } else if (c == '{') {
      open.push_back({.box = std::string_view::npos, .content = at + 1});
    } else if (c == '}' && !open.empty()) {
      const Open opened = open.back();
      open.pop_back();
      if (opened.box != std::string_view::npos)
        boxes.push_back({.begin = opened.box,
                         .end = at + 1,
                         .content = text.substr(opened.content, at - opened.content)});
    }
  }
  return boxes;
}

// "y = " right before a box.
std::string_view name_before(std::string_view text) {
  constexpr size_t longest = 16;
  text = text.substr(text.size() - std::min(text.size(), longest));
  while (!text.empty() && (is_space(text.back()) || text.back() == '$' || text.back() == '&'))
    text.remove_suffix(1);
  if (!text.ends_with('=')) return {};
  const size_t end = text.size() - 1;
  size_t begin = std::min(text.find_last_not_of(' ', end > 0 ? end - 1 : 0), end) + 1;
  const size_t name_end = begin;
  while (begin > 0 &&
         (std::isalnum(static_cast<unsigned char>(text[begin - 1])) != 0 || text[begin - 1] == '_'))
    --begin;
  return text.substr(begin, name_end - begin);
}

// Whether what stands between two boxes joins them to one answer.
bool joins(std::string_view between) {
  constexpr size_t longest = 48;
  if (between.size() > longest) return false;
  const std::string_view name = name_before(between);
  if (!name.empty()) between = between.substr(0, between.rfind(name));
  bool joined = false;
  while (!between.empty()) {
    size_t length = 0;
    for (const std::string_view separator :
         {",", ";", "and", "or", "和", "或", "、", "，", "\\text{ and }", "\\text{and}"}) {
      if (between.starts_with(separator)) length = separator.size();
    }
    joined = joined || length > 0;
    for (const std::string_view ink : {" ", "$", "\\(", "\\)", "\\quad", "\\ ", "\n"}) {
      if (length == 0 && between.starts_with(ink)) length = ink.size();
    }
    if (length == 0) return false;
    between.remove_prefix(length);
  }
  return joined;
}

}  // namespace

std::optional<std::string> boxed_answer(std::string_view text) {
  if (text.find("box") == std::string_view::npos) return std::nullopt;
  std::vector<Box> boxes = boxes_in(text);
  std::erase_if(boxes, [](const Box& box) { return is_placeholder(box.content); });
  if (boxes.empty()) return std::nullopt;
  size_t first = boxes.size() - 1;
  if (auto inner = boxed_answer(boxes[first].content)) return inner;
  while (first > 0 && boxes[first].begin >= boxes[first - 1].end &&
         joins(text.substr(boxes[first - 1].end, boxes[first].begin - boxes[first - 1].end)))
    --first;
  const bool named = first + 1 < boxes.size() && !name_before(text.substr(0, boxes.back().begin)).empty();
  std::string answer;
  for (size_t i = first; i < boxes.size(); ++i) {
    const std::string_view content = trimmed(boxes[i].content);
    const bool again = i > first && content == trimmed(boxes[i - 1].content) && !named;
    if (again) continue;
    if (!answer.empty()) answer += ", ";
    const std::string_view name = named ? name_before(text.substr(0, boxes[i].begin)) : std::string_view();
    if (!name.empty()) answer += std::string(name) + " = ";
    answer += content;
  }
  return answer;
}

}  // namespace lanerope::answers
