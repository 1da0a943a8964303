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

namespace fs = std::filesystem;

constexpr size_t buffer_size = 65536;

std::string name_until_done(const std::string& file) {
  return file + ".new";
}

SystemError unwritable(const std::string& file) {
  return SystemError(file + " cannot be written; check its folder, its permissions and the free space");
}

void cut_off_half_a_line(const std::string& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return;
  const std::string text = read_file(file);
  const size_t whole = text.rfind('\n') + 1;  // 0 where there is none
  if (whole == text.size()) return;
  fs::resize_file(file, whole, error);
  if (error) throw unwritable(file);
}

}  // namespace

LineOutput::LineOutput(const std::string& file, Mode mode) : file_(file) {
  if (file == "-") return;
  std::error_code error;
  if (mode == Mode::extend) {
    cut_off_half_a_line(file);
  } else if (!fs::exists(file, error)) {
    replaced_ = file;
  } else if (fs::is_regular_file(file, error)) {
    // Its folder may let it be replaced where it is not to be written.
    if (!std::ofstream(file, std::ios::app)) throw unwritable(file);
    replaced_ = fs::canonical(file, error).string();
  }
  stream_.open(replaced_.empty() ? file : name_until_done(replaced_),
               std::ios::binary | (mode == Mode::extend ? std::ios::app : std::ios::trunc));
  if (!stream_) throw unwritable(file);
}

LineOutput::~LineOutput() {
  if (replaced_.empty()) return;
  stream_.close();
  std::error_code error;
  fs::remove(name_until_done(replaced_), error);
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
  if (!replaced_.empty()) put_in_place();
}

void LineOutput::put_in_place() {
  const std::string fresh = name_until_done(replaced_);
  std::error_code error;
  const fs::file_status before = fs::status(replaced_, error);
  if (fs::is_regular_file(before)) fs::permissions(fresh, before.permissions(), error);
  fs::rename(fresh, replaced_, error);
  if (error) throw unwritable(file_);
  replaced_.clear();
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
