// SPDX-License-Identifier: Apache-2.0
#include "cli/line_output.h"

#include <unistd.h>

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

// A file of this process alone.
std::string name_until_done(const std::string& file) {
  return file + "." + std::to_string(::getpid()) + ".new";
}

// Names of what is open already, such as a shell's output to a file.
bool is_of_process(const std::string& file) {
  return file.starts_with("/dev/") || file.starts_with("/proc/");
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
  } else if (fs::symlink_status(file, error).type() == fs::file_type::not_found) {
    replaced_ = file;
  } else if (fs::is_regular_file(file, error) && !is_of_process(file)) {
    // Its folder may let it be replaced where it is not to be written.
    if (!std::ofstream(file, std::ios::app)) throw unwritable(file);
    replaced_ = fs::canonical(file, error).string();
  }
  stream_.open(replaced_.empty() ? file : name_until_done(replaced_),
               std::ios::binary | (mode == Mode::extend ? std::ios::app : std::ios::trunc));
  if (!stream_ && !replaced_.empty() && fs::exists(file, error)) {  // its folder takes no other file
    replaced_.clear();
    stream_.open(file, std::ios::binary | std::ios::trunc);
  }
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
  replaced_.clear();  // what was made is kept
  if (error) throw SystemError(file_ + " cannot be replaced; what was made is in " + fresh);
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
