// SPDX-License-Identifier: Apache-2.0
#include "lanerope/machine.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#include "kernels/ceilings.h"

namespace lanerope {

namespace {

std::string cpu_name() {
  std::ifstream lines("/proc/cpuinfo");
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with("model name")) continue;
    const size_t value = line.find_first_not_of(" \t", line.find(':') + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return {};
}

}  // namespace

MachineLimits measure_machine(int32_t threads) {
  if (threads <= 0) threads = static_cast<int32_t>(std::max(1U, std::thread::hardware_concurrency()));
  const kernels::MachineCeilings ceilings = kernels::measure_ceilings(threads);
  return {.cpu = cpu_name(),
          .read_bytes_per_second = ceilings.read_bytes,
          .int8_macs_per_second = ceilings.byte_macs};
}

}  // namespace lanerope
