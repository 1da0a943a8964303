// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "cli/output.h"
#include "cli/summary.h"
#include "cli/view.h"

namespace lanerope::cli {

namespace {

// Lines "[2] text", each written when its line or sentence ends, so that lanes do not cut into one another's
// words. A second stage is "[then]". One lane alone is streamed as it comes, without a number.
class PlainView : public View {
 public:
  explicit PlainView(const ViewContext& context) : context_(context), pending_(context.lanes) {}

  void show(const Event& event) override {
    if (event.kind == EventKind::group_finished) {
      finish(*event.result);
      return;
    }
    if (event.kind == EventKind::policy) {
      if (!alone()) write("(" + act_text(*event.act) + ")\n");
      return;
    }
    if (event.lane < 0) return;
    if (event.second_stage) then_lane_ = event.lane;
    if (alone()) {
      write(pending_[0] + event.text);
      pending_[0].clear();
      return;
    }
    if (static_cast<size_t>(event.lane) >= pending_.size()) pending_.resize(event.lane + 1);
    std::string& text = pending_[event.lane];
    text += event.text;
    for (size_t end = 0; (end = sentence_end(text)) != 0; text.erase(0, end))
      write_line(event.lane, text.substr(0, end));
    if (event.kind == EventKind::lane_finished) {
      write_line(event.lane, text);
      text.clear();
      write(label(event.lane) + " (" + finish_text(event.finish) + ")\n");
    }
  }

 private:
  // Where the first finished line or sentence ends; 0 if none does. A sentence ends with a space behind its
  // mark, so that "3.14" stays whole.
  static size_t sentence_end(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') return i + 1;
      const bool mark = text[i] == '.' || text[i] == '!' || text[i] == '?';
      if (mark && i + 1 < text.size() && text[i + 1] == ' ') return i + 2;
    }
    return 0;
  }

  void write_line(int32_t lane, std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    if (!text.empty()) write(label(lane) + " " + std::string(text) + "\n");
  }

  void finish(const GroupResult& result) {
    if (alone()) {
      write("\n");
    } else {
      write("\n== " + selection_text(result, context_) + "\n");
      if (result.selected >= 0) write(result.lanes[result.selected].text + "\n");
    }
    if (!result.note.empty()) print_note("lanerope: " + result.note);
    print_note(timing_text(result, context_));
  }

  void write(const std::string& text) const { print_out(terminal_ ? without_controls(text) : text); }

  bool alone() const { return context_.lanes == 1 && context_.then_budget == 0; }
  std::string label(int32_t lane) const {
    return lane == then_lane_ ? "[then]" : "[" + std::to_string(lane + 1) + "]";
  }

  ViewContext context_;
  int32_t then_lane_ = -1;
  std::vector<std::string> pending_;  // per lane, not written yet
  bool terminal_ = output_is_terminal();
};

}  // namespace

std::unique_ptr<View> make_plain_view(const ViewContext& context) {
  return std::make_unique<PlainView>(context);
}

}  // namespace lanerope::cli
