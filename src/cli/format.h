// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lanerope::cli {

std::string with_digits(double value, int digits);

// "1.04 GiB".
std::string bytes_text(double bytes);

// "1.78 B", "494 M", "12": counts of parameters.
std::string count_text(int64_t count);

// Columns as wide as their widest cell, two spaces apart; the first one is to the left and numbers are to the
// right. The first row is the heading.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace lanerope::cli
