// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace lanerope::train {

struct FileDigest {
  uint64_t bytes = 0;
  std::string sha256 = {};  // 64 lower-case hexadecimal digits
};

// Reads the whole file, in pieces. Throws SystemError where it cannot be read.
FileDigest digest_file(const std::string& path);

}  // namespace lanerope::train
