// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lanerope::hub {

enum class DigestKind {
  sha1,    // of git's objects
  sha256,  // of large files
};

// A digest of bytes that come in pieces.
class Digest {
 public:
  explicit Digest(DigestKind kind);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);
  std::string finish();  // lower-case hexadecimal digits; the last call

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct FileDigest {
  uint64_t bytes = 0;
  std::string sha256 = {};  // 64 lower-case hexadecimal digits
};

// Reads the whole file, in pieces. Throws SystemError where it cannot be read.
FileDigest digest_file(const std::string& path);

}  // namespace lanerope::hub
