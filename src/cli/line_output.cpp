// SPDX-License-Identifier: Apache-2.0
#include "cli/line_output.h"

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cli/output.h"
#include "cli/text_source.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

constexpr size_t buffer_size = 65536;

SystemError unwritable(const std::string& file) {
  return SystemError(file + " cannot be written; check its folder, its permissions and the free space");
}

void cut_off_half_a_line(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return;
  const std::string text = read_file(file);
  const size_t whole = text.rfind('\n') + 1;  // 0 where there is none
  if (whole == text.size()) return;
  std::filesystem::resize_file(file, whole, error);
  if (error) throw unwritable(file);
}

}  // namespace

LineOutput::LineOutput(const std::string& file, Mode mode) : file_(file) {
  if (file == "-") return;
  if (mode == Mode::extend) cut_off_half_a_line(file);
  stream_.open(file, std::ios::binary | (mode == Mode::extend ? std::ios::app : std::ios::trunc));
  if (!stream_) throw unwritable(file);
}

void LineOutput::write(const std::string& line) {
  buffer_ += line;
  buffer_ += '\n';
  if (buffer_.size() >= buffer_size) flush();
}

void LineOutput::flush() {
  if (file_ == "-") {
    print_out(buffer_);
  } else if (!stream_.write(buffer_.data(), std::ssize(buffer_)) || !stream_.flush()) {
    throw unwritable(file_);
  }
  buffer_.clear();
}

void LineOutput::finish() {
  flush();
  if (file_ == "-") return;
  stream_.close();
  if (!stream_) throw unwritable(file_);
}

ProgressNote::ProgressNote(std::string text) : text_(std::move(text)), shown_(notes_are_terminal()) {}

ProgressNote::~ProgressNote() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
}

void ProgressNote::show(int64_t done) {
  const auto now = std::chrono::steady_clock::now();
  if (!shown_ || now - last_ < std::chrono::milliseconds(250)) return;
  last_ = now;
  drawn_ = true;
  std::fprintf(stderr, "\r%lld %s", static_cast<long long>(done), text_.c_str());
}

}  // namespace lanerope::cli
