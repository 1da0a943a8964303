// SPDX-License-Identifier: Apache-2.0
#include "kernels/amx.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lanerope::kernels {

#if defined(__x86_64__) && defined(__linux__)

namespace {

bool ask_for_amx() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned tiles_and_bytes = 1U << 24 | 1U << 25;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & tiles_and_bytes) != tiles_and_bytes) return false;
  // Registers of 8 KB are given to those who ask, for all their threads.
  constexpr long request_permission = 0x1023;
  constexpr long tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

}  // namespace

bool amx_is_usable() {
  static const bool usable = ask_for_amx();
  return usable;
}

#else

bool amx_is_usable() {
  return false;
}

#endif

}  // namespace lanerope::kernels
