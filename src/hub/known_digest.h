// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "hub/settings.h"

namespace lanerope::hub {

// The SHA-256 of a file, 64 lower-case hexadecimal digits, quickly where it is known: a file of the hub's
// cache is called by it, and what was read once is remembered by the file's size, time and place. Else the
// file is read, at a gigabyte a second or so. Throws SystemError where it cannot be.
std::string sha256_of(const std::filesystem::path& file, const Settings& settings);

}  // namespace lanerope::hub
