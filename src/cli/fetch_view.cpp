// SPDX-License-Identifier: Apache-2.0
#include "cli/fetch_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/format.h"
#include "cli/output.h"
#include "cli/wrap.h"

namespace lanerope::cli {

namespace {

using std::chrono::duration;
using std::chrono::seconds;

constexpr seconds window(5);
constexpr seconds between_lines(5);
constexpr int most_bar = 40;
constexpr int least_bar = 8;

int terminal_width() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string megabytes(double bytes) {
  return with_digits(bytes / 1e6, bytes < 10e6 ? 1 : 0) + " MB";
}

// "0:07", "12:30", "1:02:03".
std::string time_text(double time) {
  const auto all = static_cast<int64_t>(time + 0.5);
  char text[32];
  if (all >= 3600) {
    std::snprintf(text, sizeof text, "%d:%02d:%02d", static_cast<int>(all / 3600),
                  static_cast<int>(all / 60 % 60), static_cast<int>(all % 60));
  } else {
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(all / 60), static_cast<int>(all % 60));
  }
  return text;
}

double share_of(const hub::Progress& progress) {
  if (!progress.total || *progress.total == 0) return 0;
  return static_cast<double>(progress.done) / static_cast<double>(*progress.total);
}

}  // namespace

void Rate::take(Clock::time_point when, uint64_t bytes) {
  if (!samples_.empty() && bytes < samples_.back().bytes) samples_.clear();  // it began anew
  samples_.push_back({when, bytes});
  while (samples_.size() > 2 && when - samples_.front().when > window) samples_.pop_front();
}

double Rate::bytes_per_second() const {
  if (samples_.size() < 2) return 0;
  const double time = duration<double>(samples_.back().when - samples_.front().when).count();
  return time < 0.2 ? 0 : static_cast<double>(samples_.back().bytes - samples_.front().bytes) / time;
}

std::string progress_line(const hub::Progress& progress, double bytes_per_second, int width) {
  const auto done = static_cast<double>(progress.done);
  std::string numbers;
  if (progress.total) {
    const std::string percent = std::to_string(static_cast<int>(share_of(progress) * 100));
    numbers = std::string(3 - std::min<size_t>(percent.size(), 3), ' ') + percent + "%  " +
              with_digits(done / 1e6, 0) + " of " + megabytes(static_cast<double>(*progress.total));
  } else {
    numbers = megabytes(done);
  }
  if (bytes_per_second > 0) {
    numbers += "  " + with_digits(bytes_per_second / 1e6, 1) + " MB/s";
    if (progress.total) {
      numbers += "  " + time_text((static_cast<double>(*progress.total) - done) / bytes_per_second) + " left";
    }
  }
  const int for_numbers = static_cast<int>(numbers.size());
  const std::string name = fit(progress.name, std::max(10, width - for_numbers - least_bar - 7));
  const int left = width - for_numbers - static_cast<int>(name.size()) - 7;  // gaps, brackets, the last cell
  std::string line = name + "  ";
  if (progress.total && left >= least_bar) {
    const int bar = std::min(left, most_bar);
    const int filled = static_cast<int>(share_of(progress) * bar);
    line += "[" + std::string(filled, '#') + std::string(bar - filled, '-') + "]  ";
  }
  return fit(line + numbers, width - 1);
}

FetchView::FetchView() : terminal_(notes_are_terminal()) {}

FetchView::~FetchView() {
  erase();
}

void FetchView::show(const hub::Progress& progress) {
  const auto now = Rate::Clock::now();
  if (progress.name != name_) begin(progress);
  rate_.take(now, progress.done);
  if (progress.complete) return end(progress);
  if (terminal_) {
    line_shown_ = true;
    std::fprintf(stderr, "\r\033[K%s",
                 progress_line(progress, rate_.bytes_per_second(), terminal_width()).c_str());
    return;
  }
  const int tenths = static_cast<int>(share_of(progress) * 10);
  if (tenths <= tenths_ || now - said_ < between_lines) return;
  tenths_ = tenths;
  said_ = now;
  print_note(progress.name + ": " + std::to_string(tenths * 10) + " %, " +
             with_digits(rate_.bytes_per_second() / 1e6, 1) + " MB/s");
}

void FetchView::begin(const hub::Progress& progress) {
  name_ = progress.name;
  begun_ = said_ = Rate::Clock::now();
  tenths_ = static_cast<int>(share_of(progress) * 10);
  rate_ = {};
  const auto resumed = static_cast<double>(progress.resumed);
  std::string line = "fetching " + progress.name;
  if (progress.total) line += ", " + megabytes(static_cast<double>(*progress.total));
  if (progress.resumed > 0) line += ", of which " + megabytes(resumed) + " are there";
  if (!terminal_ || progress.resumed > 0) note(line);
}

void FetchView::end(const hub::Progress& progress) {
  const double time = duration<double>(Rate::Clock::now() - begun_).count();
  const auto fetched = static_cast<double>(progress.done - progress.resumed);
  std::string line = "fetched " + progress.name + ", " + megabytes(static_cast<double>(progress.done));
  if (time >= 1) line += ", in " + time_text(time) + " (" + with_digits(fetched / time / 1e6, 1) + " MB/s)";
  note(line);
  name_.clear();
}

void FetchView::note(const std::string& line) {
  erase();
  print_note(terminal_ ? without_controls(line) : line);
}

void FetchView::erase() {
  if (line_shown_) std::fprintf(stderr, "\r\033[K");
  line_shown_ = false;
}

}  // namespace lanerope::cli
