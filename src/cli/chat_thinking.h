// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "cli/view.h"
#include "lanerope/chat_style.h"
#include "lanerope/result.h"

namespace lanerope::cli {

// How a chat takes what a lane thinks: between which marks, and whether the prompt opened it.
struct ChatThinking {
  ThinkingMarks marks = {};
  bool opened = false;

  // A model may think though its template does not say so.
  static ChatThinking of(const ThinkingMarks& marks, Thinking thinking);
};

// What a lane said behind what it thought; empty where it has not come to that.
std::string said(std::string_view text, const ChatThinking& thinking);

// A lane's text with marks that a person can read, <think> and </think>, in place of the model's. Takes it in
// pieces: what could be the beginning of a mark is held back until it is known to be one or not.
class ReadableText {
 public:
  explicit ReadableText(const ChatThinking& thinking) : marks_(thinking.marks), thinks_(thinking.opened) {}

  std::string push(std::string_view text);
  std::string finish();  // what was held back

 private:
  struct Found {
    size_t at = std::string::npos;
    std::string_view mark = {};
  };
  std::array<std::string_view, 4> marks() const;
  Found first_mark() const;
  size_t begun() const;  // the length of the longest end of the text that is a beginning of a mark
  std::string in_place_of(std::string_view mark);

  ThinkingMarks marks_;
  bool thinks_;
  std::string held_;
};

// Shows a group whose lanes write marks of their model's own.
class ReadableView : public View {
 public:
  ReadableView(std::unique_ptr<View> view, ChatThinking thinking);

  void show(const Event& event) override;
  void between_steps() override { view_->between_steps(); }

 private:
  std::string text_of(const Event& event);

  std::unique_ptr<View> view_;
  ChatThinking thinking_;
  std::map<int32_t, ReadableText> lanes_;
};

}  // namespace lanerope::cli
