// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "hub/digest.h"

namespace lanerope::hub {

// What a file must be. Where nothing is known it is taken as it comes.
struct Expected {
  std::optional<uint64_t> size = {};  // bytes
  // SHA-256 in 64 hexadecimal digits, or the name of a git object in 40, which needs the size; else empty.
  std::string oid = {};
};

// A file that is being fetched. It grows under a name of its own, is digested as it grows, and gets its real
// name when it is whole. What a killed process left is gone on from. One writer: the caller holds the file's
// lock.
class PartialFile {
 public:
  // Opens or makes it; the bytes that are there are digested. Throws SystemError.
  PartialFile(std::filesystem::path path, Expected expected);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  uint64_t size() const { return size_; }
  const Expected& expected() const { return expected_; }
  bool is_complete() const { return expected_.size && size_ == *expected_.size; }

  // Throws SystemError where the disk is full or refuses, BadFile where it would become larger than expected.
  void append(std::span<const std::byte> bytes);
  void restart(Expected expected);  // from nothing
  void expect(Expected expected);   // of the bytes that are there, too; not another kind of digest
  // Throws SystemError where the disk has no room for what is missing.
  void check_room() const;
  // Whether size and digest are those expected; the digest is used up.
  bool is_right();
  // Written to the disk, then renamed, so that no half file has the real name even after a power cut.
  void publish(const std::filesystem::path& final_path);
  void discard();

 private:
  void begin_digest();
  [[noreturn]] void refuse(const std::string& doing) const;  // by errno

  std::filesystem::path path_;
  Expected expected_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
  Digest digest_;
};

}  // namespace lanerope::hub
