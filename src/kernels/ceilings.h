// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lanerope::kernels {

// What this machine can do at most with `n_threads` threads, measured in about a second. A share of these is
// how a kernel's speed is told.
struct MachineCeilings {
  int n_threads = 1;
  double byte_macs = 0;   // multiply-adds a second of bytes: four-way dot products (VNNI where there is one)
  double float_macs = 0;  // multiply-adds a second of f32
  double read_bytes = 0;  // bytes a second, memory much larger than the caches read once
  double copy_bytes = 0;  // bytes a second read and written, the same memory copied
};

// Starts n_threads - 1 threads and ends them. Throws std::bad_alloc without 256 MiB to spare.
MachineCeilings measure_ceilings(int n_threads);

}  // namespace lanerope::kernels
