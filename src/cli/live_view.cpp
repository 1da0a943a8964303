// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ftxui/dom/elements.hpp>
#include <ftxui/screen/screen.hpp>
#include <ftxui/screen/terminal.hpp>

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/summary.h"
#include "cli/view.h"
#include "cli/wrap.h"

namespace lanerope::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int narrowest_column = 28;
constexpr int lowest_box = 5;  // borders, title, bar and a line of text
constexpr int final_text_lines = 8;
constexpr auto frame_time = std::chrono::milliseconds(60);
constexpr std::string_view enter_terminal = "\033[?1049h\033[?25l\033[2J";
constexpr std::string_view leave_terminal = "\033[?25h\033[?1049l";

struct LaneState {
  std::string text;
  int32_t tokens = 0;
  int32_t generated = 0;
  bool asleep = false;
  bool second_stage = false;
  FinishReason finish = FinishReason::none;
  Clock::time_point start = {};
  Clock::time_point end = {};
};

ftxui::Color lane_color(size_t lane) {
  static const ftxui::Color colors[] = {
      ftxui::Color::Cyan,      ftxui::Color::Yellow,   ftxui::Color::Green,     ftxui::Color::Magenta,
      ftxui::Color::BlueLight, ftxui::Color::RedLight, ftxui::Color::GrayLight, ftxui::Color::YellowLight};
  return colors[lane % std::size(colors)];
}

std::string rate_text(const LaneState& lane) {
  const Clock::time_point end = lane.finish == FinishReason::none ? Clock::now() : lane.end;
  const double seconds = std::chrono::duration<double>(end - lane.start).count();
  if (lane.generated == 0 || seconds <= 0) return {};
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f/s", lane.generated / seconds);
  return buffer;
}

std::string_view without_leading_space(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \n"), text.size()));
}

// How the boxes of the lanes share a width and a height.
struct Grid {
  int columns = 1;
  int rows = 1;
  int width = 0;   // of a box
  int height = 0;  // of a box
  size_t shown = 0;
};

Grid make_grid(size_t lanes, ftxui::Dimensions area) {
  Grid grid;
  const int count = static_cast<int>(lanes);
  const int most_columns = std::clamp(area.dimx / narrowest_column, 1, std::max(count, 1));
  grid.rows = (count + most_columns - 1) / most_columns;
  grid.rows = std::clamp(grid.rows, 1, std::max(1, area.dimy / lowest_box));
  // Even rows: 6 lanes on 4 columns become 3 and 3.
  grid.columns = std::min(most_columns, (count + grid.rows - 1) / grid.rows);
  grid.width = area.dimx / std::max(grid.columns, 1);
  grid.height = std::max(area.dimy / grid.rows, lowest_box);
  grid.shown = std::min(lanes, static_cast<size_t>(grid.columns) * grid.rows);
  return grid;
}

// Draws on the terminal's alternate screen while the group runs. At the end the last picture and the whole
// answer are written to the ordinary screen, where they stay.
class LiveView : public View {
 public:
  explicit LiveView(const ViewContext& context) : context_(context), lanes_(context.lanes) {
    InterruptGuard::restore_with(leave_terminal);
    print_out(enter_terminal);
    active_ = true;
    draw();
  }

  ~LiveView() override { leave(); }

  void show(const Event& event) override {
    if (event.kind == EventKind::prefill) prompt_read_ = true;
    if (event.kind == EventKind::policy)
      last_act_ = act_text(*event.act);
    else if (event.lane >= 0)
      update(event);
    if (event.kind == EventKind::group_finished) finish(*event.result);
  }

  void between_steps() override {
    if (active_ && Clock::now() - drawn_ >= frame_time) draw();
  }

 private:
  void update(const Event& event) {
    if (static_cast<size_t>(event.lane) >= lanes_.size()) lanes_.resize(event.lane + 1);
    LaneState& lane = lanes_[event.lane];
    lane.text += event.text;
    if (event.kind == EventKind::lane_started) lane.start = Clock::now();
    if (event.second_stage) lane.second_stage = true;
    if (event.kind == EventKind::lane_slept) lane.asleep = true;
    if (event.kind == EventKind::lane_woke) lane.asleep = false;
    if (event.kind == EventKind::lane_finished) {
      lane.finish = event.finish;
      lane.end = Clock::now();
    }
    if (event.kind != EventKind::token) return;
    ++lane.tokens;
    if (!event.forced) ++lane.generated;
    clock_ = std::max(clock_, event.step);
  }

  std::string title(size_t k) const {
    const bool won = result_ != nullptr && result_->selected == static_cast<int32_t>(k);
    const std::string name = lanes_[k].second_stage ? "second stage" : "lane " + std::to_string(k + 1);
    return (won ? "★ " : "") + name;
  }

  ftxui::Element box(size_t k, const Grid& grid) const {
    using namespace ftxui;
    const LaneState& lane = lanes_[k];
    const int inner = grid.width - 4;
    const Color color_of_lane = lane_color(k);
    const bool won = result_ != nullptr && result_->selected == static_cast<int32_t>(k);
    const bool ended = lane.finish != FinishReason::none;
    std::string right = lane.asleep ? "asleep" : rate_text(lane);
    if (ended) {
      const std::string both = finish_text(lane.finish) + (right.empty() ? "" : " " + right);
      right = string_width(title(k)) + string_width(both) < inner ? both : finish_text(lane.finish);
    }
    // A second stage is told its text for nothing.
    const int32_t spent = lane.second_stage ? lane.generated : lane.tokens;
    const int32_t budget = lane.second_stage ? context_.then_budget : context_.budget;
    const std::string left = fit(title(k), inner - string_width(right) - 1);
    Elements rows = {
        hbox({text(left) | bold | color(color_of_lane), filler(), text(right) | dim}),
        hbox({gauge(budget > 0 ? static_cast<float>(spent) / static_cast<float>(budget) : 0.0F) |
                  color(color_of_lane) | flex,
              text(" " + std::to_string(spent) + "/" + std::to_string(budget)) | dim}),
    };
    for (std::string& line :
         wrap_tail(without_leading_space(lane.text), {.width = inner, .lines = grid.height - 4})) {
      rows.push_back(text(std::move(line)));
    }
    Element content = hbox({text(" "), vbox(std::move(rows)) | size(WIDTH, EQUAL, inner), text(" ")});
    const bool lost = result_ != nullptr && result_->selected >= 0 && !won;
    return content | borderStyled(won ? DOUBLE : ROUNDED, lost ? Color(Color::GrayDark) : color_of_lane) |
           size(HEIGHT, EQUAL, grid.height) | size(WIDTH, EQUAL, grid.width);
  }

