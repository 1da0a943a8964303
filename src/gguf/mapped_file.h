// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace lanerope::gguf {

// A whole file, mapped read-only for as long as this object lives. Moving it does not move the bytes. Any
// number of threads may read. A file that is made shorter while it is mapped ends the process with SIGBUS, as
// with any mapping.
class MappedFile {
 public:
  // Throws SystemError when the file cannot be opened or mapped, BadFile when it is empty or no regular file.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  // Starts at a page boundary.
  std::span<const std::byte> bytes() const { return bytes_; }
  // Lets the system have the memory back that pages of [begin, begin + bytes) take; reading them again reads
  // the file.
  void forget(const std::byte* begin, size_t bytes) const;

 private:
  std::string path_;
  std::span<const std::byte> bytes_;
};

}  // namespace lanerope::gguf
