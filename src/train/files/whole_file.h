// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lanerope::train {

// The bytes of a file. Throws SystemError where it cannot be read.
std::string read_whole_file(const std::string& path);

// Replaces the file, or makes it: whoever reads finds the old bytes or the new ones, never a part. Throws
// SystemError where the disk refuses; the old bytes then stay.
void write_whole_file(const std::string& path, std::string_view bytes);

}  // namespace lanerope::train