  ftxui::Element grid_of_lanes(const Grid& grid) const {
    ftxui::Elements rows;
    for (size_t k = 0; k < grid.shown;) {
      ftxui::Elements row;
      for (int column = 0; column < grid.columns && k < grid.shown; ++column, ++k)
        row.push_back(box(k, grid));
      rows.push_back(ftxui::hbox(std::move(row)));
    }
    return ftxui::vbox(std::move(rows));
  }

  std::string status() const {
    if (!prompt_read_) return "reading the prompt, " + std::to_string(context_.prompt_tokens) + " tokens";
    int64_t generated = 0;
    size_t running = 0;
    Clock::time_point start = Clock::now();
    for (const LaneState& lane : lanes_) {
      generated += lane.generated;
      if (lane.finish == FinishReason::none) ++running;
      if (lane.start != Clock::time_point{}) start = std::min(start, lane.start);
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    char buffer[128];
    std::snprintf(buffer, sizeof buffer, "step %d, %zu of %zu lanes running, %.1f tokens/s", clock_, running,
                  lanes_.size(), seconds > 0 ? generated / seconds : 0.0);
    return buffer;
  }

  void draw() {
    using namespace ftxui;
    drawn_ = Clock::now();
    const Dimensions terminal = Terminal::Size();
    const Grid grid = make_grid(lanes_.size(), {terminal.dimx, terminal.dimy - 2});
    std::string footer = status();
    if (grid.shown < lanes_.size())
      footer += ", " + std::to_string(lanes_.size() - grid.shown) + " more not shown";
    if (!last_act_.empty()) footer += " · " + last_act_;
    const std::string header = context_.model + " · " + context_.coupling;
    Element document = vbox({text(fit(header, terminal.dimx)) | bold, grid_of_lanes(grid), filler(),
                             text(fit(footer + " · Ctrl-C stops", terminal.dimx)) | dim});
    Screen screen = Screen::Create(Dimension::Fixed(terminal.dimx), Dimension::Fixed(terminal.dimy));
    Render(screen, document);
    const bool resized = terminal.dimx != size_.dimx || terminal.dimy != size_.dimy;
    size_ = terminal;
    print_out((resized ? "\033[2J\033[H" : "\033[H") + screen.ToString());
  }

  void leave() {
    if (!active_) return;
    active_ = false;
    InterruptGuard::restore_with({});
    std::fwrite(leave_terminal.data(), 1, leave_terminal.size(), stdout);
    std::fflush(stdout);
  }

  void finish(const GroupResult& result) {
    using namespace ftxui;
    result_ = &result;
    leave();
    const int width = Terminal::Size().dimx;
    const size_t columns =
        std::clamp<size_t>(width / narrowest_column, 1, std::max<size_t>(lanes_.size(), 1));
    const int rows = static_cast<int>((lanes_.size() + columns - 1) / columns);
    const Grid grid = make_grid(lanes_.size(), {width, rows * (final_text_lines + 4)});
    Element document = grid_of_lanes(grid);
    Screen screen = Screen::Create(Dimension::Fixed(width), Dimension::Fixed(grid.rows * grid.height));
    Render(screen, document);
    std::string text = screen.ToString() + "\n";
    for (const Vote& vote : result.votes) {
      text += "  " + std::to_string(vote.count) + " × " + fit(vote.answer, std::max(width - 10, 8)) + "\n";
    }
    text += "\033[1m" + selection_text(result, context_) + "\033[0m\n";
    for (size_t k = 0; k < result.lanes.size(); ++k) {
      if (result.selected == static_cast<int32_t>(k))
        text += "\n" + without_controls(result.lanes[k].text) + "\n";
      // Boxes show the ends of the lanes only.
      if (context_.selection == SelectionKind::none) {
        text += "\n\033[1m" + title(k) + "\033[0m\n" + without_controls(result.lanes[k].text) + "\n";
      }
    }
    print_out(text);
    for (const PolicyAct& act : result.acts)
      print_note("  step " + std::to_string(act.step) + ": " + act_text(act));
    if (!result.note.empty()) print_note("lanerope: " + result.note);
    print_note("\n" + timing_text(result, context_));
    result_ = nullptr;
  }

  ViewContext context_;
  std::vector<LaneState> lanes_;
  const GroupResult* result_ = nullptr;  // while the last picture is drawn
  bool active_ = false;                  // the alternate screen is on
  bool prompt_read_ = false;
  std::string last_act_;  // of a policy, for a person
  int32_t clock_ = 0;
  Clock::time_point drawn_ = {};
  ftxui::Dimensions size_ = {0, 0};
};

}  // namespace

std::unique_ptr<View> make_live_view(const ViewContext& context) {
  return std::make_unique<LiveView>(context);
}

}  // namespace lanerope::cli
