// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace lanerope {

// What this machine can do at most: the yardstick of `lanerope bench`.
struct MachineLimits {
  std::string cpu;                   // its name, or empty if unknown
  double read_bytes_per_second = 0;  // all threads streaming through memory that no cache holds
  double int8_macs_per_second = 0;   // all threads, 8-bit multiply-adds (VNNI), nothing else; 0 without VNNI
};

// Measures for about a second on `threads` threads (0: all cores), and blocks meanwhile. Nothing else should
// run.
MachineLimits measure_machine(int32_t threads);

}  // namespace lanerope
