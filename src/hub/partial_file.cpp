// SPDX-License-Identifier: Apache-2.0
#include "hub/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <vector>

#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

constexpr size_t piece = size_t{1} << 20;  // bytes
constexpr size_t sha1_digits = 40;

DigestKind kind_of(const Expected& expected) {
  return expected.oid.size() == sha1_digits ? DigestKind::sha1 : DigestKind::sha256;
}

std::string megabytes(uint64_t bytes) {
  return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

}  // namespace

PartialFile::PartialFile(std::filesystem::path path, Expected expected)
    : path_(std::move(path)), expected_(std::move(expected)), digest_(kind_of(expected_)) {
  std::error_code ignored;
  std::filesystem::create_directories(path_.parent_path(), ignored);
  descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) refuse("opened");
  begin_digest();
  struct stat facts = {};
  if (fstat(descriptor_, &facts) != 0) refuse("read");
  std::vector<std::byte> buffer(piece);
  while (size_ < static_cast<uint64_t>(facts.st_size)) {
    const ssize_t count = pread(descriptor_, buffer.data(), buffer.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse("read");
    if (count == 0) break;
    digest_.add(std::span(buffer).first(static_cast<size_t>(count)));
    size_ += static_cast<uint64_t>(count);
  }
}

PartialFile::~PartialFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void PartialFile::begin_digest() {
  digest_ = Digest(kind_of(expected_));
  // git digests its objects with a head before them.
  if (kind_of(expected_) == DigestKind::sha1) {
    digest_.add("blob " + std::to_string(expected_.size.value_or(0)));
    digest_.add(std::string_view("\0", 1));
  }
}

void PartialFile::append(std::span<const std::byte> bytes) {
  if (expected_.size && size_ + bytes.size() > *expected_.size)
    throw BadFile(path_.filename().string() + " comes with more than its " + std::to_string(*expected_.size) +
                  " bytes; try again later");
  digest_.add(bytes);
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse("written");
    size_ += static_cast<uint64_t>(count);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void PartialFile::restart(Expected expected) {
  expected_ = std::move(expected);
  if (size_ > 0 && ftruncate(descriptor_, 0) != 0) refuse("written");
  size_ = 0;
  begin_digest();
}

void PartialFile::expect(Expected expected) {
  assert(kind_of(expected) == kind_of(expected_));
  expected_ = std::move(expected);
}

void PartialFile::check_room() const {
  if (!expected_.size || size_ >= *expected_.size) return;
  std::error_code error;
  const std::filesystem::space_info room = std::filesystem::space(path_.parent_path(), error);
  const uint64_t missing = *expected_.size - size_;
  if (error || room.available >= missing) return;
  throw SystemError("the disk of " + path_.parent_path().string() + " has " + megabytes(room.available) +
                    " free, and " + megabytes(missing) +
                    " are still to come; free some space, or name a directory on another disk in HF_HOME");
}

bool PartialFile::is_right() {
  if (expected_.size && size_ != *expected_.size) return false;
  return expected_.oid.empty() || digest_.finish() == expected_.oid;
}

void PartialFile::publish(const std::filesystem::path& final_path) {
  if (fsync(descriptor_) != 0) refuse("written");
  std::error_code error;
  std::filesystem::create_directories(final_path.parent_path(), error);
  std::filesystem::rename(path_, final_path, error);
  if (error)
    throw SystemError(final_path.string() + " cannot be written (" + error.message() +
                      "); check the directory");
}

void PartialFile::discard() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

void PartialFile::refuse(const std::string& doing) const {
  const int error = errno;
  if (error == ENOSPC || error == EDQUOT) {
    throw SystemError(
        "the disk of " + path_.parent_path().string() + " is full" +
        (expected_.size ? ", and " + megabytes(*expected_.size - size_) + " are still to come" : "") +
        "; free some space and run the same command again, which goes on from what is there");
  }
  if (error == EFBIG) {
    throw SystemError(path_.string() +
                      " may not become this large on its disk; name a directory on another one in HF_HOME");
  }
  throw SystemError(path_.string() + " cannot be " + doing + " (" + std::strerror(error) +
                    "); check the directory, or name another one in HF_HOME");
}

}  // namespace lanerope::hub
