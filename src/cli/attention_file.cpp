// SPDX-License-Identifier: Apache-2.0
#include "cli/attention_file.h"

#include <cerrno>
#include <cstring>

#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

void open(std::ofstream& stream, const std::string& file) {
  if (file.empty()) return;
  stream.open(file, std::ios::binary);
  if (stream) return;
  throw SystemError("the attention cannot be written to " + file + " (" + std::strerror(errno) +
                    "); choose another file");
}

// `errno` was cleared before the writing began: it tells why it failed.
void close(std::ofstream& stream, const std::string& file) {
  if (stream.flush()) return;
  const std::string reason = errno == 0 ? "writing failed" : std::strerror(errno);
  throw SystemError("the attention could not be written to " + file + " (" + reason +
                    "); free some space or choose another file");
}

}  // namespace

AttentionFile::AttentionFile(const std::string& file) {
  if (file.ends_with(".html") || file.ends_with(".htm")) {
    page_file_ = file;
  } else {
    json_file_ = file;
    if (file.ends_with(".json")) page_file_ = file.substr(0, file.size() - 4) + "html";
  }
  open(json_, json_file_);
  open(page_, page_file_);
}

std::vector<std::string> AttentionFile::write(const AttentionReport& report) {
  std::vector<std::string> notes;
  if (!json_file_.empty()) {
    errno = 0;
    write_attention_json(report, json_);
    close(json_, json_file_);
    notes.push_back("attention written to " + json_file_);
  }
  if (!page_file_.empty()) {
    errno = 0;
    const int32_t stride = write_attention_page(report, page_);
    close(page_, page_file_);
    notes.push_back("attention page written to " + page_file_ + "; open it in a browser");
    if (stride > 1) {
      notes.back() += "; to stay below 20 MB it shows one step in " + std::to_string(stride) +
                      ", while JSON has them all";
    }
  }
  return notes;
}

}  // namespace lanerope::cli
