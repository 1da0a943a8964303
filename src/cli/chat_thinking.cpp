// SPDX-License-Identifier: Apache-2.0
#include "cli/chat_thinking.h"

#include <algorithm>
#include <utility>

namespace lanerope::cli {

namespace {

std::string_view behind_space(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

}  // namespace

ChatThinking ChatThinking::of(const ThinkingMarks& marks, Thinking thinking) {
  if (marks.begin.empty()) return {.marks = {.begin = "<think>", .end = "</think>"}};
  return {.marks = marks, .opened = thinking == Thinking::opened};
}

std::string said(std::string_view text, const ChatThinking& thinking) {
  const ThinkingMarks& marks = thinking.marks;
  constexpr size_t none = std::string_view::npos;
  if (const size_t at = marks.answer.empty() ? none : text.find(marks.answer); at != none) {
    const std::string_view rest = text.substr(at + marks.answer.size());
    return std::string(behind_space(rest.substr(0, rest.find(marks.end))));
  }
  const size_t end = text.find(marks.end);
  const bool thinks = thinking.opened || behind_space(text).starts_with(marks.begin);
  if (end == none) return thinks ? std::string() : std::string(text);
  // Behind the thinking comes more of it, up to the mark of the answer.
  if (!marks.answer.empty()) return {};
  return std::string(behind_space(text.substr(end + marks.end.size())));
}

std::string ReadableText::push(std::string_view text) {
  held_ += text;
  std::string shown;
  for (Found found = first_mark(); !found.mark.empty(); found = first_mark()) {
    shown += held_.substr(0, found.at) + in_place_of(found.mark);
    held_.erase(0, found.at + found.mark.size());
  }
  const size_t ready = held_.size() - begun();
  shown += held_.substr(0, ready);
  held_.erase(0, ready);
  return shown;
}

std::string ReadableText::finish() {
  return std::exchange(held_, {});
}

std::array<std::string_view, 4> ReadableText::marks() const {
  return {marks_.begin, marks_.end, marks_.message, marks_.answer};
}

ReadableText::Found ReadableText::first_mark() const {
  Found first;
  for (const std::string_view mark : marks()) {
    const size_t at = mark.empty() ? std::string::npos : held_.find(mark);
    if (at < first.at) first = {.at = at, .mark = mark};
  }
  return first;
}

size_t ReadableText::begun() const {
  size_t longest = 0;
  for (const std::string_view mark : marks()) {
    for (size_t length = 1; length < mark.size() && length <= held_.size(); ++length) {
      if (held_.ends_with(mark.substr(0, length))) longest = std::max(longest, length);
    }
  }
  return longest;
}

std::string ReadableText::in_place_of(std::string_view mark) {
  const bool opens = mark == marks_.begin;
  const bool closes = thinks_ && (mark == marks_.end || mark == marks_.answer);
  if (opens || closes) thinks_ = opens;
  return opens ? "<think>" : closes ? "</think>\n\n" : "";
}

ReadableView::ReadableView(std::unique_ptr<View> view, ChatThinking thinking)
    : view_(std::move(view)), thinking_(std::move(thinking)) {}

void ReadableView::show(const Event& event) {
  Event shown = event;
  if (event.lane >= 0) shown.text = text_of(event);
  if (event.result) {
    auto result = std::make_shared<GroupResult>(*event.result);
    for (LaneResult& lane : result->lanes) {
      ReadableText text(thinking_);
      lane.text = text.push(lane.text);
      lane.text += text.finish();
    }
    shown.result = std::move(result);
  }
  view_->show(shown);
}

std::string ReadableView::text_of(const Event& event) {
  ReadableText& lane = lanes_.try_emplace(event.lane, thinking_).first->second;
  std::string text = lane.push(event.text);
  if (event.kind == EventKind::lane_finished) text += lane.finish();
  return text;
}

}  // namespace lanerope::cli
